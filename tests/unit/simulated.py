"""Studies drawn from a known truth, with the article's claims, for the error rates of verdicts."""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from synthetic import ARTICLE, MODELS

from resnet_sizes.evidence.judging.judge import judge
from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.evidence.statistics.sampling import ImageResamples, samplings
from resnet_sizes.forecast import simulation
from resnet_sizes.schemas.article.article import Article, load_article
from resnet_sizes.schemas.evidence.verdicts import Verdict
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.study.study import Study

IMAGES = 1000
PROTOCOL = "drawn"


@cache
def resamples() -> ImageResamples:
    # Intervals and probabilities need many draws; the decisions that are counted need none.
    return ImageResamples(IMAGES, resamples=50)


@cache
def article_article() -> Article:
    return load_article(Path(ARTICLE))


class Truth(simulation.Truth):
    """Three networks that are equal, but for what is given by model. A `seed_spread` of 0.02 are
    about 0.3 points of accuracy, an `outlier` of 0.35 about 5 points."""

    def __init__(
        self,
        *,
        logits: Mapping[str, float] | float = 1.5,
        minutes: Mapping[str, float] | float = 50.0,
        first_loss: Mapping[str, float] | float = 1.8,
        drop: Mapping[str, float] | float = 0.5,
        **spreads: float,
    ) -> None:
        def by_model(given: Mapping[str, float] | float) -> Mapping[str, float]:
            return given if isinstance(given, Mapping) else dict.fromkeys(MODELS, given)

        super().__init__(
            logits=by_model(logits),
            minutes=by_model(minutes),
            first_loss=by_model(first_loss),
            drop=by_model(drop),
            **spreads,  # type: ignore[arg-type]
        )

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


def logit_of(accuracy: float) -> float:
    """The mean logit with which so many of all possible test images are classified rightly."""
    truth = Truth()
    spread = math.hypot(truth.image_spread, truth.network_spread)
    return simulation.logit_of(accuracy, spread)


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
