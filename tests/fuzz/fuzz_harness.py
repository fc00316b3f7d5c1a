"""Gives a reader one input after the other and keeps what should not have happened."""

import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Protocol

from resnet_sizes.io.errors import UserError

SECONDS = 5.0
"""The most that one input may take, of the processor: other work does not count. Three times
as long on the clock, and it is stopped."""
MEMORY_MIB = 512
"""The most by which one input may raise the peak of the process."""
LONGEST_MESSAGE = 20_000


class Kind(Protocol):
    """One kind of input. `__init__` takes an empty folder for what has to be prepared."""

    name: str
    suffix: str
    refusals: tuple[type[Exception], ...]

    def make(self, random: Random) -> bytes:
        """The next input: valid, changed, or made to harm."""

    def read(self, path: Path) -> None:
        """Read it as the command line does."""


@dataclass
class Finding:
    """Something that should not have happened, and the first input that showed it."""

    what: str
    content: bytes
    times: int = 1


@dataclass
class Tally:
    """What became of the inputs of one kind."""

    name: str
    accepted: int = 0
    refused: int = 0
    slowest: float = 0.0
    slowest_input: bytes = b""
    memory_mib: float = 0.0
    """The most by which reading one input raised the memory of the process."""
    findings: dict[str, Finding] = field(default_factory=dict)

    @property
    def inputs(self) -> int:
        """How many inputs were read."""
        return self.accepted + self.refused + sum(f.times for f in self.findings.values())

    def note(self, what: str, content: bytes) -> None:
        """Add a finding, or count it again."""
        if what in self.findings:
            self.findings[what].times += 1
        else:
            self.findings[what] = Finding(what, content)


class TooSlow(BaseException):
    """No reader catches it, as it is no Exception."""


def fuzz(kind: Kind, folder: Path, count: int, seed: int) -> Tally:
    """Read `count` inputs; the same seed gives the same inputs."""
    random = Random(f"{kind.name} {seed}")
    tally = Tally(kind.name)
    path = folder / f"input{kind.suffix}"
    for _ in range(count):
        content = kind.make(random)
        path.write_bytes(content)
        before = _begin_peak()
        started = time.process_time()
        found = _outcome(kind, path, tally)
        seconds = time.process_time() - started
        if seconds > tally.slowest:
            tally.slowest, tally.slowest_input = seconds, content
        if found is None and seconds > SECONDS:
            found = f"took more than {SECONDS:g} s"
        risen = _peak_mib() - before
        tally.memory_mib = max(tally.memory_mib, risen)
        if risen > MEMORY_MIB:
            tally.note(f"took more than {MEMORY_MIB} MiB of memory", content)
        if found:
            tally.note(found, content)
    return tally


def _outcome(kind: Kind, path: Path, tally: Tally) -> str | None:
    try:
        with _at_most(3 * SECONDS):
            kind.read(path)
    except (UserError, *kind.refusals) as error:
        problem = _message_problem(str(error))
        if problem is None:
            tally.refused += 1
        return problem
    except TooSlow:
        return "did not end"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        return f"{type(error).__name__}: {_place(error)}"
    tally.accepted += 1
    return None


def _message_problem(message: str) -> str | None:
    if not message.strip():
        return "refused without a message"
    if len(message) > LONGEST_MESSAGE:
        return f"refused with more than {LONGEST_MESSAGE} characters"
    if not message.replace("\n", "").isprintable():
        return "refused with control characters in the message"
    return "a secret stands in the message" if "secret" in message else None


def _place(error: BaseException) -> str:
    # The innermost line of ours, and the one that failed.
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "resnet_sizes" in frame.filename] or frames
    return " > ".join(
        f"{Path(frame.filename).name}:{frame.name}" for frame in (ours[-1], frames[-1])
    )


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


_STATUS = Path("/proc/self/status")


def _begin_peak() -> float:
    """Memory now, from which on the peak counts; outside Linux, the peak so far."""
    if not _STATUS.exists():
        return _peak_mib()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status_mib("VmRSS")


def _status_mib(key: str) -> float:
    line = next(line for line in _STATUS.read_text("ascii").splitlines() if line.startswith(key))
    return int(line.split()[1]) / 1024


def _peak_mib() -> float:
    if _STATUS.exists():
        return _status_mib("VmHWM")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024
