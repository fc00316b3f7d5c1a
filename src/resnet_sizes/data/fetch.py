"""Everything that the images need from the network, and how a published file gets here whole.

The later steps work without a network.
"""

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from tqdm import tqdm

from resnet_sizes.data.official import TOP, has_official_batches
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import explained_write
from resnet_sizes.io.hashes import file_hash
from resnet_sizes.io.locks import one_process
from resnet_sizes.io.messages import looked_in, run_command, shown_text, without_secrets
from resnet_sizes.schemas.study.sources import Downloads
from resnet_sizes.schemas.study.study import Study

_log = logging.getLogger(__name__)

_PIECE = 64 * 1024

CONNECT_TIMEOUT = 5.0
"""Seconds for a connection. Behind a firewall that answers nothing every address costs this
much, and a person is waiting to read where to put the file."""


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
    call. Only a verified file gets its final name. Safe to call from two processes at once. Raises
    WriteError if the folder cannot be written.
    """
    target = wanted.target
    if target.is_file() and wanted.mismatch(target) is None:
        return []
    partial = target.with_name(f"{target.name}.part")
    waiting = f"{target}: another process is fetching it; waiting."
    with explained_write(target), one_process(target, waiting):
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


class DownloadFailed(Exception):
    """The address did not deliver the whole file; the message gives the reason in a few words."""


def download(url: str, partial: Path, most: int, timeout: float, allow_http: bool = False) -> None:
    """Fetch `url` into `partial`, appending to what is there if the server can continue.

    A server that sends more than `most` bytes is cut off. `timeout` is the number of seconds
    without an answer or without a byte, at most CONNECT_TIMEOUT of them for the connection. One
    try, so a refused connection fails at once. Bytes that arrived before a failure stay in
    `partial` for the next address, unless it shows that they were wrong. Only `https://` addresses
    are asked, also after a redirect, unless `allow_http`. Raises DownloadFailed, and OSError if
    `partial` cannot be written.
    """
    on_terminal: Any = {"unit": "B", "unit_scale": True, "leave": False, "disable": None}
    with (
        partial.open("ab") as file,
        tqdm(desc=partial.stem, initial=file.tell(), **on_terminal) as bar,
    ):
        for place, piece in _pieces(url, file.tell(), timeout, allow_http):
            if place < file.tell():
                file.truncate(0)
            if place + len(piece) > most:
                file.truncate(0)
                raise DownloadFailed(f"sent more than the {most} bytes of the file")
            file.write(piece)
            bar.update(len(piece))
        file.flush()
        os.fsync(file.fileno())


def _pieces(url: str, have: int, timeout: float, allow_http: bool) -> Iterator[tuple[int, bytes]]:
    """Pieces of the file, each with its place in it; the first is at `have`, or at 0 where the
    server starts over. Whatever goes wrong with an address is DownloadFailed, so that the next is
    tried."""
    # A compressed transfer of an archive saves nothing and would make the sizes differ.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        with requests.Session() as session:
            if not allow_http:
                del session.adapters["http://"]
            waits = min(timeout, CONNECT_TIMEOUT), timeout
            with session.get(url, headers=headers, timeout=waits, stream=True) as response:
                if have and response.status_code == 416:
                    yield 0, b""  # what is there is no beginning of the server's file
                response.raise_for_status()
                place = have if response.status_code == 206 else 0
                begins = response.headers.get("Content-Range", "")
                if response.status_code == 206 and not begins.startswith(f"bytes {have}-"):
                    raise DownloadFailed("continued at a different position than requested")
                # Undecoded: some servers label a .tar.gz as a gzip-encoded .tar.
                for piece in response.raw.stream(_PIECE, decode_content=False):
                    yield place, piece
                    place += len(piece)
    except DownloadFailed:
        raise
    except Exception as error:  # a bad answer makes the libraries raise nearly anything
        raise DownloadFailed(_reason(error)) from error


def _reason(error: BaseException) -> str:
    """Why `error` was raised, in the words of the system or the library: without secrets, printable
    and short."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        words = shown_text(error.response.reason or "")
        return f"HTTP {error.response.status_code} {words}".rstrip()
    if isinstance(error, requests.exceptions.InvalidSchema):
        return "is no address to ask; allowed: https://, and http:// with downloads.allow_http"
    # requests and urllib3 wrap the system's error several times.
    while cause := error.__cause__ or error.__context__:
        error = cause
    words = getattr(error, "strerror", None) or str(error)
    return f"{type(error).__name__}: {shown_text(words)}"


def not_fetched(what: str, failures: Iterable[str], remedies: Iterable[str]) -> UserError:
    """The error for what no address gave: why, and what can be done instead."""
    lines = (
        f"{what} could not be fetched:",
        *(f"  {line}" for line in failures),
        "Do one of these, then run the same command again:",
        *(f"  - {remedy}" for remedy in remedies),
        "  - or run the demonstration, which needs no network:",
        "    snakemake --cores all --resources gpu=1 --configfile config/demo.yaml",
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
    problem = (
        archive.mismatch(path) if path.is_file() else f"it is a folder without the published {TOP}"
    )
    if problem is None or has_official_batches(path):
        return None
    return f"is not the official CIFAR-10 archive, nor its batches: {problem}"


def _unpacked(archive: PublishedFile) -> Path | None:
    """What somebody has unpacked where the archive belongs, if that is all there is of it."""
    folder = archive.target.with_name(TOP)
    is_whole = not archive.target.exists() and folder.is_dir() and has_official_batches(folder)
    return folder if is_whole else None


def is_official(path: Path) -> bool:
    """Whether this is the published archive, or holds its published batches."""
    published = cifar10_archive(Downloads())
    return (path.is_file() and published.mismatch(path) is None) or has_official_batches(path)


def _described(archive: PublishedFile) -> str:
    return f"{archive.target.name} ({archive.size} bytes, MD5 {archive.digest})"
