"""Everything that the images need from the network. The later steps work without one."""

from pathlib import Path

from resnet_sizes.data.published_file import (
    OFFLINE_COMMAND,
    PublishedFile,
    fetch_published,
    mismatch,
)
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import run_command
from resnet_sizes.schemas.study.study import Cifar10Download, Study


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
    expected = study.downloads.cifar10
    target = _download_target(study)
    failures = fetch_published(
        PublishedFile(
            what="the archive",
            target=target,
            addresses=(*expected.mirrors, expected.origin),
            algorithm="md5",
            digest=expected.md5,
            size=expected.bytes,
            most=None,
            timeout=study.downloads.timeout,
            allow_http=study.downloads.allow_http,
        )
    )
    if failures:
        raise UserError(_nothing_worked(failures, target, expected))
    return target


def local_source(study: Study) -> Path | None:
    """As `fetch_images`, without any network: a missing or damaged file is a UserError."""
    dataset = study.dataset
    if dataset.source == "digits":
        return None
    if dataset.source == "image-folder":
        return _image_folder(Path(dataset.path or ""))
    if dataset.path is not None:
        return _own_copy(Path(dataset.path), study.downloads.cifar10)
    target = _download_target(study)
    remedy = run_command(f"fetch results/{study.name}/study.json")
    if not target.is_file():
        raise UserError(f"{target}: no such file. {remedy}")
    problem = archive_mismatch(target, study.downloads.cifar10)
    if problem:
        raise UserError(f"{target}: is damaged: {problem}. {remedy}")
    return target


def archive_mismatch(path: Path, expected: Cifar10Download) -> str | None:
    """Why the file at `path` is not the expected archive; None if it is."""
    return mismatch(path, "md5", expected.md5, expected.bytes)


def _image_folder(path: Path) -> Path:
    if not path.exists():
        raise UserError(
            f"dataset.path: {path} does not exist (looked in {Path.cwd()}). Put a folder, zip or "
            "tar archive with train/<class>/… and test/<class>/… there, or change dataset.path."
        )
    return path


def _own_copy(path: Path, expected: Cifar10Download) -> Path:
    remedy = f"Put {_described(expected)} there, or set dataset.path to null to have it downloaded."
    if not path.is_file():
        found = "is a folder" if path.is_dir() else f"does not exist (looked in {Path.cwd()})"
        raise UserError(f"dataset.path: {path} {found}. {remedy}")
    problem = archive_mismatch(path, expected)
    if problem:
        raise UserError(
            f"dataset.path: {path} is not the official CIFAR-10 archive: {problem}. {remedy}"
        )
    return path


def _download_target(study: Study) -> Path:
    return Path(study.downloads.folder) / study.downloads.cifar10.file


def _described(expected: Cifar10Download) -> str:
    return f"{expected.file} ({expected.bytes} bytes, MD5 {expected.md5})"


def _nothing_worked(failures: list[str], target: Path, expected: Cifar10Download) -> str:
    return "\n".join(
        [
            "CIFAR-10 could not be fetched:",
            *(f"  {failure}" for failure in failures),
            "Do one of these, then run the same command again:",
            f"  - put {_described(expected)} here by hand: {target.absolute()}",
            "  - set dataset.path to a copy of that archive on this machine",
            "  - or take the study that needs no network:",
            f"    {OFFLINE_COMMAND}",
        ]
    )
