"""A small run that is left alone, and the same after a crash: fixtures, and how to crash it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from child_runs import Home
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.supervision.launch import RunOptions
from small_runs import train_run

STEPS = 3
"""Steps of an epoch."""


class Crash(Exception):
    """What no code of ours catches."""


def train(home: Home, checkpoint_minutes: float = 0, work: Path | None = None) -> Metrics:
    options = RunOptions(work or home.work, checkpoint_seconds=checkpoint_minutes * 60)
    return train_run(home.run, home.dataset, home.files, "cpu", home.weights, options)


@pytest.fixture(autouse=True)
def _everything_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="resnet_sizes")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A run that was left alone."""
    home = Home.of_probe(tmp_path_factory.mktemp("whole"))
    train(home)
    return home


@pytest.fixture(scope="module")
def not_begun(whole: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The same run, but for its features not begun."""
    return whole.not_begun(tmp_path_factory.mktemp("not-begun"))


@pytest.fixture
def home(not_begun: Home, tmp_path: Path) -> Home:
    return not_begun.copy_to(tmp_path)


def at_step(patch: pytest.MonkeyPatch, number: int, happens: Callable[[], object]) -> None:
    """Have something happen at the beginning of the nth step from now."""
    step = Trainer._step
    count = 0

    def counted(self: Trainer, *arguments: object) -> object:
        nonlocal count
        count += 1
        if count == number:
            happens()
        return step(self, *arguments)

    patch.setattr(Trainer, "_step", counted)


def crash() -> None:
    raise Crash


@pytest.fixture(scope="module")
def crashed_once(not_begun: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A run that crashed in its 11th step: the second of its fourth epoch."""
    home = not_begun.copy_to(tmp_path_factory.mktemp("crashed"))
    with pytest.MonkeyPatch.context() as patch:
        at_step(patch, 11, crash)
        with pytest.raises(Crash):
            train(home)
    return home


@pytest.fixture
def crashed(crashed_once: Home, tmp_path: Path) -> Home:
    return crashed_once.copy_to(tmp_path)
