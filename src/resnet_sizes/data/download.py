"""One download from one address, which continues where an earlier one was cut off."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from tqdm import tqdm

from resnet_sizes.io.messages import shown_text

_PIECE = 64 * 1024

CONNECT_TIMEOUT = 5.0
"""Seconds for a connection. Behind a firewall that answers nothing every address costs this
much, and a person is waiting to read where to put the file."""


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
    with (
        partial.open("ab") as file,
        tqdm(
            desc=partial.stem,
            initial=file.tell(),
            unit="B",
            unit_scale=True,
            leave=False,
            disable=None,  # where it is no terminal
        ) as bar,
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
            session.hooks["response"].append(_drop_body)
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


def _drop_body(response: requests.Response, **_: Any) -> None:
    if response.is_redirect:  # requests would read all of its body, however long
        response.raw.close()


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
