"""Everything that the images need from the network, and how a published file gets here whole.

The later steps work without a network.
"""

import logging
import os
import socket
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from resnet_sizes.data.download import DownloadFailed, download
from resnet_sizes.data.official import TOP, batch_problems
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import explained_write
from resnet_sizes.io.hashes import file_hash
from resnet_sizes.io.locks import NoLocks, one_process
from resnet_sizes.io.messages import looked_in, run_command, without_secrets
from resnet_sizes.schemas.study.sources import Downloads
from resnet_sizes.schemas.study.study import Study

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PublishedFile:
    """A file that others publish, and how it is recognised."""

    target: Path
    """Where it belongs, inside `downloads.folder`."""
    addresses: tuple[str, ...]
    """Where it can be fetched, the first choice first."""
    digest: str
    """Its MD5, or the beginning of its SHA-256."""
    most: int
    """The most bytes it can have."""
    size: int | None = None
    """Its size in bytes, where that is published."""

    def mismatch(self, path: Path) -> str | None:
        """Why the file at `path` is not this one; None if it is.

        Size first: it tells a file that was cut short from another file.
        """
        size = path.stat().st_size
        if self.size not in (None, size):
            return f"{size} bytes instead of {self.size}"
        is_md5 = len(self.digest) == 32
        found = file_hash(path, "md5" if is_md5 else "sha256")[: len(self.digest)]
        if found == self.digest:
            return None
        return (
            f"{size} bytes with {'MD5' if is_md5 else 'SHA-256'} {found} instead of {self.digest}"
        )


def fetch_published(wanted: PublishedFile, downloads: Downloads) -> list[str]:
    """Make sure that the file lies at its target. Returns why it does not, empty if it does.

    A file that is there is verified, and replaced only by a right one. The addresses are tried
    in their order; a download that was cut off is continued, by the next address or in the next
    call. Only a verified file gets its final name. Safe to call from two processes at once, which
    fetch it twice on a file system without locks. Raises WriteError if the
    folder cannot be written.
    """
    target = wanted.target
    if target.is_file() and wanted.mismatch(target) is None:
        return []
    partial = target.with_name(f"{target.name}.part")
    with explained_write(target), ExitStack() as held:
        try:
            waiting = f"{target}: another process is fetching it; waiting."
            held.enter_context(one_process(target, waiting))
        except NoLocks as error:
            _log.warning(f"warning: {target}: cannot be locked ({error}); fetched again")
            # Two processes that write to one file would spoil it.
            own = f"{target.name}.{socket.gethostname()}-{os.getpid()}.part"
            partial = target.with_name(own)
            held.callback(partial.unlink, missing_ok=True)
        failures = []
        if target.is_file():  # perhaps the process that held the lock has just fetched it
            problem = wanted.mismatch(target)
            if problem is None:
                return []
            failures.append(f"{target}: is there, but is not the published file: {problem}")
            _log.info(failures[-1])
        for address in wanted.addresses:
            shown = without_secrets(address)
            _log.info(f"Fetching {shown}")
            reason = _try(address, partial, wanted, downloads)
            if reason is None:
                partial.replace(target)
                return []
            failures.append(f"{shown}: {reason}")
            _log.info(failures[-1])
        return failures


def _try(address: str, partial: Path, wanted: PublishedFile, downloads: Downloads) -> str | None:
    """Why `address` did not give the file; None if `partial` now is the file."""
    while True:
        have = partial.stat().st_size if partial.is_file() else 0
        if have and wanted.mismatch(partial) is None:  # whole, but never renamed
            return None
        try:
            download(address, partial, wanted.most, downloads.timeout, downloads.allow_http)
        except DownloadFailed as failure:
            reason = str(failure)
        else:
            problem = wanted.mismatch(partial)
            if problem is None:
                return None
            reason = f"sent {problem}"
            os.truncate(partial, 0)
        if partial.stat().st_size:  # can be continued
            return reason
        partial.unlink()
        if not have:
            return reason
        # The bytes that were already there may be the wrong ones: once more, from the beginning.


def not_fetched(what: str, failures: Iterable[str], remedies: Iterable[str]) -> UserError:
    """The error for what no address gave: why, and what can be done instead."""
    lines = (
        f"{what} could not be fetched:",
        *(f"  {line}" for line in failures),
        "Do one of these, then run the same command again:",
        *(f"  - {remedy}" for remedy in remedies),
        "  - or run the study that needs no network:",
        "    snakemake --cores all --resources gpu=1 --configfile config/offline.yaml",
    )
    return UserError("\n".join(lines))


def cifar10_archive(downloads: Downloads) -> PublishedFile:
    """The archive of CIFAR-10 that a study names under `downloads:`."""
    archive = downloads.cifar10
    return PublishedFile(
        target=Path(downloads.folder) / archive.file,
        addresses=(*archive.mirrors, archive.origin),
        digest=archive.md5,
        most=archive.bytes,
        size=archive.bytes,
    )


def fetch_images(study: Study) -> Path | None:
    """Make sure that the study's source of images lies on this machine, whole.

    Returns the archive or folder, or None for a source that comes with a library. For
    `cifar10` that is `dataset.path` if it is set, otherwise the archive in `downloads.folder`,
    downloaded if need be: from the mirrors in their order, then from the origin. Only a file
    with the right size and MD5 gets its final name. Safe to call from two processes at once.
    Raises UserError.
    """
    archive = cifar10_archive(study.downloads)
    is_published = study.dataset.source == "cifar10" and study.dataset.path is None
    fetched = not is_published or _unpacked(archive)
    if not fetched and (failures := fetch_published(archive, study.downloads)):
        remedies = (
            f"put {_described(archive)} here by hand: {archive.target.absolute()}",
            "set dataset.path to a copy of that archive on this machine",
        )
        raise not_fetched("CIFAR-10", failures, remedies)
    return local_source(study)


def local_source(study: Study) -> Path | None:
    """As `fetch_images`, without any network: a missing or damaged file is a UserError."""
    dataset, archive = study.dataset, cifar10_archive(study.downloads)
    if dataset.source == "digits":
        return None
    if dataset.own_code:
        return dataset.own_code[0]
    if dataset.path is not None:
        path = Path(dataset.path)
        wanted = "a folder, zip or tar archive with train/<class>/… and test/<class>/…"
        otherwise = "change dataset.path"
        problem = None if path.exists() else f"does not exist ({looked_in()})"
        if dataset.source == "cifar10":
            wanted, otherwise = _described(archive), "set dataset.path to null for a download"
            problem = problem or _own_copy_problem(path, archive)
        if problem:
            raise UserError(f"dataset.path: {path} {problem}. Put {wanted} there, or {otherwise}.")
        return path
    if unpacked := _unpacked(archive):
        return unpacked
    problem = "no such file"
    if archive.target.is_file():
        mismatch = archive.mismatch(archive.target)
        if mismatch is None:
            return archive.target
        problem = f"is damaged: {mismatch}"
    remedy = run_command(f"fetch results/{study.name}/study.json")
    raise UserError(f"{archive.target}: {problem}. {remedy}")


def _own_copy_problem(path: Path, archive: PublishedFile) -> str | None:
    problem = archive.mismatch(path) if path.is_file() else f"it is a folder without {TOP}"
    batches = batch_problems(path) if problem else []
    if batches == []:
        return None
    return f"is not the official CIFAR-10 archive: {'; '.join(batches or [str(problem)])}"


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
