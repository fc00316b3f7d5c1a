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
        self._looks = self._shared = 0
        self._names: list[str] = []

    def again(self) -> "SharingMonitor":
        """One for the next run on the device, which has seen nothing yet."""
        return SharingMonitor(self._others)

    def look(self, at_once: bool = False) -> None:
        """Look, unless the last look was a moment ago."""
        now = time.monotonic()
        if self._others is None or (now - self._last < LOOK_EVERY and not at_once):
            return
        self._last = now
        names = self._others()
        if names is not None:
            self.saw(names)

    def saw(self, names: Iterable[str]) -> None:
        """Count a look that showed these."""
        found = list(names)
        self._last = time.monotonic()
        self._looks += 1
        self._shared += bool(found)
        self._names = list(dict.fromkeys([*self._names, *found]))

    def resume_from(self, kept: Sharing | None) -> None:
        """Add what earlier attempts at the run have seen."""
        if kept is not None:
            self._looks += kept.looks
            self._shared += kept.shared
            self._names = list(dict.fromkeys([*kept.others, *self._names]))

    def record(self) -> Sharing | None:
        """All that has been seen; None if nothing could be seen."""
        if not self._looks:
            return None
        return Sharing(looks=self._looks, shared=self._shared, others=self._names)


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
        return self.names(found - self._ours(found))

    def _ours(self, found: frozenset[int]) -> frozenset[int]:
        if os.getpid() in found:
            self._own = os.getpid()
        if self._own is None:
            new = sorted(found - self._before)
            if len(new) > 1:
                return frozenset(new[:1])  # one of them, and it does not matter which
            self._own = new[0] if new else None
        return frozenset() if self._own is None else frozenset({self._own})

    def names(self, processes: Iterable[int]) -> list[str]:
        """The names of some processes' programs."""
        return [self._nvml.program(process) for process in sorted(processes)]
