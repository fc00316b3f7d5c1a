"""Everything that the images need from the network. The later steps work without one."""

from pathlib import Path

from resnet_sizes.data.published_file import OFFLINE_COMMAND, PublishedFile, fetch_published
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import run_command
from resnet_sizes.schemas.study.study import Downloads, Study


def cifar10_archive(downloads: Downloads) -> PublishedFile:
    """The archive of CIFAR-10 that a study names under `downloads:`."""
    archive = downloads.cifar10
    return PublishedFile(
        what="the archive",
        target=Path(downloads.folder) / archive.file,
        addresses=(*archive.mirrors, archive.origin),
        algorithm="md5",
        digest=archive.md5,
        size=archive.bytes,
        most=archive.bytes,
        timeout=downloads.timeout,
        allow_http=downloads.allow_http,
    )


def fetch_images(study: Study) -> Path | None:
    """Make sure that the study's source of images lies on this machine, whole.

    Returns the archive or folder, or None for a source that comes with a library. For
    `cifar10` that is `dataset.path` if it is set, otherwise the archive in `downloads.folder`,
    downloaded if need be: from the mirrors in their order, then from the origin. Only a file
    with the right size and MD5 gets its final name. Safe to call from two processes at once.
    Raises UserError.
    """
    if study.dataset.source != "cifar10" or study.dataset.path is not None:
        return local_source(study)
    archive = cifar10_archive(study.downloads)
    failures = fetch_published(archive)
    if failures:
        raise UserError(_nothing_worked(failures, archive))
    return archive.target


def local_source(study: Study) -> Path | None:
    """As `fetch_images`, without any network: a missing or damaged file is a UserError."""
    dataset = study.dataset
    if dataset.source == "digits":
        return None
    if dataset.source == "image-folder":
        return _image_folder(Path(dataset.path or ""))
    archive = cifar10_archive(study.downloads)
    if dataset.path is not None:
        return _own_copy(Path(dataset.path), archive)
    remedy = run_command(f"fetch results/{study.name}/study.json")
    if not archive.target.is_file():
        raise UserError(f"{archive.target}: no such file. {remedy}")
    problem = archive.mismatch(archive.target)
    if problem:
        raise UserError(f"{archive.target}: is damaged: {problem}. {remedy}")
    return archive.target


def _image_folder(path: Path) -> Path:
    if not path.exists():
        raise UserError(
            f"dataset.path: {path} does not exist (looked in {Path.cwd()}). Put a folder, zip or "
            "tar archive with train/<class>/… and test/<class>/… there, or change dataset.path."
        )
    return path


def _own_copy(path: Path, archive: PublishedFile) -> Path:
    remedy = f"Put {_described(archive)} there, or set dataset.path to null to have it downloaded."
    if not path.is_file():
        found = "is a folder" if path.is_dir() else f"does not exist (looked in {Path.cwd()})"
        raise UserError(f"dataset.path: {path} {found}. {remedy}")
    problem = archive.mismatch(path)
    if problem:
        raise UserError(
            f"dataset.path: {path} is not the official CIFAR-10 archive: {problem}. {remedy}"
        )
    return path


def _described(archive: PublishedFile) -> str:
    return f"{archive.target.name} ({archive.size} bytes, MD5 {archive.digest})"


def _nothing_worked(failures: list[str], archive: PublishedFile) -> str:
    return "\n".join(
        [
            "CIFAR-10 could not be fetched:",
            *(f"  {failure}" for failure in failures),
            "Do one of these, then run the same command again:",
            f"  - put {_described(archive)} here by hand: {archive.target.absolute()}",
            "  - set dataset.path to a copy of that archive on this machine",
            "  - or run the study that needs no network:",
            f"    {OFFLINE_COMMAND}",
        ]
    )
