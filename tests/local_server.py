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
    the time between pieces of `piece` bytes that follow them, and `reset` breaks the connection
    off. `head` is sent as it is, in place of a well-formed status and headers; it drips too."""

    content: bytes = b""
    status: int = 200
    sent: int | None = None
    delay: float = 0.0
    stall: float = 0.0
    drip: float = 0.0
    piece: int = 1
    head: bytes = b""
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
            with suppress(ConnectionError):  # who has had enough hangs up
                if answer.head:
                    self.send(answer.head, answer)
                else:
                    self.send_head(answer, status, len(content))
                self.wfile.write(content[: answer.sent])
                if answer.drip and not answer.head:
                    self.send(content[answer.sent :], answer)
            wait(answer.stall)
            if answer.reset:  # closing now sends a reset
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                self.connection.close()
            self.close_connection = True

        def send_head(self, answer: Answer, status: int, length: int) -> None:
            self.send_response(status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(length))
            # Announced, as the connection is closed below: a client that takes it for a living
            # one would send the next request (after a redirect) into a closing connection.
            self.send_header("Connection", "close")
            self.end_headers()

        def send(self, content: bytes, answer: Answer) -> None:
            step = answer.piece if answer.drip else len(content)
            for start in range(0, len(content), step):
                if wait(answer.drip):
                    break
                self.wfile.write(content[start : start + step])
                self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Tests read `requests` instead."""

    return Handler
