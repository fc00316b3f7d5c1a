"""`resnet-sizes` in copies of one process that has loaded the libraries: a job's own work is short.

    python warm_commands.py SOCKET

A small program of the same name, put first on the PATH, hands its arguments, working directory,
environment and streams over the socket and ends as the copy ends. Libraries and package are loaded
with the first command; where a project's sources are not those, its copy loads them. Signals do not
reach the copy: what is to be interrupted or killed is started without this. The process ends when
its socket is removed.
"""

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from pkgutil import iter_modules
from typing import NoReturn

from preloaded import PACKAGE, SOURCE, load, work_in

sys.path.append(str(Path(__file__).parents[1]))

from saved_time import measure_briefly, remember_hashes

LIBRARIES = (
    "torch", "torchvision.models", "scipy.stats", "pandas", "matplotlib.backends.backend_svg",
    "sklearn.datasets", "pydantic", "typer", "rich.progress", "lxml.html", "pypdf", "jinja2",
    "babel.numbers", "PIL.Image", "safetensors.torch", "adjustText",
)  # fmt: skip

IDLE = 900.0
"""Seconds without a command after which the process ends."""

PROGRAM = """\
#!{python} -IS
import json, os, socket, sys

with socket.socket(socket.AF_UNIX) as server:
    server.connect({socket!r})
    request = {{"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}}
    text = json.dumps(request).encode()
    socket.send_fds(server, [b"%12d" % len(text)], [0, 1, 2])
    server.sendall(text)
    sys.exit(int(server.recv(12)))
"""


def program(socket_path: Path) -> str:
    """The text of the small program."""
    return PROGRAM.format(python=sys.executable, socket=str(socket_path))


def modules(package: str = PACKAGE) -> Iterator[str]:
    """The names of all modules of the package."""
    for module in iter_modules([str(SOURCE / package.replace(".", "/"))], f"{package}."):
        if module.ispkg:
            yield from modules(module.name)
        elif not module.name.endswith("__main__"):
            yield module.name


def run(arguments: list[str], folder: str, environment: dict[str, str]) -> NoReturn:
    """The command, as a new process runs it."""
    work_in(folder, environment)
    sys.argv = ["resnet-sizes", *arguments]
    remember_hashes(environment)
    if "train" in arguments:
        measure_briefly()

    from resnet_sizes.cli.app import main

    main()
    sys.exit()


def answer(connection: socket.socket) -> None:
    """Run the command that a connection asks for, in a copy, and send its exit status."""
    size, streams, _, _ = socket.recv_fds(connection, 12, 3)
    with connection.makefile("rb") as request:
        command = json.loads(request.read(int(size)))
    if (child := os.fork()) == 0:
        connection.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        # Those of before remember a file in which one can seek.
        sys.stdout, sys.stderr = (
            os.fdopen(number, "w", buffering=1, encoding="utf-8", closefd=False)
            for number in (1, 2)
        )
        run(**command)
    for stream in streams:
        os.close(stream)
    _, status = os.waitpid(child, 0)
    connection.sendall(b"%d" % (os.waitstatus_to_exitcode(status) % 256))


def serve(path: Path) -> None:
    """Answer each connection in a copy of this process, several at a time."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        listening.settimeout(1)
        if os.fork():  # whoever started this need not wait for its end
            os._exit(0)
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # nobody waits for the end of what it says
        last = time.monotonic()
        # A test run that was killed leaves its folder.
        while path.exists() and time.monotonic() - last < IDLE:
            with suppress(ChildProcessError):
                os.waitpid(-1, os.WNOHANG)
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            load([*LIBRARIES, *modules()])
            last = time.monotonic()
            if os.fork() == 0:
                listening.close()
                answer(connection)
                os._exit(0)
            connection.close()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
