"""Which GPUs this process may use, as CUDA reads `CUDA_VISIBLE_DEVICES`."""

import re
from collections.abc import Mapping, Sequence

from resnet_sizes.records.errors import UserError
from resnet_sizes.training.nvml import Gpu

VARIABLE = "CUDA_VISIBLE_DEVICES"


def visible_gpus(machine: Sequence[Gpu] | None, environment: Mapping[str, str]) -> list[Gpu]:
    """Those of the machine's GPUs that the environment allows, in its order.

    `machine` is None where nobody lists the machine's GPUs; then all that is known is what the
    environment names. A list ends at the first entry that names no GPU, and one with an entry
    that stands twice allows none (CUDA C++ Programming Guide, "CUDA Environment Variables").
    Numbers are those of nvidia-smi.
    """
    named = environment.get(VARIABLE)
    if named is None:
        return list(machine or [])
    found: list[Gpu] = []
    for entry in named.split(","):
        gpu = _named(entry.strip(), machine)
        if gpu is None:
            break
        if gpu in found:
            return []
        found.append(gpu)
    return found


def _named(entry: str, machine: Sequence[Gpu] | None) -> Gpu | None:
    if re.fullmatch(r"\d+", entry):
        if machine is None:
            return Gpu(int(entry))
        # A container's numbers count what the container shows.
        return machine[int(entry)] if int(entry) < len(machine) else None
    if not entry.startswith(("GPU-", "MIG-")):
        return None
    if machine is None:
        return Gpu(None, entry)
    matching = [gpu for gpu in machine if (gpu.uuid or "").startswith(entry)]
    return matching[0] if len(matching) == 1 else None


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
