"""Runs that are killed at random moments end as runs that were left alone."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kill_trials import KINDS, Bench, Landing, compare, tell, trials

from child_runs import Home, folder_in_memory
from resnet_sizes.training.supervision.checkpoints import Checkpoints


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_in_memory() as made:
        yield made / "trials"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A run that was left alone."""
    home = Home.of_probe(tmp_path_factory.mktemp("whole"))
    home.finish()
    return home


@pytest.mark.slow
def test_a_killed_run_ends_as_if_it_had_not_been_killed(folder: Path) -> None:
    """A network with all that changes from step to step, and a head; the long part has more."""
    kinds = ("sgd-cosine-augmented", "head-bn-train")
    landings = trials(1, seed=1, folder=folder, kinds=kinds)
    print(tell(landings))
    assert {landing.kind for landing in landings} == set(kinds)


@pytest.mark.long
def test_three_killed_runs_of_each_kind_end_as_if_they_had_not_been_killed(folder: Path) -> None:
    landings = trials(3, seed=0, folder=folder)
    print(tell(landings))
    # A trial may kill its run twice.
    assert all(sum(landing.kind == kind for landing in landings) >= 3 for kind in KINDS)
    kept = [landing for landing in landings if landing.kept]
    assert len(kept) >= len(landings) / 2
    assert any(landing.within_epoch for landing in kept)


def kill_when(target: str, moment: str) -> Callable[[], None]:
    """To be called in a process that is to train: it kills itself before or after a file gets
    its name, or before or after the checkpoints are removed."""

    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def around(call: Callable[..., object], concerned: Callable[..., bool]) -> Any:
        def with_it(*arguments: object, **options: object) -> object:
            if moment == "before" and concerned(*arguments):
                kill()
            result = call(*arguments, **options)
            if moment == "after" and concerned(*arguments):
                kill()
            return result

        return with_it

    def arrange() -> None:
        if target == "checkpoints":
            Checkpoints.clear = around(Checkpoints.clear, lambda *_: True)
        else:
            Path.replace = around(Path.replace, lambda _, to: Path(to).name.endswith(target))

    return arrange


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("target", ["predictions.safetensors", "metrics.json", "checkpoints"])
def test_a_run_that_is_killed_while_its_results_are_written_leaves_no_false_ones(
    whole: Home, tmp_path: Path, target: str, moment: str
) -> None:
    home = whole.not_begun(tmp_path)
    process = home.fork("--checkpoint-minutes", "0", before=kill_when(target, moment))
    process.join()
    assert process.exitcode == -signal.SIGKILL, home.said()
    written = target == "checkpoints" or (target, moment) == ("metrics.json", "after")
    assert home.files.metrics.exists() == written
    if written:
        assert home.result() == whole.result()
    cleared = (target, moment) == ("checkpoints", "after")
    assert bool(home.checkpoints()) != cleared
    home.finish()
    assert home.result() == whole.result()
    assert home.metrics().resumed == (0 if cleared else 1)
    assert not home.checkpoints()
    left = {path.name for path in home.files.folder.iterdir() if not path.name.startswith(".")}
    assert left == {"run.json", "log.jsonl", "predictions.safetensors", "metrics.json"}


@pytest.mark.slow
def test_a_pass_that_is_killed_goes_on_and_gives_the_same_features(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench("head-cached", folder)
    bench.undisturbed()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", Path.replace)  # what it is afterwards
        kill_when(".partial.safetensors", "after")()
        process = bench.start("killed")
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not bench.features("killed")
    log = folder / "killed" / "log.txt"
    assert "are done already" not in log.read_text(encoding="utf-8")
    (folder / "killed").rename(folder / "kept")  # what compare() removes is looked at before
    landing = Landing("head-cached", "the pass that computes features", None)
    compare(bench, "kept", [landing], remove=False)
    assert "images are done already" in (folder / "kept" / "log.txt").read_text(encoding="utf-8")
    left = folder / "kept" / "work" / "features"
    assert not list(left.glob("*.partial.safetensors"))
