"""The runs of one reading as samples: what each quantity is in each seed, and how sure it is.

What varies is the seed, of which there are few, and the choice of test images, which are resampled.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from statistics import mean

import numpy as np
import numpy.typing as npt

from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.evidence.runs.validate import FinishedRun
from resnet_sizes.evidence.statistics import tests as formulas
from resnet_sizes.schemas.article.claims.base import Condition, Outcome
from resnet_sizes.schemas.evidence.verdicts import Pairing

RESAMPLES = 2000
"""Draws of a bootstrap: an interval's ends are then known to a twentieth of its width."""


class ImageResamples:
    """Draws with replacement from `images` test images, the same draws for every model."""

    def __init__(self, images: int, resamples: int = RESAMPLES) -> None:
        # Of a fixed seed, so that equal results give equal evidence, byte by byte.
        generator = np.random.default_rng(0)
        # How often each image is drawn: float32 [resamples, images], for a fast product.
        self._counts = np.empty((resamples, images), dtype=np.float32)
        for row in self._counts:
            row[:] = np.bincount(generator.integers(0, images, images), minlength=images)
        self.resamples = resamples

    def deviations(self, shares: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float64]:
        """By how much each draw's mean differs from the mean: float64 `[models, resamples]`.
        `shares` are by model which share of its seeds gets each image right: float32 [images]."""
        columns = np.stack(shares, axis=1)  # [images, models]
        means = self._counts @ columns / len(columns)
        deviations: npt.NDArray[np.float64] = (means - columns.mean(axis=0)).T.astype(np.float64)
        return deviations


class Sampling:
    """The finished runs of one protocol, by model, origin and seed."""

    def __init__(self, runs: StudyRuns, protocol: str, images: ImageResamples) -> None:
        self.runs, self.protocol, self._images = runs, protocol, images
        self.resamples = images.resamples
        found = {str(model): runs.of(protocol, model) for model in runs.study.models}
        self._finished = {model: of_model for model, of_model in found.items() if of_model}

    @cached_property
    def own(self) -> "Sampling":
        """Of our runs alone: times are a device's own, and so is what is said of them."""
        own = self.runs.own
        return self if own is self.runs else Sampling(own, self.protocol, self._images)

    def of(self, model: str) -> tuple[FinishedRun, ...]:
        """The finished runs of a model, in the order of `StudyRuns.of`."""
        return self._finished.get(model, ())

    def seeds(self, models: list[str]) -> int:
        """The number of runs of the model that has the fewest."""
        return min(len(self.of(model)) for model in models)

    def values(self, model: str, quantity: str) -> list[float]:
        """A quantity in each seed: fractions, nats, or natural logarithms of minutes."""
        return [getattr(run.outcome, quantity) for run in self.of(model)]

    def outlying_runs(self) -> list[str]:
        """The names of runs whose accuracy is an outlier among the seeds of their network."""
        step = 1 / self.runs.info.test_images  # an accuracy is a number of images
        return [
            found[position].settings.name
            for model, found in self._finished.items()
            for position in formulas.outlying(self.values(model, "accuracy"), step)
        ]

    @cached_property
    def mean_outcomes(self) -> dict[str, Outcome]:
        """The means over the seeds as if they were one run; minutes are ours alone."""
        kinds = ("accuracy", "minutes", "initial_loss", "final_loss", "train_error")
        of = {kind: self.own if kind == "minutes" else self for kind in kinds}
        return {
            model: Outcome(model, *(mean(of[kind].values(model, kind)) for kind in kinds))
            for model in self._finished
        }

    def estimate(self, condition: Condition) -> float:
        """The weighted sum of means less the threshold."""
        sums = [
            weight * mean(self.values(model, condition.quantity))
            for model, weight in condition.weights.items()
        ]
        return sum(sums) - condition.threshold

    def contrast(self, condition: Condition) -> formulas.Contrast:
        """The condition over two seeds and more; of accuracies the test images are random too."""
        samples, further = self.samples(condition), self.image_variance(condition)
        found = formulas.contrast(samples, condition.threshold, further)
        return replace(found, estimate=self.estimate(condition))

    def samples(self, condition: Condition) -> list[formulas.Sample]:
        """What each seed of a model adds to the condition: its quantity and, where times enter
        too, how far its time is from the mean of its model (the delta method)."""
        found = []
        for model, weight in condition.weights.items():
            values = self.values(model, condition.quantity)
            if by_minute := condition.minute_weights.get(model, 0.0):
                minutes = self.values(model, "minutes")
                middle = mean(minutes)
                values = [
                    weight * value + by_minute * (each - middle)
                    for value, each in zip(values, minutes, strict=True)
                ]
                weight = 1.0
            found.append(formulas.Sample(weight, values, self.runs.counts(self.protocol, [model])))
        return found

    def image_variance(self, condition: Condition) -> list[formulas.Variance]:
        """What the choice of test images, the same for all models, adds to the variance of a
        weighted sum of accuracies; empty of other quantities.

        Some images are classified rightly in one run and wrongly in the next. That part shrinks
        with the number of runs and varies between them already, so it is taken off: what is left
        is due to images that are easier for one model than for another in all of its runs.
        """
        if condition.quantity != "accuracy":
            return []
        weights, images = condition.weights.items(), self.runs.info.test_images
        per_image = np.sum([weight * self._shares[model] for model, weight in weights], axis=0)
        of_runs = sum(w**2 * self._churn(model) / len(self.of(model)) for model, w in weights)
        between = float(per_image.var(ddof=1 if images > 1 else 0))
        return [(max(between - of_runs, 0.0) / images, images - 1.0)]

    def _churn(self, model: str) -> float:
        """The variance of a single image between runs of one model, as a mean over the images.

        Of a single run nothing shows it. Then it is taken from the model whose answers are the
        most alike, as if the two were runs of one model; that serves to plan, not to decide.
        """
        (first, *further), shares = self.of(model), self._shares[model]
        if further:
            runs = len(further) + 1
            return float((shares * (1 - shares)).mean()) * runs / (runs - 1)
        others = [found[0].correct for name, found in self._finished.items() if name != model]
        return min((float((first.correct != other).mean()) / 2 for other in others), default=0.0)

    def pairings(self, condition: Condition) -> Iterator[Pairing]:
        """McNemar's test of two models in each seed that both have."""
        if condition.quantity != "accuracy" or condition.kind != "difference":
            return
        first, second = condition.models
        others = {run.settings.seed: run.correct for run in self.of(second)}
        for run in self.of(first):
            seed, other = run.settings.seed, others.get(run.settings.seed)
            if other is not None:
                only_first = int(np.count_nonzero(run.correct & ~other))
                only_second = int(np.count_nonzero(other & ~run.correct))
                yield Pairing(
                    seed=seed,
                    first=first,
                    second=second,
                    only_first=only_first,
                    only_second=only_second,
                    p_value=formulas.mcnemar_exact(only_first, only_second),
                )

    def draws(self, model: str, quantity: str) -> npt.NDArray[np.float64]:
        """A bootstrap of the mean: float64 `[resamples]`, from two seeds on.

        Images are resampled. Of the seeds there are too few for that (a resample of n has only
        (n − 1)/n of their variance, and no tails), so their share is Student's t, scaled by the
        standard error.
        """
        values = self.values(model, quantity)
        # By name, so that the draws do not depend on which other models there are.
        name = f"{self.protocol} {model} {quantity}"
        generator = np.random.default_rng(zlib.crc32(name.encode()))
        counts = self.runs.counts(self.protocol, [model])
        found = formulas.contrast([formulas.Sample(1.0, values, counts)])
        seeds = found.error * generator.standard_t(found.freedom, self.resamples)
        images = self._image_deviations[model] if quantity == "accuracy" else 0.0
        return mean(values) + seeds + images

    @cached_property
    def _shares(self) -> dict[str, npt.NDArray[np.float32]]:
        """Which share of a model's seeds gets each image right: float32 [images]."""
        return {
            model: np.mean([run.correct for run in found], axis=0).astype(np.float32)
            for model, found in self._finished.items()
        }

    @cached_property
    def _image_deviations(self) -> dict[str, npt.NDArray[np.float64]]:
        deviations = self._images.deviations(list(self._shares.values()))
        return dict(zip(self._shares, deviations, strict=True))


def samplings(runs: StudyRuns, images: ImageResamples | None = None) -> list[Sampling]:
    """One for each protocol of the study, all with the same draws of test images."""
    images = images or ImageResamples(runs.info.test_images)
    return [Sampling(runs, protocol, images) for protocol in runs.study.protocols]
