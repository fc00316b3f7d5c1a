"""A reader's check of an archive in CODECHECK's form (https://codecheck.org.uk)."""

from contextlib import chdir
from pathlib import Path

import yaml

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_bytes, write_text
from resnet_sizes.io.yaml import parse_yaml
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.verification import Person, Verification
from resnet_sizes.sharing.open_archive import opened
from resnet_sizes.sharing.verify import summary, verify

TEMPLATE = "codecheck.yml"
CERTIFICATE = "codecheck-certificate.md"

# What no program can see.
_READER = (
    "The report answers the questions that the article asks, as I understand them.",
    "The readings (protocols) are plausible readings of what the article says it did.",
    "The data are what the report says: I compared the identity with its source.",
    "The verdicts that matter to me follow from their numbers (resnet-sizes trace).",
    "I trained some of the steps again, or a run (resnet-sizes verify --replay, snakemake).",
    "The digest is the one that was published elsewhere, by those who made the archive.",
)


def write_certificate(
    path: Path, checker: Person, digest: str | None, folder: Path
) -> tuple[Path, Path]:
    """Verify an archive, and write `codecheck.yml` and the certificate to `folder`.

    Raises UserError where the archive has no such template, as a folder in results/ has none.
    """
    with opened(path) as archive, chdir(archive.root):
        if not archive.is_archive:
            raise UserError(
                f"{path}: is no archive. Make one first: resnet-sizes archive {path}, then: "
                f"resnet-sizes certificate {path}.zip"
            )
        template = parse_yaml(read_bytes(Path(TEMPLATE), "Ask for the whole archive.").decode())
    found = verify(path, digest)
    checked = utc_now()
    filled = template | {
        "codechecker": [
            {"name": checker.name, **({"ORCID": checker.orcid} if checker.orcid else {})}
        ],
        "check_time": checked,
        "summary": _summary(found),
    }
    written = folder / TEMPLATE, folder / CERTIFICATE
    write_text(written[0], yaml.safe_dump(filled, sort_keys=False, allow_unicode=True, width=100))
    write_text(written[1], _certificate(found, filled, checker, checked))
    return written


def _summary(found: Verification) -> str:
    counts = found.counts()
    return (
        f"resnet-sizes {found.checked_by} made the results of the archive {found.digest} again "
        f"from the runs' predictions: {counts['agrees']} comparisons agree, {counts['differs']} "
        f"differ, {counts['not-compared']} could not be made."
    )


def _certificate(
    found: Verification, filled: dict[str, object], checker: Person, checked: str
) -> str:
    manifest = filled.get("manifest")
    files = [each["file"] for each in manifest] if isinstance(manifest, list) else []
    lines = [
        f"# CODECHECK certificate: the study {found.study}",
        "",
        f"- Checked by {checker.name} on {checked}",
        f"- Archive (SHA-256 of its list of files): `{found.digest}`",
        "",
        "## What was made again and compared",
        "",
        "| what | agrees | differs | not compared |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {group} | {each['agrees']} | {each['differs']} | {each['not-compared']} |"
        for group, each in summary(found).items()
    ]
    others = [each for each in found.findings if each.outcome != "agrees"]
    lines += ["", *(f"- {each.outcome}: `{each.subject}`: {each.detail}" for each in others)]
    lines += ["", "## Outputs", "", *(f"- `{name}`" for name in files)]
    lines += ["", "## What only a reader can say", "", *(f"- [ ] {text}" for text in _READER), ""]
    return "\n".join(lines)
