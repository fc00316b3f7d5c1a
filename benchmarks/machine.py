"""On which machine, with which versions, from which code a measurement was made."""

import os
import platform
import re
from datetime import UTC, datetime
from typing import Any

import torch

from resnet_sizes.training.devices.select import describe
from resnet_sizes.training.job.results import code, versions


def machine(device: torch.device) -> dict[str, Any]:
    """Plain values for a JSON file. Memory is in bytes."""
    described = describe(device)
    source = code()
    return {
        "device": described.kind,
        "name": described.name,
        "memory_bytes": described.memory_bytes,
        "threads": described.threads,
        "cores": os.cpu_count(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "system": platform.platform(),
        "versions": versions(device),
        "git_commit": source.git_commit,
        "git_dirty": source.git_dirty,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "started": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def result_name(found: dict[str, Any]) -> str:
    """`cpu-amd-epyc-2026-11-24`: device, its name, date."""
    words = re.sub(r"[^a-z0-9]+", "-", f"{found['device']} {found['name']}".lower()).strip("-")
    return f"{words}-{found['date']}"
