"""One download from one address, which continues where an earlier one was cut off."""

import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin

import pooch
import requests

from resnet_sizes.data.safe_names import shown
from resnet_sizes.records.addresses import without_secrets

_CHUNK = 64 * 1024
_NOT_ENCRYPTED = "does not begin with https:// (downloads.allow_http is false)"

SLOWEST = 60.0
"""Seconds that a chunk may take. An address that drips would never be silent for long, and a whole
archive would take days."""

CONNECT_TIMEOUT = 5.0
"""Seconds for a connection. Behind a firewall that answers nothing every address costs this
much, and a person is waiting to be told where to put the file."""


class DownloadFailed(Exception):
    """The address gave no whole file; the message is the reason, in a few words."""


def download(
    url: str,
    partial: Path,
    size: int | None,
    timeout: float,
    allow_http: bool = False,
    most: int | None = None,
) -> None:
    """Fetch `url` into `partial`, appending to what is there if the server can continue.

    `size` is the expected number of bytes, where it is known, and `most` a bound where it is not:
    a server that sends more is cut off. `timeout` is the number of seconds without an answer or
    without a byte, at most CONNECT_TIMEOUT of them for the connection; an address that drips is
    left after SLOWEST seconds. One try, so a refused connection fails at once.
    Bytes that arrived before a failure stay in `partial` for the next address, unless it shows
    that they were wrong. Only `https://` is asked, also where an answer leads elsewhere, unless
    `allow_http`. Raises DownloadFailed, and OSError if `partial` cannot be written.
    """
    with partial.open("ab") as file:
        sink = _Sink(file, most if size is None else size, allow_http)
        if not sink.may_ask(url):
            raise DownloadFailed(_NOT_ENCRYPTED)
        have = sink.received
        # A compressed transfer of an archive saves nothing and would make the sizes differ.
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        downloader = pooch.HTTPDownloader(
            progressbar=sys.stderr.isatty(),
            chunk_size=_CHUNK,
            timeout=(min(timeout, CONNECT_TIMEOUT), timeout),
            headers=headers,
            hooks={"response": sink.take_answer},
        )
        try:
            with sink.watched():
                downloader(url, sink, None)
        except requests.RequestException as error:
            reason = _reason(error, sink.received, size, timeout)
            if sink.was_too_slow:  # what the closed connection is taken for says nothing
                reason = f"too slow: less than {_CHUNK} bytes in {SLOWEST:g} s"
            raise DownloadFailed(reason) from error


class _Sink:
    """The file that pooch writes to."""

    def __init__(self, file: IO[bytes], most: int | None, allow_http: bool) -> None:
        self._file = file
        self._most = most
        self._allow_http = allow_http
        self.received = file.tell()
        self._moved = time.monotonic()
        self._response: requests.Response | None = None
        self.was_too_slow = False
        """Whether the connection was closed because it dripped."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Close the connection, from another thread, where a chunk takes too long."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(min(1.0, SLOWEST / 4)):
                if self._response is not None and time.monotonic() - self._moved > SLOWEST:
                    self.was_too_slow = True
                    with suppress(OSError, ValueError, AttributeError):  # old urllib3 has none
                        self._response.raw.shutdown()
                    return

        watcher = threading.Thread(target=watch, daemon=True, name="download")
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
            if self._response is not None:
                self._response.close()

    def may_ask(self, url: str) -> bool:
        """Whether the address is encrypted, or need not be."""
        return self._allow_http or url.lower().startswith("https://")

    def take_answer(self, response: requests.Response, *_: Any, **__: Any) -> None:
        """Called by requests with each answer, before its body is read."""
        self._response, self._moved = response, time.monotonic()
        if response.is_redirect and not self.may_ask(
            urljoin(response.url, response.headers["Location"])
        ):
            raise DownloadFailed(f"leads to another address, which {_NOT_ENCRYPTED}")
        if response.status_code == 200:  # the whole file, whether or not we asked for a part
            self._start_over()
        elif response.status_code == 206:
            start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
            if start is None or int(start[1]) != self.received:
                raise DownloadFailed("continued at another place than asked for")
        elif (
            response.status_code == 416 and self.received
        ):  # what is there is no beginning of the server's file
            self._start_over()
            raise DownloadFailed("its file ends before the bytes that are here already")
        # Some servers label a .tar.gz as a gzip-encoded .tar; unpacking it on the way would
        # give a file other than the published one.
        response.raw.headers.pop("Content-Encoding", None)

    def write(self, chunk: bytes) -> None:
        """Append, but never more than the file can have."""
        if self._most is not None and self.received + len(chunk) > self._most:
            self._start_over()
            raise DownloadFailed(f"sent more than the {self._most} bytes of the file")
        self._file.write(chunk)
        self.received += len(chunk)
        self._moved = time.monotonic()

    def flush(self) -> None:
        """As pooch wants it after each chunk."""
        self._file.flush()

    def _start_over(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self.received = 0


def _reason(error: requests.RequestException, have: int, size: int | None, timeout: float) -> str:
    arrived = f"{have} bytes" if size is None else f"{have} of {size} bytes"
    causes = list(_causes(error))
    names = {type(cause).__name__ for cause in causes}
    if isinstance(error, requests.HTTPError) and error.response is not None:
        reason = shown(error.response.reason or "")
        return f"HTTP {error.response.status_code} {reason}".rstrip()
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "connection refused"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "the host name is not known (no network?)"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return f"no trusted connection ({_message(error)})"
    if isinstance(error, requests.ConnectTimeout):
        return f"time-out: no connection within {min(timeout, CONNECT_TIMEOUT):g} s"
    if names & {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        return f"time-out: silent for {timeout:g} s after {arrived}"
    if "ConnectionResetError" in names:
        return f"connection reset after {arrived}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"cut short after {arrived}"
    return f"{type(error).__name__}: {_message(error)}"


def _message(error: requests.RequestException) -> str:
    return shown(without_secrets(str(error)))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    # requests and urllib3 wrap the system's error several times.
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
