"""Reading every run of a study: used if it is in order, otherwise named with its problem."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resnet_sizes.records.base import content_hash
from resnet_sizes.records.dataset import DatasetInfo
from resnet_sizes.records.errors import UserError
from resnet_sizes.records.files import read_record
from resnet_sizes.records.layout import RunFolder, StudyFolder
from resnet_sizes.records.metrics import Metrics
from resnet_sizes.records.run import RunFile, RunSettings, StudyFile, all_run_settings
from resnet_sizes.records.study import Study
from resnet_sizes.records.tensor_file import Float32Array, Int64Array, read_predictions
from resnet_sizes.records.verdicts import RunState

_REPEAT = "Delete it and run snakemake again: this run is then repeated."


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """A run whose results passed every check."""

    settings: RunSettings
    metrics: Metrics
    file: str
    """Its `metrics.json`, relative to the study's folder."""
    correct: npt.NDArray[np.bool_]
    """Which test images it classifies rightly: bool `[N]`, the first of equal logits counting."""


@dataclass(frozen=True)
class StudyRuns:
    """A study with what became of each of its runs; both in the study's order."""

    study: Study
    info: DatasetInfo
    finished: tuple[FinishedRun, ...]
    states: tuple[RunState, ...]

    def of(self, protocol: str, model: str) -> tuple[FinishedRun, ...]:
        """The finished runs of one model in one protocol, by seed in the study's order."""
        return tuple(
            run
            for run in self.finished
            if (run.settings.protocol, run.settings.model) == (protocol, model)
        )

    def unfinished(self, protocol: str, models: list[str]) -> tuple[RunState, ...]:
        """The missing and invalid runs of some models in one protocol."""
        return tuple(
            state
            for state in self.states
            if state.protocol == protocol and state.model in models and state.state != "finished"
        )


def read_runs(study_file: StudyFile, folder: StudyFolder, allow_partial: bool) -> StudyRuns:
    """Read and check the results of every run that the study asks for.

    A run is used if its metrics follow their schema, belong to the run file beside them, which
    is what the study asks, and agree with its predictions. Any other run is *missing* (no
    metrics) or *invalid* (with the problem named) and never averaged with the rest.

    Raises UserError if the dataset's record is missing or of other data than the study's; if
    no run is finished; and, unless `allow_partial`, if any run is missing or invalid.
    """
    study = study_file.study
    info = _read_info(study, folder)
    finished, states = [], []
    for settings in all_run_settings(study):
        files = folder.run(settings)
        problem: str | None = None
        read: tuple[Metrics, npt.NDArray[np.bool_]] | None = None
        if files.metrics.exists():
            try:
                read = _read_run(settings, files, info)
            except UserError as error:
                problem = str(error)
        if read is not None:
            relative = files.metrics.relative_to(folder.folder).as_posix()
            finished.append(FinishedRun(settings, read[0], relative, read[1]))
        states.append(
            RunState(
                run=settings.name,
                protocol=settings.protocol,
                model=settings.model,
                seed=settings.seed,
                state="finished" if read else "invalid" if problem else "missing",
                problem=problem,
            )
        )
    if not finished:
        raise UserError(_no_runs(folder, states))
    if len(finished) < len(states) and not allow_partial:
        raise UserError(_unfinished_runs(folder, states))
    return StudyRuns(study, info, tuple(finished), tuple(states))


def _read_info(study: Study, folder: StudyFolder) -> DatasetInfo:
    remedy = f"Run snakemake again, or: resnet-sizes data {folder.study}"
    info = read_record(folder.dataset_info, DatasetInfo, remedy)
    if info.spec != study.dataset:
        raise UserError(
            f"{folder.dataset_info}: was made for another `dataset:` than {folder.study} names. "
            f"{remedy}"
        )
    return info


def _read_run(
    settings: RunSettings, files: RunFolder, info: DatasetInfo
) -> tuple[Metrics, npt.NDArray[np.bool_]]:
    """The metrics of one run. Raises UserError with the first problem found."""
    metrics = read_record(files.metrics, Metrics, _REPEAT)
    run = read_record(files.run, RunFile, "Run snakemake again: it is then written anew.")
    if metrics.run_hash != content_hash(run):
        raise UserError(
            f"{files.metrics}: belongs to another run than {files.run.name} beside it "
            f"(run_hash {metrics.run_hash[:12]}…, expected: {content_hash(run)[:12]}…). {_REPEAT}"
        )
    changed = [
        f"{field} ({getattr(run, field)!r}; the study has {getattr(settings, field)!r})"
        for field in RunSettings.model_fields
        if getattr(run, field) != getattr(settings, field)
    ]
    if changed:
        raise UserError(
            f"{files.run}: is not the run that the study asks for; it differs in "
            f"{', '.join(changed)}. Run snakemake again: this run is then repeated."
        )
    if metrics.dataset_identity != info.identity:
        raise UserError(
            f"{files.metrics}: was made from other data ({metrics.dataset_identity[:12]}…; the "
            f"study's are {info.identity[:12]}…). {_REPEAT}"
        )
    return metrics, _check_predictions(metrics, files.predictions, info)


def _check_predictions(metrics: Metrics, path: Path, info: DatasetInfo) -> npt.NDArray[np.bool_]:
    logits, labels = read_predictions(path)
    expected = (info.test_images, len(info.class_names))
    if logits.shape != expected:
        raise UserError(
            f"{path}: logits has shape {list(logits.shape)}; the dataset has {expected[0]} test "
            f"images and {expected[1]} classes. {_REPEAT}"
        )
    fewest, most = correct_predictions(logits, labels)
    claimed = metrics.final_test_accuracy * len(labels)
    # Half an image: the accuracy is a count over a count, known to far more than that.
    if not fewest - 0.5 < claimed < most + 0.5:
        raise UserError(
            f"{path}: gives an accuracy of {fewest / len(labels):.4f}, but metrics.json has a "
            f"final_test_accuracy of {metrics.final_test_accuracy:.4f}. Delete both files and "
            "run snakemake again: this run is then repeated."
        )
    right: npt.NDArray[np.bool_] = logits.argmax(axis=1) == labels
    return right


def correct_predictions(logits: Float32Array, labels: Int64Array) -> tuple[int, int]:
    """How many images are classified rightly, `(at least, at most)`.

    `logits` is float32 `[N, classes]`, `labels` int64 `[N]`. The two differ where the true
    class shares the largest logit with another (common in bf16): libraries break such ties
    differently, so neither count is wrong.
    """
    top = logits.max(axis=1)
    label_on_top = logits[np.arange(len(labels)), labels] == top
    alone_on_top = np.count_nonzero(logits == top[:, None], axis=1) == 1
    return int(np.count_nonzero(label_on_top & alone_on_top)), int(np.count_nonzero(label_on_top))


def _no_runs(folder: StudyFolder, states: list[RunState]) -> str:
    return (
        f"{folder.study}: none of the {len(states)} runs of this study is finished, so there is "
        "nothing to report:\n"
        + "\n".join(_lines(states))
        + "\nRun snakemake with the study's --configfile to make them."
    )


def _unfinished_runs(folder: StudyFolder, states: list[RunState]) -> str:
    lines = list(_lines(states))
    return (
        f"{folder.study}: {len(lines)} of {len(states)} runs cannot be used:\n"
        + "\n".join(lines)
        + "\nDelete what is named as invalid, then run snakemake again with the study's "
        "--configfile; or report on the runs that are there: "
        f"resnet-sizes report --partial {folder.study}"
    )


def _lines(states: list[RunState]) -> Iterator[str]:
    for state in states:
        if state.state == "missing":
            yield f"  {state.run}: missing (it has no metrics.json)"
        elif state.state == "invalid":
            yield f"  {state.run}: invalid: {state.problem}"
