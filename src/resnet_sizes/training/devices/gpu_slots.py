"""A device for a run: the first free one, before torch looks for devices.

Snakemake counts GPUs and does not number them, so runs that start together would all take the
first. A machine without a GPU has a slot for each run: nothing waits there, and a run knows
whether there was another.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count

from resnet_sizes.io.messages import shown_text
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.run.metrics import Sharing
from resnet_sizes.training.devices.cuda_visible_devices import (
    VARIABLE,
    alone,
    strongest_first,
    visible_gpus,
    wanted_gpus,
)
from resnet_sizes.training.devices.device_sharing import Company, OtherProcesses
from resnet_sizes.training.devices.driver_files import gpus_by_files
from resnet_sizes.training.devices.locks import DeviceLocks, Held, SlotHolder, lock_folder
from resnet_sizes.training.devices.nvml import Gpu, Nvml
from resnet_sizes.training.supervision.launch import scheduler_job

log = logging.getLogger("resnet_sizes")

LOOK_EVERY = 1.0
"""Seconds between two attempts at devices that are all held."""

TELL_EVERY = 600.0
"""Seconds after which a wait is told again."""

ENDING = 2.0
"""Seconds that a process which is just ending may still be seen on its GPU."""

PROCESSOR = "cpu"
"""The kind of the slots of a machine's processor."""

Meanwhile = Callable[[str | None], object]
"""Told why there is a wait, where that is known."""


class Place:
    """Where a run is made: on a GPU that it holds, or on the machine's processor."""

    def __init__(self, run: str, locks: DeviceLocks | None, stack: ExitStack) -> None:
        self._run = run
        self._locks = locks
        self._stack = stack
        self._held: list[Held] = []
        self._others: OtherProcesses | None = None
        self.gpu: Gpu | None = None
        """The GPU that it holds; the only one that torch will see."""

    def hold(self, key: str) -> bool:
        """Hold a device to the end of the run, if it is free."""
        held = None
        if self._locks is not None:
            try:
                held = self._locks.try_to_hold(key, _this_process(self._run))
            except OSError as error:
                self._do_without_locks(error)
            else:
                if held is None:
                    return False
        if held is not None:
            self._held.append(held)
            self._stack.callback(held.release)
        return True

    def _do_without_locks(self, error: OSError) -> None:
        log.warning("warning: %s: %s", self._run, _no_locks(error))
        self._locks = None

    def take_gpu(self, gpus: Sequence[Gpu], nvml: Nvml | None, meanwhile: Meanwhile) -> None:
        """Hold the first free one, an idle one if there is any. Waits, and says so, while runs
        hold them all; `meanwhile` is called every second, and may raise to end that."""
        told = -TELL_EVERY
        while not (gpu := self._first_free(gpus, nvml)):
            taken = self._all_taken(gpus)
            if time.monotonic() - told >= TELL_EVERY:
                told = time.monotonic()
                log.info("%s: waits until a run ends, since %s", self._run, taken)
            meanwhile(taken)
            time.sleep(LOOK_EVERY)
        self.gpu = gpu
        if nvml is not None:
            self._others = OtherProcesses(nvml, gpu)
            self._say_who_is_there(gpu, self._others, meanwhile)
        log.info("%s: takes %s", self._run, gpu)

    def _first_free(self, gpus: Sequence[Gpu], nvml: Nvml | None) -> Gpu | None:
        idle_first = sorted(gpus, key=lambda gpu: bool(nvml and nvml.processes(gpu)))
        return next((gpu for gpu in idle_first if self.hold(_key(gpu))), None)

    def _all_taken(self, gpus: Sequence[Gpu]) -> str:
        holders = [(gpu, self._locks and self._locks.holder(_key(gpu))) for gpu in gpus]
        listed = "; ".join(f"{gpu}: {holder or 'another run'}" for gpu, holder in holders)
        taken = (
            f"all {len(gpus)} GPUs that it may use are taken"
            if len(gpus) > 1
            else "the GPU that it may use is taken"
        )
        return f"{taken}. {listed}"

    def _say_who_is_there(self, gpu: Gpu, others: OtherProcesses, meanwhile: Meanwhile) -> None:
        until = time.monotonic() + ENDING
        while (found := others.before_use()) and time.monotonic() < until:
            meanwhile(None)
            time.sleep(0.2)
        if found:
            log.warning(
                "warning: %s: no GPU is idle. Other processes compute on %s as well (%s); the run "
                "takes it all the same, and its times are marked",
                *(self._run, gpu, ", ".join(others.names(found))),
            )

    def settle(self, kind: str) -> Company:
        """To be called when torch has chosen a device of a `kind`, and before it uses it; what
        comes of it tells who shares that device."""
        if kind == "cuda":
            if self.gpu is None:
                log.warning(
                    "warning: %s: torch has chosen a CUDA device, and nothing tells which of the "
                    "machine's it is, so no lock holds it: runs side by side may take the same. "
                    "Set %s for each of them, or start one at a time with --resources gpu=1",
                    *(self._run, VARIABLE),
                )
            if self._others is None:
                return Company()
            company = Company(self._others_on_gpu)
            if present := self._others.before_use():  # nothing may also mean that nothing is told
                company.saw(self._others.names(present))
            return company
        if self.gpu is not None:
            log.warning(
                "warning: %s: there is %s, but torch sees no CUDA device, so the run is made on "
                "the CPU. Is it a build of torch for the CPU, or the driver too old? To look: "
                'python -c "import torch; print(torch.version.cuda)"; nvidia-smi',
                *(self._run, self.gpu),
            )
        own = self._take_processor()
        company = Company(None if own is None else lambda: self._others_on_processor(own))
        company.look()
        self._say_who_computes(company.record())
        return company

    def _take_processor(self) -> str | None:
        keys = (f"{PROCESSOR}-{number}" for number in count())
        key = next(key for key in keys if self.hold(key))
        return None if self._locks is None else key

    def _say_who_computes(self, seen: Sharing | None) -> None:
        if seen and seen.others:
            log.info(
                "%s: other runs are made on this machine's processor as well (%s); its times are "
                "marked",
                *(self._run, ", ".join(seen.others)),
            )

    def _others_on_gpu(self) -> list[str] | None:
        self._keep()
        return self._others() if self._others else None

    def _others_on_processor(self, own: str) -> list[str]:
        self._keep()
        held = self._locks.held(PROCESSOR) if self._locks else ()
        return [shown_text(holder.run) for key, holder in held if key != own]

    def _keep(self) -> None:
        for held in self._held:
            held.keep()


@contextmanager
def place_for(run: str, device: str, meanwhile: Meanwhile = lambda _: None) -> Iterator[Place]:
    """Hold a device for the block, and let torch see no other GPU.

    `device` is `training.device`: `auto` and `cuda` take any GPU that the process may use,
    `cuda:N` the N-th of them, anything else none. To be called before torch is imported.
    Raises UserError if there is no such GPU, or if the folder of the locks is somebody else's.
    """
    with ExitStack() as stack:
        place = Place(run, _locks(run), stack)
        if device == "auto" or device.startswith("cuda"):
            nvml = Nvml.load()
            gpus = wanted_gpus(visible_gpus(_machine(nvml), os.environ), device)
            if VARIABLE not in os.environ:  # an order that somebody has set is kept
                gpus = strongest_first(gpus)
            if gpus:
                place.take_gpu(gpus, nvml, meanwhile)
        if place.gpu is not None:
            os.environ |= alone(place.gpu)
        yield place


def _machine(nvml: Nvml | None) -> list[Gpu] | None:
    told = None if nvml is None else nvml.gpus()
    return gpus_by_files() if told is None else told


def torch_name(device: str, place: Place) -> str:
    """What to ask torch for: the GPU that is held is the only one that it sees."""
    return "cuda" if place.gpu is not None and device.startswith("cuda") else device


def _locks(run: str) -> DeviceLocks | None:
    try:
        return DeviceLocks(lock_folder())
    except OSError as error:
        log.warning("warning: %s: %s", run, _no_locks(error))
        return None


def _no_locks(error: OSError) -> str:
    return (
        f"devices cannot be locked ({error}). The run goes on; see that no other takes the same "
        "device"
    )


def _key(gpu: Gpu) -> str:
    """A device's name among the locks: its file, if that is what is always known of it, or its
    UUID. Numbers alone may be those of a scheduler's job, which then has its devices to itself:
    every job may call its only one 0."""
    name = gpu.node or gpu.uuid
    if name is not None:
        return name
    job = scheduler_job()
    return f"gpu-{gpu.index}" if job is None else f"job-{job.id}-gpu-{gpu.index}"


def _this_process(run: str) -> SlotHolder:
    return SlotHolder(run=run, process=os.getpid(), since=utc_now())
