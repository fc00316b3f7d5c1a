"""`resnet-sizes status --watch`: when it ends by itself, and when it goes on."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from looked_studies import done, home, job, shown, snakemake, squeue

from resnet_sizes.schemas.paths import PROGRESS
from study_homes import StudyHome

__all__ = ["done", "home", "snakemake"]

ENOUGH = 5
"""Looks after which somebody presses Ctrl-C."""


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What happens between two looks, in this order; then nothing, and at last Ctrl-C."""
    events: list[Callable[[], object]] = []
    rests = []

    def rest(seconds: float) -> None:
        rests.append(seconds)
        if len(rests) >= ENOUGH:
            raise KeyboardInterrupt
        if len(rests) <= len(events):
            events[len(rests) - 1]()

    # The command's alone: subprocess sleeps too while it waits for squeue.
    clock = SimpleNamespace(monotonic=time.monotonic, time=time.time, sleep=rest)
    monkeypatch.setattr("resnet_sizes.status.status.time", clock)
    return events


def fails(home: StudyHome) -> None:
    home.tell(ended="failed", message="the loss is nan")


@pytest.mark.usefixtures("between")
@pytest.mark.parametrize(("updates", "kind"), [({"ended": "failed"}, "failed"), ({}, "stale")])
def test_the_watch_ends_where_something_failed_and_nothing_is_under_way(
    home: StudyHome, updates: dict[str, str], kind: str
) -> None:
    home.tell(**updates, updated="2026-01-01T00:00:00Z")
    assert shown("--watch").endswith(
        f"Nothing is under way any more: 0 of 2 runs are done, 1 waiting, 1 {kind}. "
        "The plain snakemake command goes on.\n"
    )


def test_the_watch_begins_before_snakemake_and_ends_after_a_failure(
    home: StudyHome, between: list[Callable[[], object]]
) -> None:
    between += [home.tell, lambda: fails(home)]
    text = shown("--watch")
    assert "1 running" in text
    assert text.endswith("1 waiting, 1 failed. The plain snakemake command goes on.\n")


@pytest.mark.usefixtures("between")
def test_the_watch_goes_on_where_nothing_has_begun(home: StudyHome) -> None:
    assert shown("--watch").endswith("The runs go on.\n")


@pytest.mark.usefixtures("between", "snakemake")
def test_the_watch_goes_on_while_snakemake_works_in_the_folder(home: StudyHome) -> None:
    fails(home)
    assert shown("--watch").endswith("The runs go on.\n")


@pytest.mark.usefixtures("between")
def test_the_watch_goes_on_while_a_job_is_queued(home: StudyHome) -> None:
    fails(home)
    squeue(home, job(home.folder, "PENDING", "rs.train.scratch-32.resnet18.1", "(null)"))
    assert shown("--watch").endswith("The runs go on.\n")


def test_a_moment_between_two_jobs_does_not_end_the_watch(
    home: StudyHome, between: list[Callable[[], object]]
) -> None:
    fails(home)
    begin, end = home.tell, lambda: fails(home)
    between += [begin, end, begin, (home.home / PROGRESS).unlink]
    assert shown("--watch").endswith("The runs go on.\n")
