"""A device for a run: the first free one, before torch looks for devices; and what else is on it,
which makes times longer than the run's own.

Snakemake counts GPUs and does not number them, so runs that start together would all take the
first. A machine without a GPU has a slot for each run: nothing waits there, and a run knows
whether there was another.
"""

import logging
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count

from resnet_sizes.io.messages import shown_text
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.run.metrics import Sharing
from resnet_sizes.training.devices.energy import EnergyMeter, energy_meter
from resnet_sizes.training.devices.gpus import VARIABLE, Gpu, Nvml, visible_gpus, wanted_gpus
from resnet_sizes.training.devices.locks import DeviceLocks, SlotHolder, lock_folder
from resnet_sizes.training.supervision.launch import scheduler_job

log = logging.getLogger("resnet_sizes")

TRY_EVERY = 1.0
"""Seconds between two attempts at devices that are all held."""

ENDING = 2.0
"""Seconds that a process which is just ending may still be seen on its GPU."""

WhileWaiting = Callable[[str | None], object]
"""Called every second with the reason of the wait, where there is one to give; may raise."""

LOOK_EVERY = 1.0
"""Seconds between two looks at least: epochs of a head take milliseconds."""

Others = Callable[[], Iterable[str] | None]
"""Names of what is on the device beside the run; None where it cannot be seen."""


class SharingMonitor:
    """Looks at the device when the run begins, at ends of epochs, and at its end."""

    def __init__(self, others: Others | None = None) -> None:
        """`others` is None where nothing can be seen."""
        self.others = others
        self.seen: Sharing | None = None
        """All that has been seen; None if nothing could be seen."""
        self._last = -math.inf

    def look(self, at_once: bool = False) -> None:
        """Look, unless the last look was a moment ago."""
        now = time.monotonic()
        if self.others is None or (now - self._last < LOOK_EVERY and not at_once):
            return
        self._last = now
        if (names := self.others()) is not None:
            self.saw(names)

    def saw(self, names: Iterable[str]) -> None:
        """Count a look that showed these."""
        self._last = time.monotonic()
        found = list(dict.fromkeys(names))
        kept = self.seen
        self.seen = Sharing(looks=1, shared=int(bool(found)), others=found)
        self.resume_from(kept)

    def resume_from(self, kept: Sharing | None) -> None:
        """Add what was seen before, by earlier attempts at the run too."""
        if kept is None or self.seen is None:
            self.seen = self.seen or kept
            return
        self.seen = Sharing(
            looks=kept.looks + self.seen.looks,
            shared=kept.shared + self.seen.shared,
            others=list(dict.fromkeys([*kept.others, *self.seen.others])),
        )


class DeviceSlot:
    """Where a run is made: on a GPU that it holds, or on the machine's processor."""

    def __init__(self, run: str, device: str, locks: DeviceLocks | None, nvml: Nvml | None) -> None:
        self._run = run
        self._device = device
        self._locks = locks
        self._nvml = nvml
        self.gpu: Gpu | None = None
        """The GPU that it holds; the only one that torch will see."""
        self._monitor: SharingMonitor | None = None

    @property
    def torch_name(self) -> str:
        """What to ask torch for: the GPU that is held is the only one that it sees."""
        return "cuda" if self.gpu is not None else self._device

    def _hold(self, key: str) -> bool:
        """Hold a device to the end of the run, if it is free. Without locks every one is."""
        if self._locks is None:
            return True
        holder = SlotHolder(run=self._run, process=os.getpid(), since=utc_now())
        try:
            return self._locks.hold(key, holder)
        except OSError as error:
            _warn_of_no_locks(self._run, error)
            self._locks = None
            return True

    def acquire_gpu(self, gpus: Sequence[Gpu], while_waiting: WhileWaiting) -> Gpu:
        """Hold the first free one, an idle one if there is any. Waits while runs hold them all."""
        logged = False
        while not (gpu := self._first_free(gpus)):
            reason = self._all_taken(gpus)
            if not logged:
                log.info(f"{self._run}: waits until a run ends, since {reason}")
            logged = True
            while_waiting(reason)
            time.sleep(TRY_EVERY)
        self.gpu = gpu
        until = time.monotonic() + ENDING
        while (found := self._others(gpu)) and time.monotonic() < until:
            while_waiting(None)
            time.sleep(0.2)
        if found:
            log.warning(
                f"warning: {self._run}: no GPU is idle. Other processes compute on {gpu} as "
                f"well ({', '.join(found)}); it is taken all the same, and times on it are longer"
            )
        log.info(f"{self._run}: takes {gpu}")
        return gpu

    def _first_free(self, gpus: Sequence[Gpu]) -> Gpu | None:
        idle_first = sorted(gpus, key=lambda gpu: bool(self._others(gpu)))
        return next((gpu for gpu in idle_first if self._hold(_key(gpu))), None)

    def _others(self, gpu: Gpu) -> list[str]:
        """The names of the programs that compute on a GPU beside this process."""
        nvml = self._nvml
        found = ((nvml and nvml.processes(gpu)) or frozenset()) - {os.getpid()}
        return [nvml.program(process) for process in sorted(found)] if nvml else []

    def _all_taken(self, gpus: Sequence[Gpu]) -> str:
        holders = [(gpu, self._locks and self._locks.holder(_key(gpu))) for gpu in gpus]
        listed = "; ".join(f"{gpu}: {holder or 'another run'}" for gpu, holder in holders)
        several = f"all {len(gpus)} GPUs that it may use are taken"
        return f"{several if len(gpus) > 1 else 'the GPU that it may use is taken'}. {listed}"

    def monitor(self, kind: str) -> SharingMonitor:
        """A run's own watch; to be asked for when torch has chosen a `kind` but not used it yet."""
        if self._monitor is not None:
            self._monitor = SharingMonitor(self._monitor.others)
            self._monitor.look()
        else:
            self._monitor = self._of_gpu() if kind == "cuda" else self._of_processor()
        return self._monitor

    def energy(self, kind: str) -> EnergyMeter:
        """Of what it has, from now on, by the kind of torch's device."""
        return energy_meter(kind, self._nvml, self.gpu)

    def _of_processor(self) -> SharingMonitor:
        own = next(filter(self._hold, (f"cpu-{number}" for number in count())))
        locks = self._locks
        if locks is None:
            return SharingMonitor()

        def others() -> list[str]:
            return [shown_text(holder.run) for key, holder in locks.held("cpu") if key != own]

        monitor = SharingMonitor(others)
        monitor.look()
        if monitor.seen and monitor.seen.others:
            log.info(
                f"{self._run}: other runs are made on this machine's processor as well "
                f"({', '.join(monitor.seen.others)}); times on it are longer"
            )
        return monitor

    def _of_gpu(self) -> SharingMonitor:
        if self.gpu is None:
            log.warning(
                f"warning: {self._run}: torch has chosen a CUDA device, and nothing tells which of "
                "the machine's it is, so no lock holds it: runs side by side may take the same. "
                f"Set {VARIABLE} for each of them, or start one at a time with --resources gpu=1"
            )
        gpu, nvml = self.gpu, self._nvml
        if gpu is None or nvml is None:
            return SharingMonitor()

        def others() -> list[str] | None:
            # A container may hide processes, or show this one under another number.
            return self._others(gpu) if os.getpid() in (nvml.processes(gpu) or ()) else None

        monitor = SharingMonitor(others)
        if present := self._others(gpu):
            monitor.saw(present)
        return monitor


@contextmanager
def device_slot(
    run: str, device: str, while_waiting: WhileWaiting = lambda _: None
) -> Iterator[DeviceSlot]:
    """Hold a device for the block, and let torch see no other GPU.

    `device` is `training.device`: `auto` and `cuda` take any GPU that the process may use,
    `cuda:N` the N-th of them, anything else none. To be called before torch looks for devices.
    Raises UserError if there is no such GPU, if this torch has code for none, or if the folder of
    the locks is somebody else's.
    """
    with ExitStack() as stack:
        try:
            locks = DeviceLocks(lock_folder())
            stack.callback(locks.release)
        except OSError as error:
            _warn_of_no_locks(run, error)
            locks = None
        nvml = Nvml.load()
        slot = DeviceSlot(run, device, locks, nvml)
        if gpus := candidates(nvml, device):
            gpu = slot.acquire_gpu(gpus, while_waiting)
            os.environ[VARIABLE] = gpu.uuid or str(gpu.index)
        yield slot


def candidates(nvml: Nvml | None, device: str) -> list[Gpu]:
    """The GPUs of which a run takes the first free one; none where it takes no CUDA device.

    `device` is as in `device_slot`. Those for which this torch has no code are passed over.
    Raises UserError if there are no others, or for a number that no GPU has.
    """
    gpus = wanted_gpus(visible_gpus(nvml, os.environ), device)
    known = [(gpu, gpu.strength[:2]) for gpu in gpus if gpu.strength]
    if known:  # torch takes seconds to load
        from resnet_sizes.training.devices.select import has_code_for, no_code

        unable = [gpu for gpu, capability in known if not has_code_for(capability)]
        if unable == gpus:
            raise no_code(known)
        gpus = [gpu for gpu in gpus if gpu not in unable]
    return gpus


def _warn_of_no_locks(run: str, error: OSError) -> None:
    log.warning(
        f"warning: {run}: devices cannot be locked ({error}). The run goes on; see that no other "
        "takes the same device"
    )


def _key(gpu: Gpu) -> str:
    """A GPU's name among the locks: its UUID, or its number. A number may be that of a
    scheduler's job, which has its devices to itself: every job may call its only one 0."""
    if gpu.uuid is not None:
        return gpu.uuid
    job = scheduler_job()
    return f"gpu-{gpu.index}" if job is None else f"job-{job.id}-gpu-{gpu.index}"
