"""One download from one address, which continues where an earlier one was cut off."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import requests
from requests.adapters import HTTPAdapter
from tqdm import tqdm

from resnet_sizes.data.archives.safe_names import shown
from resnet_sizes.data.downloads.network_faults import reason
from resnet_sizes.data.downloads.pace import CHUNK, Pace

_NOT_ENCRYPTED = "does not begin with https:// (downloads.allow_http is false)"

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
    without a byte, at most CONNECT_TIMEOUT of them for the connection; an address that keeps less
    than the pace of `Pace` is left. One try, so a refused connection fails at once.
    Bytes that arrived before a failure stay in `partial` for the next address, unless it shows
    that they were wrong. Only `https://` is asked, also where an answer leads elsewhere, unless
    `allow_http`. Raises DownloadFailed, and OSError if `partial` cannot be written.
    """
    with partial.open("ab") as file:
        part = _Part(file, size, most if size is None else size)
        if not _may_ask(url, allow_http):
            raise DownloadFailed(_NOT_ENCRYPTED)
        pace = Pace(timeout)
        with pace.watched(), requests.Session() as session:
            for scheme in ("https://", "http://"):
                session.mount(scheme, _Adapter(pace, allow_http))
            with _network(part, pace, timeout):
                response = session.get(
                    url,
                    headers=part.headers(),
                    timeout=(min(timeout, CONNECT_TIMEOUT), timeout),
                    stream=True,
                )
            with response:
                end = part.begin(response)
                pace.answered(response)
                # Outside of the network's faults: a full disk is none.
                with _bar(partial.stem, part.received, end) as bar:
                    for chunk in _body(response, part, pace, timeout):
                        part.write(chunk)
                        pace.arrived(len(chunk))
                        bar.update(len(chunk))


class _Adapter(HTTPAdapter):
    """Asks one address after another, as answers lead on: only where that is allowed, and where
    `pace` can close the connection."""

    def __init__(self, pace: Pace, allow_http: bool) -> None:
        super().__init__()
        self._pace = pace
        self._allow_http = allow_http

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Called by requests for each address."""
        if not _may_ask(request.url or "", self._allow_http):
            raise DownloadFailed(f"leads to another address, which {_NOT_ENCRYPTED}")
        response = super().send(request, *args, **kwargs)
        if self._pace.too_slow:  # headers that were cut off look like whole ones
            raise DownloadFailed(self._pace.too_slow)
        if response.is_redirect:  # requests would read all of its body, however long
            response.raw.close()
        return response

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """Called by `send` for the connections to a host."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        kind = type(pool).ConnectionCls

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._pace.connections.append(kind(*args, **kwargs))
            return self._pace.connections[-1]

        pool.ConnectionCls = watched
        return pool


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
        """What to ask with."""
        # A compressed transfer of an archive saves nothing and would make the sizes differ.
        headers = {"Accept-Encoding": "identity"}
        if self.received:
            headers["Range"] = f"bytes={self.received}-"
        return headers

    def begin(self, response: requests.Response) -> int | None:
        """Make ready for the body of this answer; returns where it will end, if that is told."""
        if response.status_code == 200:  # the whole file, whether or not we asked for a part
            self._start_over()
        elif response.status_code == 206:
            start = re.match(r"bytes ([0-9]{1,18})-", response.headers.get("Content-Range", ""))
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
        length = response.headers.get("Content-Length")
        if length is None or not response.ok:
            return None
        if re.fullmatch("[0-9]{1,18}", length) is None:
            raise DownloadFailed(f"announced a length that is none: {shown(length)}")
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
def _network(part: _Part, pace: Pace, timeout: float) -> Iterator[None]:
    """Whatever goes wrong with an address is a DownloadFailed, so that the next one is asked."""
    try:
        yield
    except DownloadFailed:
        raise
    except Exception as error:  # a bad answer makes the libraries raise nearly anything
        connecting = min(timeout, CONNECT_TIMEOUT)
        # What a closed connection is taken for says nothing.
        told = pace.too_slow or reason(error, str(part), connecting, timeout)
        raise DownloadFailed(told) from error
    if pace.too_slow:  # a connection that was closed can look like the end of the file
        raise DownloadFailed(pace.too_slow)


def _body(response: requests.Response, part: _Part, pace: Pace, timeout: float) -> Iterator[bytes]:
    with _network(part, pace, timeout):
        response.raise_for_status()
        yield from response.iter_content(CHUNK)


def _bar(name: str, received: int, end: int | None) -> "tqdm[Any]":
    return tqdm(
        total=end,
        initial=received,
        desc=name,
        unit="B",
        unit_scale=True,
        leave=False,
        disable=not sys.stderr.isatty(),
    )


def _may_ask(url: str, allow_http: bool) -> bool:
    """Whether the address is encrypted, or need not be."""
    return allow_http or url.lower().startswith("https://")
