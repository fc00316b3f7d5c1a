"""Studies drawn from a known truth, without files, for the error rates of verdicts."""

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
    ) -> None:
        def by_model(given: Mapping[str, float] | float) -> Mapping[str, float]:
            return given if isinstance(given, Mapping) else dict.fromkeys(MODELS, given)

        self.logits, self.minutes = by_model(logits), by_model(minutes)
        self.first_loss, self.drop = by_model(first_loss), by_model(drop)
        self.seed_spread, self.time_spread = seed_spread, time_spread
        self.loss_spread = loss_spread

    def study(self, generator: np.random.Generator, seeds: int) -> StudyRuns:
        """One study drawn from the truth, on test images drawn for it."""
        image_part = generator.normal(0, 1.0, IMAGES)
        finished = []
        for model in MODELS:
            of_model = self.logits[model] + image_part + generator.normal(0, 0.7, IMAGES)
            for seed in range(seeds):
                finished.append(self._run(generator, model, seed, of_model))
        study = Study.model_construct(
            name="drawn",
            demo=False,
            models=list(MODELS),
            protocols=[PROTOCOL],
            seeds=list(range(seeds)),
            training=_Training(),
        )
        info = DatasetInfo.model_construct(
            content="cifar10", train_images=50_000, test_images=IMAGES,
            full_train_images=50_000, full_test_images=IMAGES,
        )  # fmt: skip
        return StudyRuns(study, info, tuple(finished), ())

    def _run(
        self, generator: np.random.Generator, model: str, seed: int, of_model: Any
    ) -> FinishedRun:
        logits = of_model + generator.normal(0, self.seed_spread)
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
        settings = RunSettings.model_construct(protocol=PROTOCOL, model=model, seed=seed)
        no_classes = np.empty((0, 0), dtype=np.int64)
        return FinishedRun(settings, metrics, "metrics.json", correct, no_classes, b"", b"")


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
    return {verdict.id: verdict for verdict in judge(article, samplings(runs, resamples()))}
