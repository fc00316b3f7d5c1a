"""A finished study → one zip that others can check, cite and run again."""

import hashlib
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import resnet_sizes
from resnet_sizes.io.code_hash import training_code_hash
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record, write_atomically
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import StudyFile, all_run_settings, read_study
from resnet_sizes.schemas.verification import Certificate, CertifiedDevice, Person, Verification
from resnet_sizes.sharing.contents import archive_files
from resnet_sizes.sharing.crate import crate_metadata
from resnet_sizes.sharing.open_archive import (
    CERTIFICATE,
    METADATA,
    NO_DIGEST,
    PREVIEW,
    check_members,
)
from resnet_sizes.sharing.pages import TEMPLATES, page, rendered
from resnet_sizes.sharing.verify import verify

PAPERS = ("CITATION.cff", "zenodo.json", "codecheck.yml")
"""What repositories and reviewers read beside the crate; made of `report/archive/`."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file: equal inputs give equal bytes."""


def write_archive(
    study_path: Path,
    target: Path,
    authors: Sequence[Person],
    license: str,
    templates: Path = TEMPLATES,
) -> str:
    """Verify a finished study and write it as one zip, atomically; the digest of its list of files.

    Run in the project's folder. Files are stored as they are, with a fixed time, so that equal
    inputs give equal bytes. Raises UserError where the study is not finished or something in it
    differs from what its runs give.
    """
    study_file = read_study(study_path)
    study = study_file.study
    files = archive_files(study_path, study)
    members = [zipfile.ZipInfo(name) for name in files]
    check_members(target, members, "Rename it, then run the same command again.")
    found = verify(study_path, templates=templates)
    if not found.holds:
        first = next(each for each in found.findings if each.outcome == "differs")
        raise UserError(
            f"{study_path}: is not archived, since it does not hold: {first.subject}: "
            f"{first.detail}. Run snakemake again; all that differs: resnet-sizes verify "
            f"{study_path.parent}"
        )
    article = load_article(Path(study.article)).article
    certificate = Certificate(
        title=f"{article.title}: run again as the study {study.name}",
        authors=list(authors),
        license=license,
        **_facts(study_file, StudyFolder.of_file(study_path), found),
        preview_sha256=NO_DIGEST,
    )
    shown = page(
        "_certificate.html.j2",
        study.name,
        study.report.languages,
        templates,
        certificate=certificate,
        metadata=METADATA,
        digest=NO_DIGEST,
        pages=[name for name in files if name.endswith(("report.html", "report.pdf"))],
    )
    preview = hashlib.sha256(shown.encode()).hexdigest()
    certificate = certificate.model_copy(update={"preview_sha256": preview})
    names = {"certificate": certificate, "article": article, "files": files, "checker": None}
    contents: dict[str, Path | bytes] = {
        **files,
        CERTIFICATE: (certificate.model_dump_json(indent=2) + "\n").encode(),
        **{name: rendered(f"archive/{name}.j2", templates, **names).encode() for name in PAPERS},
    }
    contents = dict(sorted(contents.items()))
    listed = {name: _size_and_hash(content) for name, content in contents.items()}
    metadata = crate_metadata(certificate, listed).encode()
    digest = hashlib.sha256(metadata).hexdigest()
    described = {METADATA: metadata, PREVIEW: shown.replace(NO_DIGEST, digest).encode()}
    write_atomically(target, lambda path: _write_zip(path, described | contents))
    return digest


def _facts(study_file: StudyFile, folder: StudyFolder, found: Verification) -> dict[str, Any]:
    """What the runs and the verification say for the certificate."""
    study = study_file.study
    runs = [
        read_record(folder.run(settings).metrics, Metrics, "Run snakemake again.")
        for settings in all_run_settings(study)
    ]
    devices = Counter((run.device.name, run.device.kind) for run in runs)
    versions: dict[str, list[str]] = {}
    for name in sorted({name for run in runs for name in run.versions}):
        versions[name] = sorted({run.versions[name] for run in runs if name in run.versions})
    code = sorted({run.code.training_hash for run in runs})
    agreed = Counter(each.group for each in found.findings if each.outcome == "agrees")
    return {
        "study": study.name,
        "study_hash": study_file.study_hash,
        "devices": [
            CertifiedDevice(name=name, kind=kind, runs=number)
            for (name, kind), number in sorted(devices.items())
        ],
        "versions": versions,
        "training_code": code,
        "code_is_current": code == [training_code_hash()],
        "runs": len(runs),
        "started": min(run.started for run in runs),
        "finished": max(run.finished for run in runs),
        "verified_by": resnet_sizes.__version__,
        "checked": dict(agreed),
        "not_compared": [
            f"{each.subject}: {each.detail}"
            for each in found.findings
            if each.outcome == "not-compared"
        ],
    }


def _size_and_hash(content: Path | bytes) -> tuple[int, str]:
    data = content if isinstance(content, bytes) else content.read_bytes()
    return len(data), hashlib.sha256(data).hexdigest()


def _write_zip(path: Path, contents: Mapping[str, Path | bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in contents.items():
            member = zipfile.ZipInfo(name, _EPOCH)
            member.create_system = 3  # Unix, on every system
            member.external_attr = 0o100644 << 16
            data = content if isinstance(content, bytes) else content.read_bytes()
            archive.writestr(member, data)
