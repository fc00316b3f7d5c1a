"""Which GPUs there are as the files of NVIDIA's driver tell.

For where its management library is missing, as in containers that were given only what computes:
without any list all runs would take the first GPU.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from resnet_sizes.training.devices.nvml import Gpu

ROOT = Path("/")


def gpus_by_files() -> list[Gpu] | None:
    """All that this process may open, in the order of nvidia-smi; None if the files tell of none.

    Each is named by its file in /dev, since the UUID of a GPU that nobody uses may be unknown.
    """
    told = dict(_told())
    nodes = _nodes() - {node for node, facts in told.items() if facts.get("GPU Excluded") == "Yes"}
    ordered = [node for node in told if node in nodes]
    if len(ordered) < len(nodes):  # then the numbers of the files are the nearest
        ordered = sorted(nodes)
    return [
        Gpu(place, _uuid(facts), facts.get("Model"), node=f"nvidia{node}")
        for place, node in enumerate(ordered)
        for facts in [told.get(node, {})]
    ] or None


def _nodes() -> set[int]:
    """The numbers of the files in /dev. A scheduler may have closed some to its job."""
    return {
        int(found[1])
        for path in (ROOT / "dev").glob("nvidia*")
        if (found := re.fullmatch(r"nvidia(\d+)", path.name)) and os.access(path, os.R_OK | os.W_OK)
    }


def _told() -> Iterator[tuple[int, dict[str, str]]]:
    """What the driver tells of each GPU, by the number of its file, in the order of the bus."""
    folders = (ROOT / "proc/driver/nvidia/gpus").glob("*:*:*.*")
    for folder in sorted(folders, key=lambda path: [part.zfill(8) for part in _parts(path.name)]):
        try:
            text = (folder / "information").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        lines = (line.partition(":") for line in text.splitlines())
        facts = {key.strip(): value.strip() for key, _, value in lines}
        if facts.get("Device Minor", "").isdecimal():
            yield int(facts["Device Minor"]), facts


def _parts(address: str) -> list[str]:
    return re.split("[:.]", address)


def _uuid(facts: dict[str, str]) -> str | None:
    uuid = facts.get("GPU UUID", "")
    return uuid if uuid.startswith("GPU-") and "?" not in uuid else None
