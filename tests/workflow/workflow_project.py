"""A copy of the project to run the workflow in, as a person would."""

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from filelock import FileLock
from warm_commands import program

from saved_time import SHARED

REPOSITORY = Path(__file__).resolve().parents[2]
COPIED = ["Snakefile", "workflow", "config", "articles", "report", "profiles", "src"]

# Small enough to train in seconds: the workflow is tested here, not the networks.
TINY = """\
name: tiny
demo: true
dataset: {source: digits, limit: {train: 100, test: 50}}
models: [resnet18, resnet34]
protocols: [scratch-32]
seeds: [0]
training: {epochs: 2, batch_size: 50, threads: 1}
"""


class SnakemakeServer:
    """Runs Snakemake in copies of a process that has loaded it."""

    def __init__(self) -> None:
        program = Path(__file__).with_name("snakemake_server.py")
        self._process = subprocess.Popen(
            [sys.executable, str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # The project's sources are imported by the copies, each its own.
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        )

    def run(
        self, arguments: list[str], folder: Path, environment: dict[str, str], output: Path
    ) -> int:
        """The exit status of `snakemake` with these arguments; `output` takes what it says."""
        assert self._process.stdin
        assert self._process.stdout
        command = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": environment,
            "output": str(output),
        }
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@cache
def _server() -> SnakemakeServer:
    server = SnakemakeServer()
    atexit.register(server.close)
    return server


@cache
def _warm_commands() -> Path:
    """A folder with a `resnet-sizes` that runs in a copy of a process with all libraries loaded.

    All workers of a test run share it, and the process ends with their folder.
    """
    folder = Path(os.environ[SHARED]) / "warm"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            folder.mkdir()
            socket = folder / "socket"
            subprocess.run(
                [sys.executable, Path(__file__).with_name("warm_commands.py"), socket],
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            )
            command = folder / "resnet-sizes"
            command.write_text(program(socket), encoding="utf-8")
            command.chmod(0o755)
    return folder


@dataclass(frozen=True)
class Project:
    """A folder with what a clone holds, and the commands run in it."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> "Project":
        folder.mkdir(parents=True)
        for name in COPIED:
            source = REPOSITORY / name
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, folder / name)
        (folder / "config" / "tiny.yaml").write_text(TINY)
        return cls(folder)

    def copy_to(self, folder: Path) -> "Project":
        """A copy with all times kept, so that Snakemake sees what it saw."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            # The copied sources go before the installed ones.
            "PYTHONPATH": str(self.folder / "src"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "OMP_NUM_THREADS": "1",
        }

    def start(self, *command: str, log: str) -> "subprocess.Popen[bytes]":
        """A command in a process group of its own, as a terminal has; `log` takes its output."""
        with (self.folder / log).open("wb") as output:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )
        if check and done.returncode != 0:
            pytest.fail(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
        return done

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`resnet-sizes`, in a copy of a process that has loaded the libraries."""
        return self.run(str(_warm_commands() / "resnet-sizes"), *arguments, check=check)

    def snakemake(
        self,
        *arguments: str,
        check: bool = True,
        options: tuple[str, ...] = ("--cores", "2", "--resources", "gpu=1"),
    ) -> subprocess.CompletedProcess[str]:
        """The command, in a copy of a process that has loaded Snakemake; its jobs likewise."""
        path = f"{_warm_commands()}{os.pathsep}{self.environment['PATH']}"
        command = [*options, *arguments]
        with TemporaryDirectory() as folder:
            output = Path(folder) / "output.txt"
            environment = self.environment | {"PATH": path}
            status = _server().run(command, self.folder, environment, output)
            said = output.read_text(encoding="utf-8")
        if check and status != 0:
            pytest.fail(f"snakemake {' '.join(command)} ended with {status}:\n{said}")
        return subprocess.CompletedProcess(command, status, said)

    def plan(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A dry run."""
        return self.snakemake("-n", *arguments, check=check)

    def planned(self, *arguments: str, config: str = "config/tiny.yaml") -> dict[str, int]:
        """How many jobs of each rule a dry run plans."""
        output = self.plan("--configfile", config, *arguments).stdout
        table = output.rsplit("Job stats:", 1)
        if len(table) == 1:
            assert "Nothing to be done" in output, output
            return {}
        rows = re.findall(r"^(\w+) +(\d+)$", table[1].split("\n\n")[0], flags=re.MULTILINE)
        return {rule: int(count) for rule, count in rows if rule not in {"total", "all"}}

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def overlay(self, name: str, text: str) -> str:
        path = self.folder / "config" / name
        path.write_text(text, encoding="utf-8")
        return f"config/{name}"
