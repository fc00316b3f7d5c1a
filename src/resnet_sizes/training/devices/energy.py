"""The energy that a device takes while a run is at work on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from resnet_sizes.schemas.run.metrics import Energy
from resnet_sizes.training.devices.gpus import Gpu, Nvml

POWERCAP = Path("/sys/class/powercap")
"""Where Linux has the counters of processors (Documentation/power/powercap, RAPL)."""


@dataclass(frozen=True)
class Counter:
    """Joules since some time in the past; beyond `most` it begins at zero again."""

    read: Callable[[], float | None]
    most: float = 0.0


class EnergyMeter:
    """Adds up what counters of a device gain. To be looked at more often than they begin anew: a
    processor's, under full load, after some minutes at the earliest."""

    def __init__(self, source: Literal["nvml", "rapl"], counters: Sequence[Counter]) -> None:
        self._source = source
        self._counters = counters
        self._before = [counter.read() for counter in counters]
        self._known = bool(counters)
        self._joules = 0.0

    def look(self) -> Energy | None:
        """What was taken so far; None where a counter could not be read, then or before."""
        now = [counter.read() for counter in self._counters]
        for counter, before, after in zip(self._counters, self._before, now, strict=True):
            if before is None or after is None or (after < before and not counter.most):
                self._known = False
            else:
                self._joules += after - before + (counter.most if after < before else 0)
        self._before = now
        return Energy(joules=self._joules, source=self._source) if self._known else None

    def resume_from(self, kept: Energy | None) -> None:
        """Go on with what the attempts before have taken, which may not be known."""
        self._known = self._known and kept is not None and kept.source == self._source
        self._joules += kept.joules if kept else 0


def energy_meter(kind: str, nvml: Nvml | None, gpu: Gpu | None) -> EnergyMeter:
    """Of the GPU, or of all packages of the processor, by the kind of torch's device."""
    if kind != "cpu":
        return EnergyMeter("nvml", [Counter(lambda: nvml.joules(gpu))] if nvml and gpu else [])
    # The parts of a package, such as intel-rapl:0:0, are counted in it.
    packages = [each for each in POWERCAP.glob("intel-rapl:*") if each.name.count(":") == 1]
    reads = [partial(_told, each / "energy_uj") for each in packages]
    most = [_told(each / "max_energy_range_uj") or 0 for each in packages]
    return EnergyMeter("rapl", list(map(Counter, reads, most)))


def _told(path: Path) -> float | None:
    """Joules of a file with microjoules; None where it may not be read, as for most users."""
    try:
        return int(path.read_text(encoding="ascii")) / 1e6
    except (OSError, ValueError):
        return None
