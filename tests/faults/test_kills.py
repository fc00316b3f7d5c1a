"""Runs that are killed at random moments end as runs that were left alone."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kill_trials import KINDS, Bench, Landing, compare, tell, trials

from child_runs import folder_in_memory


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_in_memory() as made:
        yield made / "trials"


@pytest.mark.slow
def test_a_killed_run_of_each_kind_ends_as_if_it_had_not_been_killed(folder: Path) -> None:
    landings = trials(len(KINDS), seed=1, folder=folder)
    print(tell(landings))
    assert {landing.kind for landing in landings} == set(KINDS)


@pytest.mark.long
def test_twenty_five_killed_runs_end_as_if_they_had_not_been_killed(folder: Path) -> None:
    landings = trials(25, seed=0, folder=folder)
    print(tell(landings))
    assert {landing.kind for landing in landings} == set(KINDS)
    kept = [landing for landing in landings if landing.kept]
    assert len(kept) >= len(landings) / 2
    assert any(landing.within_epoch for landing in kept)


@pytest.mark.slow
def test_a_pass_that_is_killed_goes_on_and_gives_the_same_features(folder: Path) -> None:
    bench = Bench("head-cached", folder)
    bench.undisturbed()
    process = bench.start("killed")
    partial = folder / "killed" / "work" / "features"
    until = time.monotonic() + 60
    while not list(partial.glob("*.partial.safetensors")):
        assert time.monotonic() < until
        assert process.is_alive()
        time.sleep(0.005)
    process.kill()
    process.join()
    assert not bench.features("killed")
    log = folder / "killed" / "log.txt"
    assert "are done already" not in log.read_text(encoding="utf-8")
    (folder / "killed").rename(folder / "kept")  # what compare() removes is looked at before
    landing = Landing("head-cached", "the pass that computes features", None)
    compare(bench, "kept", [landing], remove=False)
    assert "images are done already" in (folder / "kept" / "log.txt").read_text(encoding="utf-8")
    left = folder / "kept" / "work" / "features"
    assert not list(left.glob("*.partial.safetensors"))
