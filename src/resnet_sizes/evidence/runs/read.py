"""Every run of a study: used if it is in order, otherwise named with its problem."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from resnet_sizes.evidence.runs.validate import (
    FinishedRun,
    RunProblem,
    last_epoch,
    read_run,
)
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import REPEAT_RUN
from resnet_sizes.schemas.evidence.verdicts import RunState
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import RunSettings, StudyFile, all_run_settings
from resnet_sizes.schemas.run.tensors import DatasetInfo, read_dataset_info
from resnet_sizes.schemas.study.study import Study

Results = dict[str, FinishedRun | RunProblem | None]
"""What reading each run gave, by its name; None where there are no metrics."""

_READERS = 4  # reading files and numpy's loops run side by side; more gain nothing


@dataclass(frozen=True)
class StudyRuns:
    """A study with what became of each of its runs; both in the study's order."""

    study: Study
    info: DatasetInfo
    finished: tuple[FinishedRun, ...]
    states: tuple[RunState, ...]
    unrequested: tuple[str, ...] = ()
    """Runs with results in the study's folder that the study does not ask for."""

    def of(self, protocol: str, model: str) -> tuple[FinishedRun, ...]:
        """The finished runs of one model in one protocol, by seed in the study's order."""
        return self._by_model.get((protocol, model), ())

    @cached_property
    def _by_model(self) -> dict[tuple[str, str], tuple[FinishedRun, ...]]:
        found: dict[tuple[str, str], list[FinishedRun]] = defaultdict(list)
        for run in self.finished:
            found[run.settings.protocol, run.settings.model].append(run)
        return {key: tuple(runs) for key, runs in found.items()}

    def unfinished(self, protocol: str, models: Sequence[str]) -> tuple[RunState, ...]:
        """The runs of some models in one protocol that give no numbers."""
        return tuple(
            state
            for state in self.states
            if state.protocol == protocol and state.model in models and state.state != "finished"
        )


def read_runs(study_file: StudyFile, folder: StudyFolder, allow_partial: bool) -> StudyRuns:
    """Read and check the results of every run that the study asks for.

    A run is used if its metrics follow their schema, belong to the run file beside them, which
    is what the study asks, agree with its predictions, and these are no copy of another seed's.
    Any other run is *missing*, *failed* (begun, no metrics) or *invalid* (with the problem
    named) and never averaged with the rest.

    Raises UserError if the dataset's record is missing or of other data than the study's; if
    no run is finished; and, unless `allow_partial`, if any run is not.
    """
    study = study_file.study
    info = read_dataset_info(folder.dataset_info, study.dataset)
    asked = list(all_run_settings(study))

    def read(settings: RunSettings) -> FinishedRun | RunProblem | None:
        if not folder.run(settings).metrics.exists():
            return None
        try:
            return read_run(settings, folder, info)
        except RunProblem as problem:
            return problem

    with ThreadPoolExecutor(_READERS) as pool:
        results: Results = dict(zip([s.name for s in asked], pool.map(read, asked), strict=True))
    results |= problems_between({s.name: s for s in asked}, results, folder)

    states = [_state(settings, results[settings.name], folder) for settings in asked]
    finished = [found for found in results.values() if isinstance(found, FinishedRun)]
    if not finished or (len(finished) < len(states) and not allow_partial):
        raise UserError(_unfinished(folder, states))
    unrequested = _unrequested(folder, results)
    return StudyRuns(study, info, tuple(finished), tuple(states), unrequested)


def _state(
    settings: RunSettings, found: FinishedRun | RunProblem | None, folder: StudyFolder
) -> RunState:
    log = folder.run(settings).log
    what: dict[str, Any] = {"state": "finished"}
    if isinstance(found, RunProblem):
        what = {"state": "invalid", "kind": found.kind, "problem": str(found)}
    elif found is None and (epoch := last_epoch(log)) is None:
        what = {"state": "missing"}
    elif found is None:
        problem = (
            f"{log}: tells of epoch {epoch} of {settings.epochs}, and there is no metrics.json: "
            "the training has not ended. Run snakemake again."
        )
        what = {"state": "failed", "problem": problem}
    protocol, model, seed = settings.protocol, settings.model, settings.seed
    return RunState(run=settings.name, protocol=protocol, model=model, seed=seed, **what)


def _unrequested(folder: StudyFolder, results: Results) -> tuple[str, ...]:
    runs = folder.folder / "runs"
    found = (path.parent.relative_to(runs).as_posix() for path in runs.rglob("metrics.json"))
    return tuple(sorted(name for name in found if name not in results))


def _unfinished(folder: StudyFolder, states: list[RunState]) -> str:
    """The error that names each run which cannot be used."""
    what = {"missing": "missing (it has no metrics.json)", "failed": "not finished: {0.problem}"}
    what["invalid"] = "invalid ({0.kind}): {0.problem}"
    lines = [
        f"  {each.run}: {what[each.state].format(each)}" for each in states if each.state in what
    ]
    head = f"{len(lines)} of {len(states)} runs cannot be used:"
    end = (
        "Delete what is named as invalid, then run snakemake again with the study's --configfile; "
        f"or report on the runs that are there: resnet-sizes report --partial {folder.study}"
    )
    if len(lines) == len(states):
        head = (
            f"none of the {len(states)} runs of this study is finished, so there is nothing to "
            "report:"
        )
        end = "Run snakemake with the study's --configfile to make them."
    return "\n".join([f"{folder.study}: {head}", *lines, end])


def problems_between(
    asked: Mapping[str, RunSettings], results: Results, folder: StudyFolder
) -> Results:
    """The runs that are not used because of what other runs hold, each with its problem.

    Labels come first: runs on other images are no copies.
    """
    found = _other_labels(results, folder)
    return found | _same_predictions(asked, results | found, folder)


def _other_labels(results: Results, folder: StudyFolder) -> Results:
    """Runs whose test labels are not those of most runs: they saw other images.

    Where no labels are those of more than half, none can be taken for the study's.
    """
    checked = {name: found for name, found in results.items() if isinstance(found, FinishedRun)}
    counts = Counter(found.labels_hash for found in checked.values())
    if len(counts) < 2:
        return {}
    usual, uses = counts.most_common(1)[0]
    is_majority = 2 * uses > len(checked)
    expected = (
        f"those of {uses} of {len(checked)} runs have {usual.hex()[:12]}…"
        if is_majority
        else f"the {len(checked)} runs hold {len(counts)} kinds, none in more than half of them"
    )
    return {
        name: RunProblem(
            "other-data",
            f"{folder.run_named(name).predictions}: its labels are not those of the study's other "
            f"runs (their hash is {found.labels_hash.hex()[:12]}…; {expected}). {REPEAT_RUN}",
        )
        for name, found in checked.items()
        if not is_majority or found.labels_hash != usual
    }


def _same_predictions(
    asked: Mapping[str, RunSettings], results: Results, folder: StudyFolder
) -> Results:
    """Runs whose logits are the same in every bit.

    Another seed or network draws other initial weights, at least those of the last layer, so no
    two trainings give that. One network with one seed may, under two readings that differ only
    in what has no effect (`precision: auto` and what it means here): those are no copies. Which
    run of a copied file is the original cannot be told, so none is used.
    """
    alike: dict[bytes, list[str]] = defaultdict(list)
    for name, found in results.items():
        if isinstance(found, FinishedRun):
            alike[found.logits_hash].append(name)
    problems: Results = {}
    for names in alike.values():
        if len({(asked[name].model, asked[name].seed) for name in names}) > 1:
            for name in names:
                others = ", ".join(other for other in names if other != name)
                problems[name] = RunProblem(
                    "duplicated",
                    f"{folder.run_named(name).predictions}: holds the same predictions, bit for "
                    f"bit, as {others}; no other network or seed gives that. "
                    "Delete these runs' folders and run snakemake again.",
                )
    return problems
