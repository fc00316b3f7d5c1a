"""Fixtures of the faults, and the way to the helpers of the unit tests."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Synthetic studies are the unit tests' own.
sys.path.append(str(Path(__file__).parents[1] / "unit"))

from faulty_disks import command, disk

from child_runs import Home, folder_in_memory

__all__ = ["command", "disk"]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where writing costs little, so that times are those of what is tested."""
    with folder_in_memory() as made:
        yield made


@pytest.fixture(scope="module")
def whole(folder: Path, request: pytest.FixtureRequest) -> Home:
    """A run that was left alone; the module's RUN says how large it is."""
    home = Home.of_probe(folder / "whole", **getattr(request.module, "RUN", {}))
    home.finish()
    return home


@pytest.fixture
def home(whole: Home, tmp_path: Path) -> Home:
    """The same run, but for its features not begun."""
    return whole.not_begun(tmp_path / "home")
