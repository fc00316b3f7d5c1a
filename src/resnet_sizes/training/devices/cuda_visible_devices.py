"""Which GPUs this process may use, as CUDA reads `CUDA_VISIBLE_DEVICES`."""

import re
from collections.abc import Mapping, Sequence

from resnet_sizes.io.errors import UserError
from resnet_sizes.training.devices.nvml import Gpu

VARIABLE = "CUDA_VISIBLE_DEVICES"
ORDER = "CUDA_DEVICE_ORDER"


def visible_gpus(machine: Sequence[Gpu] | None, environment: Mapping[str, str]) -> list[Gpu]:
    """Those of the machine's GPUs that the environment allows, in its order.

    `machine` is None where nobody lists the machine's GPUs; then all that is known is what the
    environment names. A list ends at the first entry that names no GPU, and one with an entry
    that stands twice allows none (CUDA C++ Programming Guide, "CUDA Environment Variables").
    Numbers are those of nvidia-smi. A GPU that is divided stands for its instances.
    """
    named = environment.get(VARIABLE)
    if named is None:
        return list(machine or [])
    found: list[Gpu] = []
    for entry in named.split(","):
        gpus = _named(entry.strip(), machine)
        if not gpus:
            break
        if any(gpu in found for gpu in gpus):
            return []
        found += gpus
    return found


def _named(entry: str, machine: Sequence[Gpu] | None) -> list[Gpu]:
    """The GPU of an entry, or its instances; nothing where it names none, or several."""
    if re.fullmatch(r"\d+", entry):
        return [Gpu(int(entry))] if machine is None else _numbered(int(entry), machine)
    if not entry.startswith(("GPU-", "MIG-")):
        return []
    known = machine or []
    found = [gpu for gpu in known if any(_begins(uuid, entry) for uuid in (gpu.uuid, gpu.whole))]
    if not found and (machine is None or any(gpu.node for gpu in machine)):
        return [Gpu(None, entry)]  # the driver's files tell of no instance, nor of each UUID
    different = {gpu.uuid if entry.startswith("MIG-") else gpu.index for gpu in found}
    return found if len(different) == 1 else []


def _numbered(number: int, machine: Sequence[Gpu]) -> list[Gpu]:
    # A container's numbers count what the container shows, and a divided GPU once.
    shown = list(dict.fromkeys(gpu.index for gpu in machine))
    return [gpu for gpu in machine if gpu.index in shown[number : number + 1]]


def _begins(uuid: str | None, entry: str) -> bool:
    return uuid is not None and uuid.startswith(entry)


def wanted_gpus(visible: Sequence[Gpu], name: str) -> list[Gpu]:
    """Those that a run takes one of; none where it is made on the machine's processor.

    `name` is `training.device`. Raises UserError for a number that no visible GPU has.
    """
    if name in ("auto", "cuda"):
        return list(visible)
    number = re.fullmatch(r"cuda:(\d+)", name)
    if not number or not visible:
        return []
    if int(number[1]) >= len(visible):
        listed = ", ".join(f"cuda:{place} is {gpu}" for place, gpu in enumerate(visible))
        raise UserError(
            f"training.device: found {name!r}, but this process may use {len(visible)} GPU(s): "
            f"{listed}. Set training.device to one of these or to auto, or change {VARIABLE}."
        )
    return [visible[int(number[1])]]


def strongest_first(gpus: Sequence[Gpu]) -> list[Gpu]:
    """By what they can compute, then by their memory; like ones, and all where this is not known
    of each, in the order in which they come."""
    strengths = [gpu.strength for gpu in gpus if gpu.strength is not None]
    if len(strengths) < len(gpus):
        return list(gpus)
    return sorted(gpus, key=lambda gpu: gpu.strength or (), reverse=True)


def alone(gpu: Gpu) -> dict[str, str]:
    """What the environment has to say so that CUDA shows this GPU and no other."""
    if gpu.uuid is not None:
        return {VARIABLE: gpu.uuid}
    number = {VARIABLE: str(gpu.index)}
    # By itself CUDA counts the fastest first. A number that somebody else has set stays as he
    # means it.
    return number if gpu.node is None else number | {ORDER: "PCI_BUS_ID"}
