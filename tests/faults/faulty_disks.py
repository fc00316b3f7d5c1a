"""Small disks, and the command as a person would see it fail."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from copied_process import copied


@dataclass(frozen=True)
class Disk:
    """A file system of its own, small, that can be filled and made read-only."""

    folder: Path

    def fill(self, leave: int) -> None:
        """Leave so many bytes."""
        with (self.folder / "filler").open("wb", buffering=0) as file:
            with suppress(OSError):
                while True:
                    file.write(bytes(1 << 16))
            with suppress(OSError):
                while True:
                    file.write(bytes(1 << 12))
            file.truncate(max(0, file.tell() - leave))

    def make_room(self) -> None:
        (self.folder / "filler").unlink()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        self.remount("ro")
        try:
            yield
        finally:
            self.remount("rw")

    def remount(self, mode: str) -> None:
        """`ro` or `rw`."""
        subprocess.run(["mount", "-o", f"remount,{mode}", self.folder], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """200 MB in memory; skipped where nothing may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    status: int
    said: str

    @property
    def error(self) -> str:
        """The error that a person reads; a traceback would be a defect of ours."""
        assert self.status == 1, self.said
        assert "Traceback" not in self.said, self.said
        assert "Logging error" not in self.said, self.said
        assert "should not have happened" not in self.said, self.said
        start = self.said.rfind("error: ")
        assert start >= 0, self.said
        return self.said[start:].strip()


Command = Callable[..., Answer]


@pytest.fixture
def command() -> Command:
    """`resnet-sizes` in a process of its own, with its log in the working directory."""

    def run(folder: Path, *arguments: str) -> Answer:
        # Not a fork of this process: typst's threads, once started, are missing in a child.
        options = ["--log", "results/logs/command.log"]
        done = copied().run([*options, *arguments], folder)
        return Answer(done.returncode, done.stdout + done.stderr)

    return run


def files_of(folder: Path) -> dict[str, bytes]:
    """All files below a folder but logs and what fills the disk."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in {".log", ".lock"} and path.name != "filler"
    }
