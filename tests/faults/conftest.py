"""Fixtures of the faults, and the way to the helpers of the unit tests."""

import sys
from pathlib import Path

# Synthetic studies are the unit tests' own.
sys.path.append(str(Path(__file__).parents[1] / "unit"))

from faulty_disks import command, disk

__all__ = ["command", "disk"]
