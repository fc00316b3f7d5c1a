"""One run's results: read, and checked before anything is made of them."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError
from pydantic_core import from_json

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.io.messages import REPEAT_RUN
from resnet_sizes.schemas.article.claims.base import Outcome
from resnet_sizes.schemas.base import Record
from resnet_sizes.schemas.paths import RunFolder, StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import Problem, RunFile, RunProblem, RunSettings
from resnet_sizes.schemas.run.tensors import (
    DatasetInfo,
    Float32Array,
    Int64Array,
    read_predictions,
)

_LOG_TAIL = 2**20
"""Bytes at the end of a run's log that are looked through for its last epoch."""

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """A run whose results agree with each other and with what was asked."""

    settings: RunSettings
    metrics: Metrics
    file: str
    """Its `metrics.json`, relative to the study's folder."""
    correct: npt.NDArray[np.bool_]
    """Which test images are classified rightly: bool `[N]`, the first of equal logits counting."""
    confusion: npt.NDArray[np.int64]
    """Numbers of test images by true and predicted class: int64 `[classes, classes]`."""
    logits_hash: bytes
    labels_hash: bytes
    origin: str = ""
    """Digest of the archive it comes from; empty of a run of ours."""

    @property
    def predictions_file(self) -> str:
        """Its `predictions.safetensors`, relative to the study's folder."""
        return RunFolder(Path(self.file).parent).predictions.as_posix()

    @property
    def has_computed_time(self) -> bool:
        """Whether its training time is computed, not measured: of a run with a feature cache it is
        what the run would have taken without, since the article's runs had none."""
        return self.metrics.equivalent_training_seconds is not None

    @property
    def time_field(self) -> str:
        """The field of the metrics that holds that time."""
        return "equivalent_training_seconds" if self.has_computed_time else "training_seconds"

    @cached_property
    def outcome(self) -> Outcome:
        """Its numbers."""
        metrics = self.metrics
        seconds: float = getattr(metrics, self.time_field)
        return Outcome(
            model=self.settings.model,
            accuracy=metrics.final_test_accuracy,
            minutes=seconds / 60,
            initial_loss=metrics.epochs[0].train_loss,
            final_loss=metrics.epochs[-1].train_loss,
            train_error=1 - metrics.epochs[-1].train_accuracy,
            metrics=metrics,
        )


def read_run(
    settings: RunSettings, folder: StudyFolder, info: DatasetInfo, origin: str = ""
) -> FinishedRun:
    """The results of one run, of ours or of an `origin` in the pool. Raises RunProblem with the
    first problem found."""
    files = (folder.pooled(origin) if origin else folder).run(settings)
    metrics = _read(files.metrics, Metrics, REPEAT_RUN)
    _check_run(metrics, settings, files, info)
    logits, labels = read_predictions(files.predictions, metrics.predictions_sha256)
    images, classes = info.test_images, len(info.class_names)
    if logits.shape != (images, classes):
        raise RunProblem(
            "inconsistent",
            f"{files.predictions}: logits has shape {list(logits.shape)}; the dataset has {images} "
            f"test images and {classes} classes. {REPEAT_RUN}",
        )
    predicted, fewest, most = predicted_classes(logits, labels)
    # Half an image: the accuracy is a count over a count, known to far more than that.
    if not fewest - 0.5 < metrics.final_test_accuracy * images < most + 0.5:
        raise RunProblem(
            "inconsistent",
            f"{files.predictions}: gives an accuracy of {fewest / images:.4f}, but metrics.json "
            f"has a final_test_accuracy of {metrics.final_test_accuracy:.4f}. Delete both files "
            "and run snakemake again: this run is then repeated.",
        )
    counts = np.bincount(labels * classes + predicted, minlength=classes**2)
    return FinishedRun(
        settings=settings,
        metrics=metrics,
        file=files.metrics.relative_to(folder.folder).as_posix(),
        correct=predicted == labels,
        confusion=counts.reshape(classes, classes),
        logits_hash=hashlib.sha256(logits.data).digest(),
        labels_hash=hashlib.sha256(labels.data).digest(),
        origin=origin,
    )


def _check_run(metrics: Metrics, asked: RunSettings, files: RunFolder, info: DatasetInfo) -> None:
    run = _read(files.run, RunFile, "Run snakemake again, which writes it again.")
    # The metrics' hash is that of their own run, which was checked when they were read.
    if metrics.run != run:
        raise RunProblem(
            "other-configuration",
            f"{files.metrics}: belongs to another run than {files.run.name} beside it: "
            f"{metrics.run.name} (run_hash {metrics.run_hash[:12]}…, expected: "
            f"{content_hash(run)[:12]}…). {REPEAT_RUN}",
        )
    changed = [
        f"{field} ({getattr(run, field)!r}; the study has {getattr(asked, field)!r})"
        for field in run.differing(asked)
    ]
    if changed:
        raise RunProblem(
            "other-configuration",
            f"{files.run}: is not the run that the study asks for; it differs in "
            f"{', '.join(changed)}. Run snakemake again: this run is then repeated.",
        )
    if metrics.dataset_identity != info.identity:
        raise RunProblem(
            "other-data",
            f"{files.metrics}: was made from other data ({metrics.dataset_identity[:12]}…; the "
            f"study's are {info.identity[:12]}…). {REPEAT_RUN}",
        )


def last_epoch(log: Path) -> int | None:
    """The last epoch that a run's log tells of; None where there is no log, 0 before the first
    epoch ended. A last line that is cut off does not count."""
    if not log.is_file():
        return None
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_TAIL))
        lines = file.read(_LOG_TAIL).splitlines()
    for line in reversed(lines):
        with suppress(ValueError, AttributeError):
            epoch = from_json(line).get("epoch")  # unlike json, bounded in depth
            if isinstance(epoch, int):
                return epoch
    return 0


def _read(path: Path, kind: type[R], remedy: str) -> R:
    try:
        return read_record(path, kind, remedy)
    except UserError as error:
        raise RunProblem(_kind_of(error, kind), str(error)) from None


def _kind_of(error: UserError, kind: type[Record]) -> Problem:
    """What is wrong with a file that is no valid record, from what its reading met."""
    cause = error.__context__
    if not isinstance(cause, ValidationError):  # it is gone, or too large
        return "truncated"
    problems = cause.errors(include_url=False)
    types = {problem["type"] for problem in problems}
    if "json_invalid" in types:
        return "truncated"
    if any(problem["loc"] == ("schema_version",) for problem in problems):
        return "other-schema"
    if "finite_number" in types:
        return "not-finite"
    if types != {"value_error"}:  # those of our own checks, which compare fields
        return "out-of-schema"
    whole = problems[0]["input"]
    if kind is Metrics and not problems[0]["loc"] and len(whole["epochs"]) < whole["run"]["epochs"]:
        return "truncated"
    return "inconsistent"


def predicted_classes(logits: Float32Array, labels: Int64Array) -> tuple[Int64Array, int, int]:
    """The class with the largest logit in each image, and how many of them are right, `(which,
    at least, at most)`.

    `logits` is float32 `[N, classes]`, `labels` int64 `[N]`; `which` is `[N]`, the first of equal
    logits counting. The two numbers differ where the true class shares the largest logit with
    another (common in bf16): libraries break such ties differently, so neither is wrong.
    """
    # One class per row: numpy is several times slower along rows of ten.
    by_class = np.ascontiguousarray(logits.T)
    top = by_class.max(axis=0)
    label_on_top = logits[np.arange(len(labels)), labels] == top
    alone_on_top = np.add.reduce(by_class == top, axis=0, dtype=np.intp) == 1
    fewest, most = (int(np.count_nonzero(x)) for x in (label_on_top & alone_on_top, label_on_top))
    return logits.argmax(axis=1), fewest, most
