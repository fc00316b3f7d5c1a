"""Studies drawn from a known truth, without files, for the error rates of verdicts."""

import itertools
import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from synthetic import ARTICLE, MODELS

from resnet_sizes.evidence.judging.judge import judge
from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.evidence.runs.validate import FinishedRun
from resnet_sizes.evidence.statistics.sampling import ImageResamples, samplings
from resnet_sizes.schemas.article.article import Article, load_article
from resnet_sizes.schemas.evidence.verdicts import Verdict
from resnet_sizes.schemas.run.metrics import Code, Device, EpochMetrics, Metrics
from resnet_sizes.schemas.run.run import RunSettings
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.study.study import Study

IMAGES = 1000
PROTOCOL = "drawn"
IMAGE_SPREAD, MODEL_SPREAD = 1.0, 0.7
_DEVICE = Device(kind="cuda", name="drawn", threads=1)
_CODE = Code(training_hash="c" * 64, git_commit=None, git_dirty=None)


@cache
def resamples() -> ImageResamples:
    # Intervals and probabilities need many draws; the decisions that are counted need none.
    return ImageResamples(IMAGES, resamples=50)


@cache
def article_article() -> Article:
    return load_article(Path(ARTICLE))


class Truth:
    """What the runs of each model are drawn from.

    The probability that a run classifies an image rightly has on the logit scale a part of the
    image, a part of the image in this model, and a part of the seed. `logits` are the means by
    model; equal ones are equal accuracies over all possible test images.
    """

    def __init__(
        self,
        *,
        logits: Mapping[str, float] | float = 1.5,
        seed_spread: float = 0.02,
        minutes: Mapping[str, float] | float = 50.0,
        time_spread: float = 0.03,
        first_loss: Mapping[str, float] | float = 1.8,
        drop: Mapping[str, float] | float = 0.5,
        loss_spread: float = 0.02,
        outliers: float = 0.0,
        outlier: float = 0.35,
    ) -> None:
        """Spreads are standard deviations: on the logit scale (0.02 are about 0.3 points of
        accuracy), of the logarithms of times, and of losses. `outliers` is the share of runs
        whose logits are lower by `outlier` (0.35 are about 5 points)."""

        def by_model(given: Mapping[str, float] | float) -> Mapping[str, float]:
            return given if isinstance(given, Mapping) else dict.fromkeys(MODELS, given)

        self.logits, self.minutes = by_model(logits), by_model(minutes)
        self.first_loss, self.drop = by_model(first_loss), by_model(drop)
        self.seed_spread, self.time_spread = seed_spread, time_spread
        self.loss_spread = loss_spread
        self.outliers, self.outlier = outliers, outlier

    def study(self, generator: np.random.Generator, seeds: int, readings: int = 1) -> StudyRuns:
        """One study drawn from the truth, on test images drawn for it; its readings, whose names
        are numbers, all have the same truth."""
        image_part = generator.normal(0, IMAGE_SPREAD, IMAGES)
        protocols = [PROTOCOL, *map(str, range(1, readings))]
        finished = []
        for protocol, model in itertools.product(protocols, MODELS):
            of_model = self.logits[model] + image_part
            of_model = of_model + generator.normal(0, MODEL_SPREAD, IMAGES)
            for seed in range(seeds):
                finished.append(self._run(generator, protocol, model, seed, of_model))
        study = Study.model_construct(
            name="drawn",
            demo=False,
            models=list(MODELS),
            protocols=protocols,
            seeds=list(range(seeds)),
            training=_Training(),
        )
        info = DatasetInfo.model_construct(
            content="cifar10", train_images=50_000, test_images=IMAGES,
            full_train_images=50_000, full_test_images=IMAGES,
        )  # fmt: skip
        return StudyRuns(study, info, tuple(finished), ())

    def _run(
        self, generator: np.random.Generator, protocol: str, model: str, seed: int, of_model: Any
    ) -> FinishedRun:
        worse = self.outlier if generator.random() < self.outliers else 0.0
        logits = of_model + generator.normal(0, self.seed_spread) - worse
        correct = generator.random(IMAGES) < 1 / (1 + np.exp(-logits))
        first = self.first_loss[model] * (1 + generator.normal(0, self.loss_spread))
        drop = self.drop[model] + generator.normal(0, self.loss_spread)
        minutes = self.minutes[model] * float(np.exp(generator.normal(0, self.time_spread)))
        epochs = [
            EpochMetrics.model_construct(train_loss=loss) for loss in (first, first * (1 - drop))
        ]
        metrics = Metrics.model_construct(
            final_test_accuracy=float(correct.mean()),
            epochs=epochs,
            training_seconds=minutes * 60,
            equivalent_training_seconds=None,
            macs_per_image=1,
            device=_DEVICE,
            code=_CODE,
            versions={},
        )
        settings = RunSettings.model_construct(protocol=protocol, model=model, seed=seed)
        no_classes = np.empty((0, 0), dtype=np.int64)
        return FinishedRun(settings, metrics, "metrics.json", correct, no_classes, b"", b"")


def logit_of(accuracy: float) -> float:
    """The mean logit with which so many of all possible test images are classified rightly."""
    spread = math.hypot(IMAGE_SPREAD, MODEL_SPREAD)
    points, weights = np.polynomial.hermite_e.hermegauss(60)

    def reached(logit: float) -> float:
        shares = 1 / (1 + np.exp(-(logit + spread * points)))
        return float((weights * shares).sum() / weights.sum())

    low, high = -10.0, 10.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if reached(middle) < accuracy else (low, middle)
    return low


class _Training:
    """The article's own set-up."""

    epochs, batch_size, learning_rate = 50, 256, 0.0005


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
