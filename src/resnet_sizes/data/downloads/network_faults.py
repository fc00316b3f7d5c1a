"""What went wrong between here and an address, in a few words."""

import socket
import ssl
from collections.abc import Iterator

import requests

from resnet_sizes.data.archives.safe_names import shown
from resnet_sizes.io.messages import without_secrets

_LONGEST = 4000
"""Characters of a library's message that are looked at: it may quote what a server sent, and to
look for addresses in that takes half a minute."""


def reason(error: Exception, arrived: str, connecting: float, timeout: float) -> str:
    """Why `error` was raised, without secrets, printable and short.

    `arrived` says how much of the file is here; `connecting` and `timeout` are the seconds that
    were waited for a connection and for a byte.
    """
    causes = list(_causes(error))
    names = {type(cause).__name__ for cause in causes}
    if isinstance(error, requests.HTTPError) and error.response is not None:
        words = shown(error.response.reason or "")
        return f"HTTP {error.response.status_code} {words}".rstrip()
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "connection refused"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "the host name is not known (no network?)"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return f"no trusted connection ({_message(error)})"
    if isinstance(error, requests.ConnectTimeout):
        return f"time-out: no connection within {connecting:g} s"
    if names & {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        return f"time-out: silent for {timeout:g} s after {arrived}"
    if "ConnectionResetError" in names:
        return f"connection reset after {arrived}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"cut short after {arrived}"
    return f"{type(error).__name__}: {_message(error)}"


def _message(error: Exception) -> str:
    told = str(error)
    if len(told) > _LONGEST:  # not through an address, whose password could then not be told
        told = told[:_LONGEST].rsplit("//", 1)[0]
    return shown(without_secrets(told))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    # requests and urllib3 wrap the system's error several times.
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
