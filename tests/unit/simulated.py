"""Studies drawn from a known truth, with the article's claims, for the error rates of verdicts.

Whether a run classifies a test image rightly is a coin whose logit has a part of the image, a
part of the image in this network, and a part of the seed. Images that are hard for one network
are thus mostly hard for the others, and two seeds differ in answers even where they are equally
good, as real runs do.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from scipy import optimize, special
from synthetic import ARTICLE, MODELS

from resnet_sizes.evidence.judging.judge import judge
from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.evidence.runs.validate import FinishedRun
from resnet_sizes.evidence.statistics.sampling import ImageResamples, samplings
from resnet_sizes.schemas.article.article import Article, load_article
from resnet_sizes.schemas.base import Record
from resnet_sizes.schemas.evidence.verdicts import Verdict
from resnet_sizes.schemas.run.metrics import Code, Device, EpochMetrics, Metrics
from resnet_sizes.schemas.run.run import RunSettings
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.study.study import Study

R = TypeVar("R", bound=Record)

IMAGES = 1000
PROTOCOL = "drawn"

_CODE = Code(training_hash="c" * 64, git_commit=None, git_dirty=None)

_POINTS = special.ndtri((np.arange(4000) + 0.5) / 4000)
"""Equally likely values of the standard normal distribution; float64 `[4000]`."""


@cache
def resamples() -> ImageResamples:
    # Intervals and probabilities need many draws; the decisions that are counted need none.
    return ImageResamples(IMAGES, resamples=50)


@cache
def article_article() -> Article:
    return load_article(Path(ARTICLE))


@dataclass(frozen=True, eq=False, kw_only=True)
class Truth:
    """What the runs of three networks are drawn from: equal ones, but for what is given by model.

    `logits` are the means over all possible images, `minutes` those of training, `first_loss` is
    in nats, `drop` the fraction of it that is gone at the end. Spreads are standard deviations: on
    the logit scale of images, of images in one network, and of seeds; of the logarithms of times;
    of losses. `outliers` is the share of runs whose logits are lower by `outlier`. A `seed_spread`
    of 0.02 are about 0.3 points of accuracy, an `outlier` of 0.35 about 5 points.
    """

    logits: Mapping[str, float] | float = 1.5
    minutes: Mapping[str, float] | float = 50.0
    first_loss: Mapping[str, float] | float = 1.8
    drop: Mapping[str, float] | float = 0.5
    image_spread: float = 1.0
    network_spread: float = 0.7
    seed_spread: float = 0.02
    time_spread: float = 0.03
    loss_spread: float = 0.02
    outliers: float = 0.0
    outlier: float = 0.35
    device: str = "drawn"

    def study(self, generator: np.random.Generator, seeds: int, readings: int = 1) -> StudyRuns:
        """One study drawn from the truth; its readings' names are numbers."""
        study = Study.model_construct(
            name="drawn",
            demo=False,
            models=list(MODELS),
            protocols=[PROTOCOL, *map(str, range(1, readings))],
            seeds=list(range(seeds)),
            training=_Training(),
        )
        info = DatasetInfo.model_construct(
            content="cifar10", train_images=50_000, test_images=IMAGES,
            full_train_images=50_000, full_test_images=IMAGES,
        )  # fmt: skip
        return self.runs(study, info, generator)

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
                of_network = _of(self.logits, settings.model) + of_images + own
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
        first = _of(self.first_loss, model) * (1 + generator.normal(0, self.loss_spread))
        drop = _of(self.drop, model) + generator.normal(0, self.loss_spread)
        minutes = _of(self.minutes, model) * float(np.exp(generator.normal(0, self.time_spread)))
        metrics = record_with(
            Metrics,
            final_test_accuracy=float(correct.mean()),
            epochs=[
                record_with(EpochMetrics, train_loss=loss, train_accuracy=0.9)
                for loss in (first, first * (1 - drop))
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


def _of(given: Mapping[str, float] | float, model: str) -> float:
    return given[model] if isinstance(given, Mapping) else given


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


def logit_of(accuracy: float) -> float:
    """The mean logit with which so many of all possible test images are classified rightly."""
    truth = Truth()
    spread = math.hypot(truth.image_spread, truth.network_spread)
    most = 50.0 + 10 * spread
    return float(
        optimize.brentq(
            lambda mean: special.expit(mean + spread * _POINTS).mean() - accuracy, -most, most
        )
    )


class _Training:
    """The article's own set-up."""

    epochs, iterations, batch_size, learning_rate = 50, None, 256, 0.0005


def article_of(ids: Sequence[str]) -> Article:
    """Some claims of the article's article file, asked of as many images as are drawn."""
    article = article_article()
    claims = [claim for claim in article.claims if claim.id in ids]
    setup = article.setup.model_copy(update={"test_images": IMAGES})
    return article.model_copy(update={"claims": claims, "setup": setup})


def verdicts_of(runs: StudyRuns, article: Article) -> dict[str, Verdict]:
    return {
        verdict.id: verdict for verdict in judge(article, samplings(runs, resamples())).verdicts
    }
