"""One download from one address, which continues where an earlier one was cut off."""

import re
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import requests
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3.exceptions import ReadTimeoutError

from resnet_sizes.io.messages import shown_text

_NOT_ENCRYPTED = "does not begin with https:// (downloads.allow_http is false)"
_CHUNK = 64 * 1024

CONNECT_TIMEOUT = 5.0
"""Seconds for a connection. Behind a firewall that answers nothing every address costs this
much, and a person is waiting to read where to put the file."""


class DownloadFailed(Exception):
    """The address did not deliver the whole file; the message gives the reason in a few words."""


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
    without a byte, at most CONNECT_TIMEOUT of them for the connection. One try, so a refused
    connection fails at once. Bytes that arrived before a failure stay in `partial` for the next
    address, unless it shows that they were wrong. Only `https://` addresses are asked, also after
    a redirect, unless `allow_http`. Raises DownloadFailed, and OSError if `partial` cannot be
    written.
    """
    with partial.open("ab") as file:
        part = _Part(file, size, most if size is None else size)
        if not _may_ask(url, allow_http):
            raise DownloadFailed(_NOT_ENCRYPTED)
        with requests.Session() as session:
            for scheme in ("https://", "http://"):
                session.mount(scheme, _Adapter(allow_http))
            with _network(part, timeout):
                response = session.get(
                    url,
                    headers=part.headers(),
                    timeout=(min(timeout, CONNECT_TIMEOUT), timeout),
                    stream=True,
                )
            with response:
                end = part.begin(response)
                with tqdm(
                    total=end,
                    initial=part.received,
                    desc=partial.stem,
                    unit="B",
                    unit_scale=True,
                    leave=False,
                    disable=not sys.stderr.isatty(),
                ) as bar:
                    for chunk in _body(response, part, timeout):
                        # Outside of `_network`: a full disk is no fault of the address.
                        part.write(chunk)
                        bar.update(len(chunk))


class _Adapter(HTTPAdapter):
    """Sends each request of a chain of redirects, only where that is allowed."""

    def __init__(self, allow_http: bool) -> None:
        super().__init__()
        self._allow_http = allow_http

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Called by requests for each address."""
        if not _may_ask(request.url or "", self._allow_http):
            raise DownloadFailed(f"leads to another address, which {_NOT_ENCRYPTED}")
        response = super().send(request, *args, **kwargs)
        if response.is_redirect:  # requests would read all of its body, however long
            response.raw.close()
        return response


class _Part:
    """The file that is written to, and what there may be of it."""

    def __init__(self, file: IO[bytes], size: int | None, most: int | None) -> None:
        self._file = file
        self._size = size
        self._most = most
        self.received = file.tell()

    def __str__(self) -> str:
        of = "" if self._size is None else f" of {self._size}"
        return f"{self.received}{of} bytes"

    def headers(self) -> dict[str, str]:
        """The request's headers."""
        # A compressed transfer of an archive saves nothing and would make the sizes differ.
        headers = {"Accept-Encoding": "identity"}
        if self.received:
            headers["Range"] = f"bytes={self.received}-"
        return headers

    def begin(self, response: requests.Response) -> int | None:
        """Prepare for the body of this answer. Returns its end in the file, where announced."""
        if response.status_code == 200:  # the whole file, whether or not we asked for a part
            self._start_over()
        elif response.status_code == 206:
            start = re.match(r"bytes ([0-9]{1,18})-", response.headers.get("Content-Range", ""))
            if start is None or int(start[1]) != self.received:
                raise DownloadFailed("continued at a different position than requested")
        elif response.status_code == 416 and self.received:
            # What is there is no beginning of the server's file.
            self._start_over()
            raise DownloadFailed("its file is shorter than what is already here")
        # Some servers label a .tar.gz as a gzip-encoded .tar; unpacking it on the way would
        # give a file other than the published one.
        response.raw.headers.pop("Content-Encoding", None)
        length = response.headers.get("Content-Length")
        if length is None or not response.ok:
            return None
        if re.fullmatch("[0-9]{1,18}", length) is None:
            raise DownloadFailed(f"announced an invalid length: {shown_text(length)}")
        return self.received + int(length)

    def write(self, chunk: bytes) -> None:
        """Append, but never more than the file can have."""
        if self._most is not None and self.received + len(chunk) > self._most:
            self._start_over()
            raise DownloadFailed(f"sent more than the {self._most} bytes of the file")
        self._file.write(chunk)
        self._file.flush()
        self.received += len(chunk)

    def _start_over(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self.received = 0


@contextmanager
def _network(part: _Part, timeout: float) -> Iterator[None]:
    """Turn whatever goes wrong with an address into DownloadFailed, so that the next is tried."""
    try:
        yield
    except DownloadFailed:
        raise
    except Exception as error:  # a bad answer makes the libraries raise nearly anything
        raise DownloadFailed(_reason(error, part, timeout)) from error


def _reason(error: Exception, part: _Part, timeout: float) -> str:
    """Why `error` was raised, without secrets, printable and short."""
    causes = list(_causes(error))

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if isinstance(error, requests.HTTPError) and error.response is not None:
        words = shown_text(error.response.reason or "")
        return f"HTTP {error.response.status_code} {words}".rstrip()
    if caused_by(ConnectionRefusedError):
        return "connection refused"
    if caused_by(socket.gaierror):
        return "the host name is not known (no network?)"
    if caused_by(ssl.SSLError):
        return f"no trusted connection ({shown_text(str(error))})"
    if caused_by(requests.ConnectTimeout):
        return f"time-out: no connection within {min(timeout, CONNECT_TIMEOUT):g} s"
    if caused_by(requests.ReadTimeout, ReadTimeoutError, TimeoutError):
        return f"time-out: silent for {timeout:g} s after {part}"
    if caused_by(ConnectionResetError):
        return f"connection reset after {part}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"cut short after {part}"
    return f"{type(error).__name__}: {shown_text(str(error))}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    # requests and urllib3 wrap the system's error several times.
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _body(response: requests.Response, part: _Part, timeout: float) -> Iterator[bytes]:
    with _network(part, timeout):
        response.raise_for_status()
        yield from response.iter_content(_CHUNK)


def _may_ask(url: str, allow_http: bool) -> bool:
    """Whether the address is encrypted, or need not be."""
    return allow_http or url.lower().startswith("https://")
