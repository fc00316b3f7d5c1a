"""Which claims of an article so many seeds can settle, before anything is trained.

The article's own table is the truth, and each claim is planned by its own test, as a report plans
further seeds.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from resnet_sizes.evidence.judging.claim_test import ClaimTest
from resnet_sizes.evidence.judging.comparability import obstacles
from resnet_sizes.evidence.judging.judge import test_of
from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.evidence.statistics.sampling import ImageResamples, Sampling
from resnet_sizes.evidence.statistics.tests import Variance
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.article.claims import PrintedNumber
from resnet_sizes.schemas.article.claims.base import IN_TRAINING, Condition, Outcome
from resnet_sizes.schemas.base import Record
from resnet_sizes.schemas.evidence.verdicts import Reason
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.study.networks import depth_of
from resnet_sizes.schemas.study.study import Study

OWN_IMAGES = 0.015
"""How much the probability that an image is classified rightly varies, over the images, with one
network alone: two networks of the article differ in 13 % of the images where two seeds of one
differ in 10 %."""

TIME_PERCENT = 3.0
"""Standard deviation of training times."""


class ClaimPower(Record):
    """One claim in one protocol."""

    id: str
    seeds_needed: int | None = Field(description="Null where no number of seeds would do.")
    settled: bool = Field(description="Whether the study has so many.")


class ReadingPower(Record):
    """The claims that the runs of one protocol can be a test of."""

    protocol: str
    seeds: int
    claims: list[ClaimPower]
    never: dict[str, Reason] = Field(description="Those of which they are no test, and why.")


class Power(Record):
    """What a study can be expected to settle."""

    study: str
    deviation_points: float = Field(description="Of accuracies between seeds.")
    power: float = Field(description="With which a claim is settled.")
    readings: list[ReadingPower]
    not_planned: list[str] = Field(description="On losses or training errors, not in a table.")
    by_construction: list[str] = Field(description="Claims that need no run.")


class _PrintedTable(Sampling):
    """The article's table, as what the runs of a protocol would give on average."""

    def __init__(self, runs: StudyRuns, protocol: str, outcomes: Mapping[str, Outcome]) -> None:
        super().__init__(runs, protocol, ImageResamples(1, resamples=1))
        self.mean_outcomes = dict(outcomes)

    def values(self, model: str, quantity: str) -> list[float]:
        """The printed one alone."""
        return [getattr(self.mean_outcomes[model], quantity)]

    def image_variance(self, condition: Condition) -> list[Variance]:
        """As of runs, by `OWN_IMAGES`."""
        if condition.quantity != "accuracy":
            return []
        images = self.runs.info.test_images
        weights = sum(weight**2 for weight in condition.weights.values())
        return [(weights * OWN_IMAGES / images, images - 1.0)]


def study_power(study: Study, deviation: float | None = None) -> Power:
    """The number of seeds that each claim takes in each protocol, as one of all claims' tests.

    `deviation` is that of accuracies between seeds in percentage points, else the article
    file's. Raises UserError where the article file has no deviation, or the study no network of
    the article's table.
    """
    article = load_article(Path(study.article))
    usual = article.judging.seed_deviation
    points = float(usual.points) if deviation is None and usual else deviation
    if points is None:
        raise UserError(
            f"{study.article}: has no judging.seed_deviation, so how much seeds vary is not "
            "known. Give it in percentage points: resnet-sizes study power --deviation 0.4"
        )
    outcomes: dict[str, Outcome] = {
        row.model: Outcome(row.model, row.percent_right / 100, minutes, 0.0, 0.0)
        for row in article.table
        # Without printed minutes as many as layers, so that networks differ.
        for minutes in [float(row.cells.get("minutes") or depth_of(row.model))]
        if row.model in study.models and 0 < row.percent_right < 100 and minutes > 0
    }
    if not outcomes:
        raise UserError(
            f"{study.article}: its table prints neither an accuracy nor an error between 0 and 100 "
            f"of any of the models: {', '.join(study.models)}. From such a table nothing is planned"
        )
    setup, limit = article.setup, study.dataset.limit
    known: dict[str, Any] = {  # as far as the configuration tells
        "content": study.dataset.declared_content,
        "train_images": min(setup.train_images, limit.train or setup.train_images),
        "test_images": min(setup.test_images, limit.test or setup.test_images),
        "full_train_images": setup.train_images,
        "full_test_images": setup.test_images,
    }
    info = DatasetInfo.model_construct(**known)
    runs = StudyRuns(study.model_copy(update={"models": list(outcomes)}), info, (), ())
    tests = [
        test_of(claim, _PrintedTable(runs, protocol, outcomes), article)
        for protocol in study.protocols
        for claim in article.claims
        if claim.needs
    ]
    reasons = [[why for _, why in obstacles(test) if why != "few-seeds"] for test in tests]
    count = len({test.numbers for test, why in zip(tests, reasons, strict=True) if not why})
    on_losses = [claim.id for claim in article.claims if set(claim.quantities) & set(IN_TRAINING)]
    found = {
        each: ReadingPower(protocol=each, seeds=len(study.seeds_of(each)), claims=[], never={})
        for each in study.protocols
    }
    for test, why in zip(tests, reasons, strict=True):
        reading = found[test.sampling.protocol]
        if test.claim.id in on_losses:
            continue
        if why:
            reading.never[test.claim.id] = why[0]
            continue
        needed = _needed(test, points, count)
        settled = needed is not None and needed <= reading.seeds
        reading.claims.append(ClaimPower(id=test.claim.id, seeds_needed=needed, settled=settled))
    return Power(
        study=study.name,
        deviation_points=points,
        power=float(article.judging.power),
        readings=list(found.values()),
        not_planned=on_losses,
        by_construction=[claim.id for claim in article.claims if not claim.needs],
    )


def _needed(test: ClaimTest[Any], points: float, tests: int) -> int | None:
    """Seeds for one of so many tests. Times are compared by their logarithms, printed ones as
    minutes."""
    if {"accuracy", "error"}.isdisjoint(test.claim.quantities):
        points = TIME_PERCENT
        if isinstance(test.claim, PrintedNumber):
            points *= float(test.claim.printed) / 100
    return test.planned(points, tests)
