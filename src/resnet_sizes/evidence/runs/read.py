"""Every run of a study: used if it is in order, otherwise named with its problem."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from resnet_sizes.evidence.runs.validate import FinishedRun, last_epoch, read_run
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.io.messages import REPEAT_RUN
from resnet_sizes.schemas.article.claims.base import Outcomes
from resnet_sizes.schemas.evidence.verdicts import RunState
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import (
    RunProblem,
    RunSettings,
    StudyFile,
    all_run_settings,
    run_settings,
)
from resnet_sizes.schemas.run.tensors import DatasetInfo, read_dataset_info
from resnet_sizes.schemas.study.study import Study
from resnet_sizes.schemas.verification import Pool, PooledOrigin, WhyLeftOut

Result = FinishedRun | RunProblem | None
"""What reading a run gave; None where there are no metrics."""

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
    pooled: tuple[FinishedRun, ...] = ()
    """Runs of others that count as further seeds, by archive."""
    origins: tuple[PooledOrigin, ...] = ()

    @cached_property
    def own(self) -> "StudyRuns":
        """Without the runs of others: times are a device's own."""
        return replace(self, pooled=()) if self.pooled else self

    def of(self, protocol: str, model: str) -> tuple[FinishedRun, ...]:
        """The finished runs of one model in one protocol: ours by seed in the study's order, then
        those of others, archive by archive."""
        return self._by_model.get((protocol, model), ())

    @cached_property
    def _by_model(self) -> dict[tuple[str, str], tuple[FinishedRun, ...]]:
        found: dict[tuple[str, str], tuple[FinishedRun, ...]] = defaultdict(tuple)
        for run in (*self.finished, *self.pooled):
            found[run.settings.protocol, run.settings.model] += (run,)
        return found

    def first_of(self, model: str) -> FinishedRun | None:
        """A run of a model in whatever protocol, for what its definition decides."""
        found = (own[0] for (_, each), own in self._by_model.items() if each == model)
        return next(found, None)

    def outcomes_by_seed(self, protocol: str, models: Sequence[str]) -> list[Outcomes]:
        """One table per seed for which all of `models` are finished, in the order of `of`."""
        seeds = self._common_seeds(protocol, models).values()
        return [{model: run.outcome for model, run in runs.items()} for runs in seeds]

    def counts(self, protocol: str, models: Sequence[str]) -> list[int]:
        """How many of these seeds come from each origin, ours first."""
        return list(Counter(origin for origin, _ in self._common_seeds(protocol, models)).values())

    def _common_seeds(
        self, protocol: str, models: Sequence[str]
    ) -> dict[tuple[str, int], dict[str, FinishedRun]]:
        found: dict[tuple[str, int], dict[str, FinishedRun]] = defaultdict(dict)
        for run in (run for model in models for run in self.of(protocol, model)):
            found[run.origin, run.settings.seed][run.settings.model] = run
        return {seed: runs for seed, runs in found.items() if len(runs) == len(models)}

    def unfinished(self, protocol: str, models: Sequence[str]) -> list[RunState]:
        """The runs of some models in one protocol that give no numbers."""
        of_these = [s for s in self.states if s.protocol == protocol and s.model in models]
        return [state for state in of_these if state.state != "finished"]


class UnfinishedStudy(UserError):
    """Runs cannot be used, and without them there is nothing to make."""


def on_one_device(runs: Iterable[FinishedRun]) -> bool:
    """Whether the runs' times may be compared: same device and same number of CPU threads, also
    before an interruption."""
    devices = set()
    for run in runs:
        before = [each.before for each in run.metrics.resumptions if each.before]
        devices |= {(d.kind, d.name, d.threads) for d in (run.metrics.device, *before)}
    return len(devices) <= 1


def from_one_code(runs: Iterable[FinishedRun]) -> bool:
    """Whether those of each origin were made by the same training code under the same version of
    torch, also before an interruption."""
    made_by = set()
    for run in runs:
        code, torch = run.metrics.code.training_hash, run.metrics.versions.get("torch", "")
        # A resumption tells of no version that stayed the same.
        before = [each.versions_before.get("torch", torch) for each in run.metrics.resumptions]
        made_by |= {(run.origin, code, version) for version in (torch, *before)}
    return len(made_by) == len({origin for origin, _, _ in made_by})


def read_runs(study_file: StudyFile, folder: StudyFolder, allow_partial: bool) -> StudyRuns:
    """Read and check the results of every run that the study asks for.

    A run is used if its metrics follow their schema, belong to the run file beside them, which
    is what the study asks, agree with its predictions, and these are no copy of another seed's.
    Any other run is *missing*, *failed* (begun, no metrics) or *invalid* (with the problem
    named) and never averaged with the rest.

    Raises UserError if the dataset's record is missing or of other data than the study's; if
    no run is finished; unless `allow_partial`, if any run is not; and as `_read_pool` does.
    """
    study = study_file.study
    info = read_dataset_info(folder.dataset_info, study.dataset)
    asked = all_run_settings(study)

    def read(settings: RunSettings) -> Result:
        try:
            has_metrics = folder.run(settings).metrics.exists()
            return read_run(settings, folder, info) if has_metrics else None
        except RunProblem as problem:
            return problem

    with ThreadPoolExecutor(_READERS) as pool:
        results = dict(zip([each.name for each in asked], pool.map(read, asked), strict=True))
    # Labels come first: runs on other images are no copies.
    results |= _other_labels(_finished(results), folder)
    results |= _same_predictions(_finished(results), folder)

    states = [_state(settings, results[settings.name], folder) for settings in asked]
    finished = _finished(results)
    if not finished or (len(finished) < len(states) and not allow_partial):
        raise UnfinishedStudy(_unfinished(folder, states))
    place = folder.folder / "runs"
    there = {path.parent.relative_to(place).as_posix() for path in place.rglob("metrics.json")}
    unrequested = sorted(there - results.keys())
    pooled, origins = _read_pool(study, folder, info, finished)
    parts = tuple(finished), tuple(states), tuple(unrequested), tuple(pooled), tuple(origins)
    return StudyRuns(study, info, *parts)


def _finished(results: Mapping[str, Result]) -> list[FinishedRun]:
    return [found for found in results.values() if isinstance(found, FinishedRun)]


def _state(settings: RunSettings, found: Result, folder: StudyFolder) -> RunState:
    log = folder.run(settings).log
    what: dict[str, Any] = {"state": "finished"}
    if isinstance(found, RunProblem):
        what = {"state": "invalid", "kind": found.kind, "problem": str(found)}
    elif found is None and (epoch := last_epoch(log)) is None:
        what = {"state": "missing"}
    elif found is None:
        of = f" of {settings.epochs}" if settings.epochs else ""
        problem = (
            f"{log}: tells of epoch {epoch}{of}, and there is no metrics.json: "
            "the training has not ended. Run snakemake again."
        )
        what = {"state": "failed", "problem": problem}
    protocol, model, seed = settings.protocol, settings.model, settings.seed
    return RunState(run=settings.name, protocol=protocol, model=model, seed=seed, **what)


def _unfinished(folder: StudyFolder, states: list[RunState]) -> str:
    """The error that names each run which cannot be used."""
    what = {"missing": "missing (it has no metrics.json)", "failed": "not finished: {0.problem}"}
    what["invalid"] = "invalid ({0.kind}): {0.problem}"
    lines = [f"  {of.run}: {what[of.state].format(of)}" for of in states if of.state in what]
    head = f"{len(lines)} of {len(states)} runs cannot be used:"
    end = (
        "Delete what is named as invalid, then run snakemake again with the study's --configfile; "
        f"or report on the runs that are there: resnet-sizes report --partial {folder.study}"
    )
    if len(lines) == len(states):
        head = f"no run of this study is finished ({len(states)} asked for), so nothing to report:"
        end = "Run snakemake with the study's --configfile to make them."
    return "\n".join([f"{folder.study}: {head}", *lines, end])


def _other_labels(runs: Sequence[FinishedRun], folder: StudyFolder) -> dict[str, Result]:
    """Runs whose test labels are not those of more than half of all: they saw other images."""
    counts = Counter(run.labels_hash for run in runs)
    return {
        run.settings.name: RunProblem(
            "other-data",
            f"{folder.run(run.settings).predictions}: its labels are not those of most runs "
            f"({counts[run.labels_hash]} of {len(runs)} have them; needed: more than half). "
            f"{REPEAT_RUN}",
        )
        for run in runs
        if 2 * counts[run.labels_hash] <= len(runs)
    }


def _same_predictions(runs: Sequence[FinishedRun], folder: StudyFolder) -> dict[str, Result]:
    """Runs whose logits are the same in every bit.

    Another seed or network draws other initial weights, at least those of the last layer, so no
    two trainings give that. One network with one seed may, under two readings that differ only
    in what has no effect (`precision: auto` and what it means here): those are no copies. Which
    run of a copied file is the original cannot be told, so none is used.
    """
    alike: dict[bytes, list[RunSettings]] = defaultdict(list)
    for run in runs:
        alike[run.logits_hash].append(run.settings)
    return {
        each.name: RunProblem(
            "duplicated",
            f"{folder.run(each).predictions}: holds the same predictions, bit for bit, as "
            f"{', '.join(other.name for other in group if other is not each)}; no other network or "
            "seed gives that. Delete these runs' folders and run snakemake again.",
        )
        for group in alike.values()
        if len({(each.model, each.seed) for each in group}) > 1
        for each in group
    }


def _read_pool(
    study: Study, folder: StudyFolder, info: DatasetInfo, ours: Sequence[FinishedRun]
) -> tuple[list[FinishedRun], list[PooledOrigin]]:
    """The runs of others that count as further seeds, archive by archive, and what became of each.

    A seed of a protocol counts once, and only where all of the study's models have it: ours before
    any other, then that of the archive named first. Raises UserError where archives have not been
    taken over as the study is now, or a run cannot be read.
    """
    remedy = f"Run: resnet-sizes study pool {folder.study}"
    origins = read_record(folder.pool, Pool, remedy).origins if study.pool else []
    if [origin.path for origin in origins] != study.pool:
        raise UserError(f"{folder.pool}: is of other archives than the study names. {remedy}")
    taken: dict[tuple[str, int], WhyLeftOut] = {
        (name, seed): "seed-is-ours" for name in study.protocols for seed in study.seeds_of(name)
    }
    known, records = list(ours), []
    for origin in origins:
        place, used = folder.pooled(origin.digest), []
        left_out: dict[str, WhyLeftOut] = dict.fromkeys(origin.left_out, "other-settings")
        for name in study.protocols:
            files = (place.folder / "runs" / name).glob("*/seed-*/metrics.json")
            for seed in sorted({int(file.parent.name.removeprefix("seed-")) for file in files}):
                asked = [run_settings(study, name, model, seed) for model in study.models]
                there = [each for each in asked if place.run(each).metrics.is_file()]
                try:
                    runs = [read_run(each, folder, info, origin.digest) for each in there]
                except RunProblem as problem:
                    raise UserError(f"{problem} Of the pool: {remedy}") from None
                whole = len(there) == len(asked)
                if why := taken.get((name, seed)) or _obstacle(runs, known, whole):
                    left_out |= {run.settings.name: why for run in runs}
                else:
                    used += runs
                    taken[name, seed] = "seed-is-anothers"
        known += used
        names = [run.settings.name for run in used]
        records.append(PooledOrigin(origin=origin, used=names, left_out=left_out))
    return known[len(ours) :], records


def _obstacle(
    runs: Sequence[FinishedRun], known: Sequence[FinishedRun], whole: bool
) -> WhyLeftOut | None:
    """What keeps the runs of one seed from counting beside those that are `known`, ours first."""
    firsts = {(run.settings.protocol, run.settings.model): run for run in reversed(known)}
    pairs = [(firsts.get((run.settings.protocol, run.settings.model)), run) for run in runs]
    for own, run in pairs:
        if own is None or not whole:
            return "incomplete"
        if own.metrics.code.training_hash != run.metrics.code.training_hash:
            return "other-code"
        if own.labels_hash != run.labels_hash:
            return "other-settings"
        if any(each.logits_hash == run.logits_hash for each in known):
            return "same-predictions"
    return None
