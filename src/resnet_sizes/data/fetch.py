"""Everything that the data need from the network. The later steps work without one."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from resnet_sizes.data.checksums import mismatch
from resnet_sizes.data.download import DownloadFailed, download
from resnet_sizes.records.errors import UserError
from resnet_sizes.records.study import Study

OFFLINE_COMMAND = "snakemake --cores all --resources gpu=1 --configfile config/offline.yaml"

_log = logging.getLogger(__name__)


def fetch(study: Study) -> Path | None:
    """Make sure that the study's source of images lies on this machine, whole.

    Returns the archive or folder, or None for a source that comes with a library. For
    `cifar10` that is `dataset.path` if it is set, otherwise the archive in `downloads.folder`,
    downloaded if need be: from the mirrors in their order, then from the origin. Only a file
    with the right size and MD5 gets its final name. Safe to call from two processes at once.
    Raises UserError.
    """
    if study.dataset.source != "cifar10" or study.dataset.path is not None:
        return local_source(study)
    target = _download_target(study)
    if target.is_file() and mismatch(target, study.downloads.cifar10) is None:
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _only_one_process(target):
            return _fetch_cifar10(study, target)
    except OSError as error:
        raise UserError(
            f"{target}: cannot be written ({error.strerror or error}). Make room or "
            "permit it, or set downloads.folder to another folder."
        ) from error


def local_source(study: Study) -> Path | None:
    """As `fetch`, without any network: a missing or damaged file is a UserError."""
    dataset = study.dataset
    if dataset.source == "digits":
        return None
    if dataset.source == "image-folder":
        return _image_folder(Path(dataset.path or ""))
    if dataset.path is not None:
        return _own_copy(Path(dataset.path), study)
    target = _download_target(study)
    remedy = f"Run: resnet-sizes fetch results/{study.name}/study.json"
    if not target.is_file():
        raise UserError(f"{target}: no such file. {remedy}")
    problem = mismatch(target, study.downloads.cifar10)
    if problem:
        raise UserError(f"{target}: is damaged: {problem}. {remedy}")
    return target


def _image_folder(path: Path) -> Path:
    if not path.exists():
        raise UserError(
            f"dataset.path: {path} does not exist (seen from {Path.cwd()}). Put a folder, zip or "
            "tar archive with train/<class>/… and test/<class>/… there, or change dataset.path."
        )
    return path


def _own_copy(path: Path, study: Study) -> Path:
    expected = study.downloads.cifar10
    remedy = (
        f"Put {expected.file} ({expected.bytes} bytes, MD5 {expected.md5}) there, "
        "or set dataset.path to null to have it downloaded."
    )
    if not path.is_file():
        found = "is a folder" if path.is_dir() else f"does not exist (seen from {Path.cwd()})"
        raise UserError(f"dataset.path: {path} {found}. {remedy}")
    problem = mismatch(path, expected)
    if problem:
        raise UserError(
            f"dataset.path: {path} is not the official CIFAR-10 archive: {problem}. {remedy}"
        )
    return path


def _download_target(study: Study) -> Path:
    return Path(study.downloads.folder) / study.downloads.cifar10.file


@contextmanager
def _only_one_process(target: Path) -> Iterator[None]:
    lock = FileLock(target.with_name(f".{target.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _log.info("%s: another process is fetching it; waiting.", target)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _fetch_cifar10(study: Study, target: Path) -> Path:
    expected = study.downloads.cifar10
    failures: list[str] = []
    if target.is_file():  # perhaps the process that held the lock has just brought it
        problem = mismatch(target, expected)
        if problem is None:
            return target
        failures.append(f"{target}: is there, but is not the archive: {problem}")
        _log.info("%s", failures[-1])
    partial = target.with_name(f"{target.name}.part")
    for address in [*expected.mirrors, expected.origin]:
        _log.info("Fetching %s", address)
        reason = _try(address, partial, study)
        if reason is None:
            _publish(partial, target)
            return target
        failures.append(f"{address}: {reason}")
        _log.info("%s", failures[-1])
    raise UserError(_nothing_worked(failures, target, study))


def _try(address: str, partial: Path, study: Study) -> str | None:
    """Why `address` did not give the archive; None if `partial` now is the archive."""
    expected = study.downloads.cifar10
    continues = partial.is_file() and 0 < partial.stat().st_size < expected.bytes
    if not continues:
        partial.unlink(missing_ok=True)
    try:
        download(address, partial, expected.bytes, study.downloads.timeout)
    except DownloadFailed as failure:
        if partial.stat().st_size == 0:
            partial.unlink()
        return str(failure)
    problem = mismatch(partial, expected)
    if problem is None:
        return None
    partial.unlink()
    if continues:  # the bytes that were already there may be the wrong ones
        return _try(address, partial, study)
    return f"sent {problem}"


def _publish(partial: Path, target: Path) -> None:
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(target)


def _nothing_worked(failures: list[str], target: Path, study: Study) -> str:
    expected = study.downloads.cifar10
    return "\n".join(
        [
            "CIFAR-10 could not be fetched:",
            *(f"  {failure}" for failure in failures),
            "Do one of these, then run the same command again:",
            f"  - put {expected.file} ({expected.bytes} bytes, MD5 {expected.md5}) here by hand: "
            f"{target.absolute()}",
            "  - set dataset.path to a copy of that archive on this machine",
            "  - or take the study that needs no network:",
            f"    {OFFLINE_COMMAND}",
        ]
    )
