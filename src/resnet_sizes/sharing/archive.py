"""A finished study → one zip that others can check, cite and run again."""

import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import resnet_sizes
from resnet_sizes.io.code_hash import training_code_hash
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import write_atomically
from resnet_sizes.io.messages import without_folders
from resnet_sizes.io.shipped import exists
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import all_run_settings, read_study
from resnet_sizes.schemas.verification import Certificate, Person
from resnet_sizes.sharing.contents import archive_files
from resnet_sizes.sharing.description import crate_metadata, described, facts
from resnet_sizes.sharing.open_archive import (
    CERTIFICATE,
    METADATA,
    NO_DIGEST,
    PREVIEW,
    check_members,
    templates_here,
)
from resnet_sizes.sharing.verify import summary, verify

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file: equal inputs give equal bytes."""


def write_archive(study_path: Path, target: Path, authors: Sequence[Person], license: str) -> str:
    """Verify a finished study and write it as one zip, atomically; the digest of its list of files.

    Run in the project's folder. Files are stored as they are, with a fixed time, so that equal
    inputs give equal bytes. Raises UserError where the study is not finished or something in it
    differs from what its runs give.
    """
    study_file = read_study(study_path)
    study = study_file.study
    folder, runs = StudyFolder.of_file(study_path), all_run_settings(study)
    inside = target.resolve().is_relative_to(folder.folder.resolve())
    if inside or (exists(target) and not zipfile.is_zipfile(target)):
        why = "inside of the study, which goes into it" if inside else "there, and is no archive"
        raise UserError(f"--out: {target} is {why}. Name another place.")
    if waiting := [run.name for run in runs if not folder.run(run).metrics.is_file()]:
        raise UserError(
            f"{study_path}: is not archived: {len(waiting)} of {len(runs)} runs have not finished, "
            f"{waiting[0]} among them. Run snakemake; its state: resnet-sizes status {study.name}"
        )
    files = archive_files(study_path, study)
    members = [zipfile.ZipInfo(name) for name in files]
    check_members(target, members, "Rename it, then run the same command again.")
    found = verify(study_path)
    if not found.holds:
        first = next(each for each in found.findings if each.outcome == "differs")
        raise UserError(
            f"{study_path}: is not archived, since it does not hold: {first.subject}: "
            f"{first.detail.rstrip('.')}. What runs give is made again by: resnet-sizes evidence, "
            f"then resnet-sizes report. All that differs: resnet-sizes verify {study_path.parent}"
        )
    known = facts(study_file, folder)
    others = [each for each in found.findings if each.outcome == "not-compared"]
    certificate = Certificate(
        **known,
        authors=list(authors),
        license=license,
        code_is_current=known["training_code"] == [training_code_hash()],
        verified_by=resnet_sizes.__version__,
        checked={group: counts["agrees"] for group, counts in summary(found).items()},
        not_compared=[without_folders(f"{each.subject}: {each.detail}") for each in others],
        preview_sha256=NO_DIGEST,
    )
    papers = described(certificate, study, folder, files, templates_here())
    shown = papers.pop(PREVIEW)
    preview = hashlib.sha256(shown.encode()).hexdigest()
    certificate = certificate.model_copy(update={"preview_sha256": preview})
    contents: dict[str, Path | bytes] = {
        **files,
        CERTIFICATE: (certificate.model_dump_json(indent=2) + "\n").encode(),
        **{name: text.encode() for name, text in papers.items()},
    }
    contents = dict(sorted(contents.items()))
    listed = {name: _size_and_hash(content) for name, content in contents.items()}
    metadata = crate_metadata(certificate, listed).encode()
    digest = hashlib.sha256(metadata).hexdigest()
    about = {METADATA: metadata, PREVIEW: shown.replace(NO_DIGEST, digest).encode()}
    write_atomically(target, lambda path: _write_zip(path, about | contents))
    return digest


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
