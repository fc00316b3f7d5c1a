"""An HTTP server on this machine that misbehaves on demand."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """How a path is answered. `sent` bytes of `content` are sent although all are announced;
    `delay` and `stall` are seconds of silence before the answer and after these bytes; `drip` is
    the time between single bytes that follow them, and `reset` breaks the connection off."""

    content: bytes = b""
    status: int = 200
    sent: int | None = None
    delay: float = 0.0
    stall: float = 0.0
    drip: float = 0.0
    reset: bool = False
    ranges: bool = False
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class LocalServer:
    """A running server: paths → answers, and the requests that it got."""

    address: str
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Range header of each request."""

    def add(self, path: str, answer: Answer) -> str:
        """Answer `path` so; returns its address."""
        self.answers[path] = answer
        return self.address + path


@contextmanager
def serve() -> Iterator[LocalServer]:
    """Run a server on a free port of 127.0.0.1."""
    stop = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.daemon_threads = True
    local = LocalServer(f"http://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = _handler(local, stop.wait)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield local
    finally:
        stop.set()
        server.shutdown()
        thread.join()
        server.server_close()


def refused_address() -> str:
    """An address on which nothing listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return f"http://127.0.0.1:{server.server_address[1]}/archive.tar.gz"


def _handler(local: LocalServer, wait: Callable[[float], bool]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            local.requests.append((self.path, asked))
            answer = local.answers.get(self.path, Answer(b"no such page", 404))
            content, status = answer.content, answer.status
            if asked and answer.ranges:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                content, status = content[start:], 206 if start < len(content) else 416
                answer.headers["Content-Range"] = (
                    f"bytes {start}-{len(answer.content) - 1}/{len(answer.content)}"
                )
            wait(answer.delay)
            self.send_response(status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            # Announced, as the connection is closed below: a client that takes it for a living
            # one would send the next request (after a redirect) into a closing connection.
            self.send_header("Connection", "close")
            self.end_headers()
            with suppress(ConnectionError):  # who has had enough hangs up
                self.wfile.write(content[: answer.sent])
                self.wfile.flush()
                for byte in content[answer.sent :] if answer.drip else b"":
                    if wait(answer.drip):
                        break
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
            wait(answer.stall)
            if answer.reset:  # closing now sends a reset
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                self.connection.close()
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Tests read `requests` instead."""

    return Handler
