"""Studies drawn from a known truth, in memory: to plan one, and to count wrong verdicts.

Whether a run classifies a test image rightly is a coin whose logit has a part of the image, a
part of the image in this network, and a part of the seed. Images that are hard for one network
are thus mostly hard for the others, and two seeds differ in answers even where they are equally
good, as real runs do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.evidence.runs.validate import FinishedRun
from resnet_sizes.schemas.base import Record
from resnet_sizes.schemas.run.metrics import Code, Device, EpochMetrics, Metrics
from resnet_sizes.schemas.run.run import RunSettings
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.study.study import Study

R = TypeVar("R", bound=Record)

_CODE = Code(training_hash="c" * 64, git_commit=None, git_dirty=None)

_POINTS = special.ndtri((np.arange(4000) + 0.5) / 4000)
"""Equally likely values of the standard normal distribution; float64 `[4000]`. So many are needed
where logits spread so far that their share of right answers is nearly a step."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Truth:
    """What the runs of each network are drawn from.

    `logits` are the means over all possible images; where `accuracies` (fractions) are given, they
    are shifted until these are the means over the images drawn. `minutes` are those of training,
    `first_loss` is in nats, `drop` the fraction of it that is gone at the end. Spreads are standard
    deviations: on the logit scale of images, of images in one network, and of seeds; of the
    logarithms of times; of losses. `outliers` is the share of runs whose logits are lower by
    `outlier`.
    """

    logits: Mapping[str, float]
    accuracies: Mapping[str, float] | None = None
    minutes: Mapping[str, float]
    first_loss: Mapping[str, float]
    drop: Mapping[str, float]
    image_spread: float = 1.0
    network_spread: float = 0.7
    seed_spread: float = 0.02
    time_spread: float = 0.03
    loss_spread: float = 0.02
    outliers: float = 0.0
    outlier: float = 0.35
    device: str = "drawn"

    def runs(self, study: Study, info: DatasetInfo, generator: np.random.Generator) -> StudyRuns:
        """All runs of the study, on test images drawn for it; its protocols have the same truth."""
        images = info.test_images
        of_images = generator.normal(0, self.image_spread, images)
        finished = []
        of_network: npt.NDArray[np.float64] = of_images
        before = None
        for settings in all_settings(study):
            if (settings.protocol, settings.model) != before:
                before = settings.protocol, settings.model
                own = generator.normal(0, self.network_spread, images)
                of_network = self.logits[settings.model] + of_images + own
                if self.accuracies is not None:
                    of_network = _shifted(of_network, self.accuracies[settings.model])
            finished.append(self._run(generator, settings, of_network))
        return StudyRuns(study, info, tuple(finished), ())

    def _run(
        self,
        generator: np.random.Generator,
        settings: RunSettings,
        of_network: npt.NDArray[np.float64],
    ) -> FinishedRun:
        model = settings.model
        worse = self.outlier if generator.random() < self.outliers else 0.0
        logits = of_network + generator.normal(0, self.seed_spread) - worse
        correct = generator.random(len(logits)) < special.expit(logits)
        first = self.first_loss[model] * (1 + generator.normal(0, self.loss_spread))
        drop = self.drop[model] + generator.normal(0, self.loss_spread)
        minutes = self.minutes[model] * float(np.exp(generator.normal(0, self.time_spread)))
        metrics = record_with(
            Metrics,
            final_test_accuracy=float(correct.mean()),
            epochs=[
                record_with(EpochMetrics, train_loss=loss) for loss in (first, first * (1 - drop))
            ],
            training_seconds=minutes * 60,
            equivalent_training_seconds=None,
            macs_per_image=1,
            device=Device(kind="cuda", name=self.device, threads=1),
            code=_CODE,
            versions={},
        )
        no_classes = np.empty((0, 0), dtype=np.int64)
        return FinishedRun(settings, metrics, "metrics.json", correct, no_classes, b"", b"")


def _shifted(logits: npt.NDArray[np.float64], accuracy: float) -> npt.NDArray[np.float64]:
    """The same, float64 `[images]`, with so large a mean share of right answers; by Newton's
    method, from near it."""
    for _ in range(4):
        shares = special.expit(logits)
        logits = logits + (accuracy - shares.mean()) / (shares * (1 - shares)).mean()
    return logits


def record_with(kind: type[R], **fields: Any) -> R:
    """A record of nothing but these fields, unchecked: judging asks for no others."""
    return cast(R, kind.model_construct(**fields))


def all_settings(study: Study) -> list[RunSettings]:
    """What names each run of a study, in its order: protocols, then models, then seeds."""
    return [
        record_with(RunSettings, protocol=protocol, model=model, seed=seed)
        for protocol in study.protocols
        for model in study.models
        for seed in study.seeds_of(protocol)
    ]


def logit_of(accuracy: float, spread: float) -> float:
    """The mean logit with which so many of all possible images are classified rightly, where
    logits have the standard deviation `spread`."""
    most = 50.0 + 10 * spread
    return float(
        optimize.brentq(
            lambda mean: special.expit(mean + spread * _POINTS).mean() - accuracy, -most, most
        )
    )


def churn(logit: float, spread: float) -> float:
    """The variance of one answer between runs that are equally good, as a mean over the images:
    half of the share of images in which two of them differ. It is also by how much the accuracy
    changes with the logit."""
    shares = special.expit(logit + spread * _POINTS)
    return float((shares * (1 - shares)).mean())
