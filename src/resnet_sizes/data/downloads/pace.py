"""How long an address may take, and the watch that closes the connection of a slower one."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests

CHUNK = 64 * 1024

SLOWEST = 60.0
"""Seconds that a chunk may take. An address that drips would never be silent for long, and a whole
archive would take days."""

SLOWEST_AVERAGE = 4096
"""Bytes a second that an address has to reach on average, once SLOWEST seconds have passed. With a
chunk in each SLOWEST seconds CIFAR-10 would take two days; so it takes half a day at most. A modem
and a mobile line that is throttled to 64 kbit/s are faster, and on a line that is not, nothing is
lost: the next address and the next call continue."""

TIMEOUTS_TO_ANSWER = 3
"""Time-outs that the way to the file may take, redirects and all headers included. A time-out is
the time without any byte, which headers that drip, or `100 Continue` again and again, never reach.
One may pass before the connection and one before the answer; the third is for redirects."""


class Pace:
    """What one try has to reach by when."""

    def __init__(self, timeout: float) -> None:
        self.too_slow: str | None = None
        """Why the connection was closed, if it was."""
        self.connections: list[Any] = []
        """urllib3's, to be closed then: one for each host that answers led to."""
        self._response: requests.Response | None = None
        self._began = time.monotonic()
        self._arrived = 0
        within = TIMEOUTS_TO_ANSWER * timeout
        self._due = (self._began + within, f"no whole answer within {within:g} s")

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Close the connection, from another thread, where the address is too slow."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(min(1.0, SLOWEST / 4)):
                due, reason = self._due
                if self.too_slow or time.monotonic() > due:
                    self.too_slow = self.too_slow or f"too slow: {reason}"
                    # Each time again: a handshake cannot be cut off, what follows it can.
                    self._close()

        watcher = threading.Thread(target=watch, daemon=True, name="download")
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()

    def answered(self, response: requests.Response) -> None:
        """The file is about to be read from this answer."""
        self._response, self._began = response, time.monotonic()
        self.arrived(0)

    def arrived(self, count: int) -> None:
        """So many more bytes of the file are here."""
        self._arrived += count
        average = self._began + SLOWEST + self._arrived / SLOWEST_AVERAGE
        self._due = min(
            (time.monotonic() + SLOWEST, f"less than {CHUNK} bytes in {SLOWEST:g} s"),
            (average, f"less than {SLOWEST_AVERAGE} bytes a second on average"),
        )

    def _close(self) -> None:
        # Whichever has the socket: a connection until the headers are here, then the answer.
        for connection in list(self.connections):
            with suppress(OSError, TypeError):  # none, or none any more
                # Not the method of an encrypted socket, which would read on without decrypting.
                socket.socket.shutdown(connection.sock, socket.SHUT_RD)
        with suppress(OSError, ValueError, RuntimeError, AttributeError):  # old urllib3 has none
            if self._response is not None:
                self._response.raw.shutdown()
