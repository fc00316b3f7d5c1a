"""What else is on the device of a run, which makes its times longer than its own."""

import math
import os
import time
from collections.abc import Callable, Iterable

from resnet_sizes.schemas.run.metrics import Sharing
from resnet_sizes.training.devices.gpus import Gpu, Nvml

LOOK_EVERY = 1.0
"""Seconds between two looks at least: epochs of a head take milliseconds."""

Others = Callable[[], Iterable[str] | None]
"""Names of what is on the device beside the run; None where it cannot be seen."""


class SharingMonitor:
    """Looks at the device when the run begins, at ends of epochs, and at its end."""

    def __init__(self, others: Others | None = None) -> None:
        """`others` is None where nothing can be seen."""
        self._others = others
        self._last = -math.inf
        self._seen: Sharing | None = None

    def again(self) -> "SharingMonitor":
        """One for the next run on the device, which has seen nothing yet."""
        return SharingMonitor(self._others)

    def look(self, at_once: bool = False) -> None:
        """Look, unless the last look was a moment ago."""
        now = time.monotonic()
        if self._others is None or (now - self._last < LOOK_EVERY and not at_once):
            return
        self._last = now
        if (names := self._others()) is not None:
            self.saw(names)

    def saw(self, names: Iterable[str]) -> None:
        """Count a look that showed these."""
        self._last = time.monotonic()
        found = list(dict.fromkeys(names))
        self._seen = _sum(self._seen, Sharing(looks=1, shared=int(bool(found)), others=found))

    def resume_from(self, kept: Sharing | None) -> None:
        """Add what earlier attempts at the run have seen."""
        self._seen = _sum(kept, self._seen)

    def record(self) -> Sharing | None:
        """All that has been seen; None if nothing could be seen."""
        return self._seen


def _sum(first: Sharing | None, second: Sharing | None) -> Sharing | None:
    if first is None or second is None:
        return first or second
    return Sharing(
        looks=first.looks + second.looks,
        shared=first.shared + second.shared,
        others=list(dict.fromkeys([*first.others, *second.others])),
    )


class OtherProcesses:
    """The processes on a GPU that are not this one.

    In a container the machine's numbers of processes are not those that are seen inside, so this
    process may stand in the list under a number that it does not know. Therefore what is there
    before it uses the GPU is of others, and of what comes later one is this process.
    """

    def __init__(self, nvml: Nvml, gpu: Gpu) -> None:
        self._nvml = nvml
        self._gpu = gpu
        self._before: frozenset[int] = frozenset()
        self._own: int | None = None

    def before_use(self) -> frozenset[int]:
        """Those that are there now. To be called until this process uses the GPU."""
        found = (self._nvml.processes(self._gpu) or frozenset()) - {os.getpid()}
        self._before |= found
        return found

    def __call__(self) -> list[str] | None:
        """The names of their programs; None where the list is empty although this process is on
        the GPU, as in containers that show no processes."""
        found = self._nvml.processes(self._gpu)
        if not found:
            return None
        if os.getpid() in found:
            self._own = os.getpid()
        own = sorted(found - self._before) if self._own is None else [self._own]
        if len(own) == 1:
            self._own = own[0]
        # Of several new ones one is this process, and it does not matter which.
        return self.names(found - set(own[:1]))

    def names(self, processes: Iterable[int]) -> list[str]:
        """The names of some processes' programs."""
        return [self._nvml.program(process) for process in sorted(processes)]
