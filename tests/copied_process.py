"""Commands in copies of this process as it was before its first test.

A new Python needs seconds to load torch, scipy and matplotlib; a copy has them. Nothing that tests
do to this process has happened in it: no thread was started, nothing was patched.
"""

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import traceback
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from resnet_sizes.cli.app import main

STREAMS = ("stdout", "stderr")


class Copies:
    """A process that waits for commands, and runs each in a copy of itself."""

    def __init__(self) -> None:
        self._socket, other = socket.socketpair()
        self._process = os.fork()
        if self._process == 0:
            self._socket.close()
            os.setpgid(0, 0)
            try:
                _serve(other)
            finally:
                os._exit(0)
        other.close()
        self._answers = self._socket.makefile("r")

    def run(
        self, arguments: list[str], folder: Path, script: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`resnet-sizes`, or a script, with these arguments in the folder."""
        self._socket.settimeout(300)
        with TemporaryDirectory() as said:
            request = {
                "arguments": arguments,
                "folder": str(folder),
                "environment": dict(os.environ),
                "said": said,
                "script": script and str(script),
            }
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            try:
                status = int(self._answers.readline())
            except TimeoutError:
                os.killpg(self._process, signal.SIGKILL)
                raise
            texts = [(Path(said) / name).read_text("utf-8") for name in STREAMS]
        return subprocess.CompletedProcess(arguments, status, *texts)

    def close(self) -> None:
        """End the process."""
        self._socket.shutdown(socket.SHUT_RDWR)
        os.waitpid(self._process, 0)


def _serve(requests: socket.socket) -> None:
    with requests.makefile("r") as lines:
        for line in lines:
            if (child := os.fork()) == 0:
                _run(**json.loads(line))
            _, status = os.waitpid(child, 0)
            requests.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _run(
    arguments: list[str], folder: str, environment: dict[str, str], said: str, script: str | None
) -> NoReturn:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in enumerate(STREAMS, start=1):
        os.dup2(os.open(Path(said) / name, os.O_CREAT | os.O_WRONLY | os.O_APPEND), number)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, buffering=1, encoding="utf-8", closefd=False)
        for number, mode in enumerate("rww")
    )
    warnings.simplefilter("default")
    sys.argv = [script or "resnet-sizes", *arguments]
    status: object = 0
    try:
        if script is None:
            main()
        else:
            sys.path.insert(0, str(Path(script).parent))
            runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        status = end.code or 0
        if isinstance(status, str):
            print(status, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 1)


_copies: Copies | None = None


def start() -> None:
    """Copy this process as it is now."""
    global _copies
    _copies = Copies()


def copied() -> Copies:
    """What runs commands in this test run."""
    assert _copies is not None, "tests/conftest.py starts it"
    return _copies


def close() -> None:
    """End what `start` has begun, if it has."""
    if _copies is not None:
        _copies.close()
