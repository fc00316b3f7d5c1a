"""Everything that the images need from the network, and how a published file gets here whole.

The later steps work without a network.
"""

import logging
import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from resnet_sizes.data.download import DownloadFailed, download
from resnet_sizes.data.official import TOP, batch_problems
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.hashes import file_hash
from resnet_sizes.io.locks import NoLocks, one_process
from resnet_sizes.io.messages import run_command, without_secrets
from resnet_sizes.schemas.study.sources import Downloads
from resnet_sizes.schemas.study.study import Study

_log = logging.getLogger(__name__)

OFFLINE_COMMAND = "snakemake --cores all --resources gpu=1 --configfile config/offline.yaml"


@dataclass(frozen=True)
class PublishedFile:
    """A file that others publish, and how it is recognised."""

    what: str
    """Its name in messages, as `the archive`."""
    target: Path
    """Where it belongs, inside `downloads.folder`."""
    addresses: tuple[str, ...]
    """Where it can be fetched, the first choice first."""
    algorithm: Literal["md5", "sha256"]
    digest: str
    """The beginning of its hash, or all of it."""
    size: int | None
    """Its size in bytes, where that is published."""
    most: int
    """The most bytes it can have."""
    timeout: float
    """Seconds without an answer or a byte after which an address is left."""
    allow_http: bool
    """Whether addresses need not begin with `https://`."""

    def mismatch(self, path: Path) -> str | None:
        """Why the file at `path` is not this one; None if it is.

        Size first: it tells a file that was cut short from another file.
        """
        found_size = path.stat().st_size
        if self.size is not None and found_size != self.size:
            return f"{found_size} bytes instead of {self.size}"
        found, digest = file_hash(path, self.algorithm), self.digest
        if found.startswith(digest):
            return None
        if self.algorithm == "md5":
            return f"MD5 {found} instead of {digest}"
        return f"{found_size} bytes with SHA-256 {found[: len(digest)]}… instead of {digest}…"


def fetch_published(wanted: PublishedFile) -> list[str]:
    """Make sure that the file lies at its target. Returns why it does not, empty if it does.

    A file that is there is verified, and replaced only by a right one. The addresses are tried
    in their order; a download that was cut off is continued, by the next address or in the next
    call. Only a verified file gets its final name. Safe to call from two processes at once, which
    fetch it twice on a file system without locks. Raises UserError if the
    folder cannot be written.
    """
    target = wanted.target
    if target.is_file() and wanted.mismatch(target) is None:
        return []
    partial = target.with_name(f"{target.name}.part")
    try:
        with ExitStack() as held:
            try:
                waiting = f"{target}: another process is fetching it; waiting."
                held.enter_context(one_process(target, waiting))
            except NoLocks as error:
                _log.warning("warning: %s: cannot be locked (%s); fetched again", target, error)
                # Two processes that write to one file would spoil it.
                own = f"{target.name}.{socket.gethostname()}-{os.getpid()}.part"
                partial = target.with_name(own)
                held.callback(partial.unlink, missing_ok=True)
            return _fetch_to(partial, wanted)
    except OSError as error:
        raise UserError(
            f"{target}: cannot be written ({error.strerror or error}). Free some space "
            "or fix the permissions, or set downloads.folder to another folder."
        ) from error


def _fetch_to(partial: Path, wanted: PublishedFile) -> list[str]:
    target = wanted.target
    failures: list[str] = []
    if target.is_file():  # perhaps the process that held the lock has just fetched it
        problem = wanted.mismatch(target)
        if problem is None:
            return []
        failures.append(f"{target}: is there, but is not {wanted.what}: {problem}")
        _log.info("%s", failures[-1])
    for address in wanted.addresses:
        _log.info("Fetching %s", without_secrets(address))
        reason = _try(address, partial, wanted)
        if reason is None:
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            partial.replace(target)
            return []
        failures.append(f"{without_secrets(address)}: {reason}")
        _log.info("%s", failures[-1])
    return failures


def _try(address: str, partial: Path, wanted: PublishedFile) -> str | None:
    """Why `address` did not give the file; None if `partial` now is the file."""
    have = partial.stat().st_size if partial.is_file() else 0
    if have and wanted.mismatch(partial) is None:  # whole, but never renamed
        return None
    continues = have > 0 and (wanted.size is None or have < wanted.size)
    if not continues:
        partial.unlink(missing_ok=True)
    try:
        download(address, partial, wanted.size, wanted.timeout, wanted.allow_http, wanted.most)
    except DownloadFailed as failure:
        if partial.stat().st_size > 0:
            return str(failure)
        partial.unlink()
        if not continues:
            return str(failure)
    else:
        problem = wanted.mismatch(partial)
        if problem is None:
            return None
        partial.unlink()
        if not continues:
            return f"sent {problem}"
    # The bytes that were already there may be the wrong ones.
    return _try(address, partial, wanted)


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
    if unpacked := _unpacked(archive):
        return unpacked
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
    if unpacked := _unpacked(archive):
        return unpacked
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
    if not path.exists():
        raise UserError(f"dataset.path: {path} does not exist (looked in {Path.cwd()}). {remedy}")
    problem = archive.mismatch(path) if path.is_file() else f"it is a folder without {TOP}"
    batches = batch_problems(path) if problem else []
    if batches == []:
        return path
    raise UserError(
        f"dataset.path: {path} is not the official CIFAR-10 archive: "
        f"{'; '.join(batches or [str(problem)])}. {remedy}"
    )


def _unpacked(archive: PublishedFile) -> Path | None:
    """What somebody has unpacked where the archive belongs, if that is all there is of it."""
    folder = archive.target.with_name(TOP)
    is_whole = not archive.target.exists() and folder.is_dir() and batch_problems(folder) == []
    return folder if is_whole else None


def is_official(path: Path) -> bool:
    """Whether this is the published archive, or holds its published batches."""
    published = cifar10_archive(Downloads())
    return (path.is_file() and published.mismatch(path) is None) or batch_problems(path) == []


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
