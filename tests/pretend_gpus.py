"""GPUs that are not there, and small processes that hold one as a run does."""

import json
import logging
import multiprocessing
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from resnet_sizes.training.devices.gpu_slots import DeviceSlot, device_slot
from resnet_sizes.training.supervision.launch import JOB_VARIABLES, SCHEDULED

LIBRARY = Path(__file__).parent / "pretend_nvml"

NEW = multiprocessing.get_context("forkserver")
"""For processes that have not loaded torch, as one that waits for a device has not."""
FORK = multiprocessing.get_context("fork")
"""For those that would load it at once, to see for which GPUs it has code."""
NEW.set_forkserver_preload(["resnet_sizes.training.devices.gpu_slots"])


def _hold(
    name: str, device: str, seconds: float, record: Path, environment: dict[str, str]
) -> None:
    """Take a device and keep it, in a process of its own."""
    os.dup2(os.open(record.with_suffix(".log"), os.O_CREAT | os.O_WRONLY), 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.modules.pop("pynvml", None)
    sys.path.insert(0, str(LIBRARY))
    logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
    with device_slot(name, device) as slot:
        since = time.monotonic()
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        begun = record.with_suffix(".part")
        begun.write_text(visible or "", encoding="utf-8")
        begun.replace(f"{record}.begun")  # seen whole, or not at all
        time.sleep(seconds)
        told = {"run": name, "visible": visible, "since": since, "until": time.monotonic()}
        told |= {"index": slot.gpu and slot.gpu.index, "torch": "torch" in sys.modules}
    record.write_text(json.dumps(told), encoding="utf-8")


def uuid(letter: str) -> str:
    """Of the pretend GPU with this letter."""
    return f"GPU-{letter * 8}-{letter * 4}"


def outside_of_jobs() -> dict[str, str]:
    """The environment without what schedulers and people say of GPUs."""
    return {name: value for name, value in os.environ.items() if name not in OF_A_JOB}


@dataclass
class PretendGpus:
    """A machine with some GPUs, and a folder of its own for their locks."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def file(self) -> Path:
        """What the library reads."""
        return self.folder / "gpus.json"

    def are(self, *gpus: Mapping[str, object] | str) -> None:
        """Set the GPUs: a mapping, or the letter of one that is idle."""
        listed = [{"uuid": uuid(gpu)} if isinstance(gpu, str) else dict(gpu) for gpu in gpus]
        self.file.write_text(json.dumps(listed), encoding="utf-8")

    def environment(self, visible: str | None = None) -> dict[str, str]:
        """For a process on that machine; `visible` is what CUDA_VISIBLE_DEVICES says."""
        paths = [str(LIBRARY), *filter(None, [os.environ.get("PYTHONPATH")])]
        changes = {
            "PYTHONPATH": os.pathsep.join(paths),
            "PRETEND_GPUS": str(self.file),
            "RESNET_SIZES_DEVICE_LOCKS": str(self.folder / "locks"),
        }
        return (
            outside_of_jobs()
            | changes
            | ({} if visible is None else {"CUDA_VISIBLE_DEVICES": visible})
        )

    def enter(self, on_cpu: bool = True) -> None:
        """Make this process one on that machine: to be called in a fork. Its GPUs compute as the
        CPU does, or torch does not see them."""
        for name in OF_A_JOB:
            os.environ.pop(name, None)
        os.environ |= self.environment()
        if on_cpu:
            DeviceSlot.torch_name = "cpu"  # type: ignore[method-assign, assignment]
        sys.modules.pop("pynvml", None)
        sys.path.insert(0, str(LIBRARY))

    def hold(
        self, name: str, seconds: float = 600, device: str = "auto", visible: str | None = None
    ) -> "Holding":
        """Start a process that takes a device and keeps it."""
        return Holding(self, name, seconds, device, visible)


OF_A_JOB = (
    *("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", SCHEDULED),
    *("SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "SLURM_GPUS", "SLURM_GPUS_ON_NODE"),
    *JOB_VARIABLES,
)


class Holding:
    """A process that takes a device, with what it says and records."""

    def __init__(
        self, gpus: PretendGpus, name: str, seconds: float, device: str, visible: str | None
    ) -> None:
        self._record = gpus.folder / f"{name}.json"
        self._log = gpus.folder / f"{name}.log"
        self._log.touch()
        known = any("capability" in gpu for gpu in json.loads(gpus.file.read_text("utf-8")))
        self.process = (FORK if known else NEW).Process(
            target=_hold,
            args=(name, device, seconds, self._record, gpus.environment(visible)),
            daemon=True,
        )
        self.process.start()

    def said(self) -> str:
        """All that it has logged."""
        return self._log.read_text(encoding="utf-8")

    def begun(self) -> bool:
        """Whether it has a device."""
        return Path(f"{self._record}.begun").exists()

    def visible(self) -> str:
        """What torch would see of devices, once it has one."""
        return Path(f"{self._record}.begun").read_text(encoding="utf-8")

    def end(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.join()

    def record(self) -> dict[str, object]:
        """What it tells at its end, for which this waits."""
        self.process.join(60)
        assert self.process.exitcode == 0, self.said()
        found: dict[str, object] = json.loads(self._record.read_text(encoding="utf-8"))
        return found


def overlaps(records: Sequence[Mapping[str, object]]) -> list[tuple[object, object]]:
    """Pairs of runs that were on one device at the same time."""
    return [
        (one["run"], other["run"])
        for place, one in enumerate(records)
        for other in records[place + 1 :]
        if one["visible"] == other["visible"]
        and one["since"] < other["until"]  # type: ignore[operator]
        and other["since"] < one["until"]  # type: ignore[operator]
    ]
