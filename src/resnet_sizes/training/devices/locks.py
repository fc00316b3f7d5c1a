"""The locks of this machine's devices, which the kernel frees whatever ends their holder."""

import os
import platform
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from filelock import FileLock
from pydantic import Field

from resnet_sizes.io.errors import UserError, WriteError
from resnet_sizes.io.files import read_if_valid, write_json
from resnet_sizes.io.locks import is_locked, kernel_lock, take
from resnet_sizes.io.messages import shown_text
from resnet_sizes.schemas.base import Record

LOCKS = "RESNET_SIZES_DEVICE_LOCKS"
"""Environment variable: a folder that several people may write, for the locks of them all."""


def lock_folder() -> Path:
    """The folder of the locks, which is made if need be. Raises UserError if somebody else has
    made the folder, and OSError if it cannot be made.

    It does not depend on the session: XDG_RUNTIME_DIR and TMPDIR differ between two logins, and
    the first is emptied at a logout that the runs outlive.
    """
    named = os.environ.get(LOCKS)
    return _common_folder(Path(named)) if named else _own_folder()


def _common_folder(named: Path) -> Path:
    named.mkdir(parents=True, exist_ok=True)
    folder = named / (platform.node() or "machine")  # it may lie on a disk of several machines
    with suppress(FileExistsError):
        folder.mkdir()
        # As the folder around it, but not sticky: each holder of a device overwrites the file of
        # the one before.
        folder.chmod(stat.S_IMODE(named.stat().st_mode) & ~stat.S_ISVTX)
    return folder


def _own_folder() -> Path:
    folder = Path("/tmp") / f"resnet-sizes-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise UserError(
            f"{folder}: is not a folder of yours, so the locks of devices cannot lie there. "
            f"Remove it, or set {LOCKS} to a folder that only you may write, or that all who use "
            "this machine's devices may."
        )
    folder.chmod(0o700)
    return folder


class SlotHolder(Record):
    """The process whose run has a device to itself."""

    run: str
    process: int = Field(ge=1)
    since: str = Field(description="UTC, ISO 8601.")

    def __str__(self) -> str:
        return f"{shown_text(self.run)} (process {self.process}, since {self.since})"


class DeviceLocks:
    """The locks in one folder, and those of them that this object holds, until `release` or the
    end of the process. A key is a device's UUID or number, or `cpu-N`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: dict[str, FileLock] = {}

    def hold(self, key: str, holder: SlotHolder) -> bool:
        """Hold a device; False if another holds it. Raises OSError if there are no locks."""
        # Others may take the lock where others may come into the folder.
        lock = kernel_lock(self._path(key, "lock"), mode=0o666)
        if not take(lock):
            return False
        self._own[key] = lock
        with suppress(WriteError):  # it is only for people
            write_json(self._path(key, "json"), holder)
        return True

    def release(self) -> None:
        """Free all that is held."""
        while self._own:
            key, lock = self._own.popitem()
            with suppress(OSError):
                self._path(key, "json").unlink(missing_ok=True)
            lock.release()

    def holder(self, key: str) -> SlotHolder | None:
        """Who holds a device that is held, as far as its file says."""
        return read_if_valid(self._path(key, "json"), SlotHolder)

    def held(self, kind: str) -> Iterator[tuple[str, SlotHolder]]:
        """The devices of a kind that processes hold, this one among them, and who does."""
        for path in sorted(self._folder.glob(f"{kind}-*.json")):
            if (holder := self.holder(path.stem)) and is_locked(self._path(path.stem, "lock")):
                yield path.stem, holder

    def _path(self, key: str, ending: str) -> Path:
        """A device's lock; or `json`, a file that says who holds it: each process that tries the
        lock opens it and empties it."""
        return self._folder / f"{re.sub(r'[^A-Za-z0-9-]', '-', key)}.{ending}"
