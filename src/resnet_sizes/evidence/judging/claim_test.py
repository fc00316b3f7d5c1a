"""A claim before the runs of one reading, and what every test of it has in common.

A study with fewer seeds than a claim asks for decides nothing: how far the choice of a seed moves
a result is not known from so few runs, and differs too much from one kind of training to the next
for a number from elsewhere to stand in. Such a number only serves to plan more seeds.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable
from functools import cached_property
from typing import Any, Generic, TypeVar

from resnet_sizes.evidence.runs.read import on_one_device
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import ClaimBase, PrintedNumber
from resnet_sizes.schemas.article.claims.base import Outcomes
from resnet_sizes.schemas.evidence.verdicts import Basis, Reason, VerdictName

C = TypeVar("C", bound=ClaimBase)

Answer = tuple[VerdictName, list[Reason]]


class ClaimTest(ABC, Generic[C]):
    """The test of one claim before the runs of one reading; a kind of test is a subclass. The
    p-value of `basis` is corrected for all tests of the study before `decide` is called."""

    def __init__(self, claim: C, sampling: Sampling, article: Article) -> None:
        self.claim, self.article = claim, article
        self.sampling = sampling.own if "minutes" in claim.quantities else sampling
        self.judging = article.judging
        self.models = claim.models_compared(article.base_model)
        self.numbers: Hashable = sampling.protocol, claim.deciding_numbers(article.base_model)
        """What decides the claim, in this reading: equal for claims that are one test."""
        self.finished = [run for model in self.models for run in sampling.of(model)]
        self.fewest_seeds = 1 if claim.needs is None else claim.needs.seeds
        self.mixes_devices = "minutes" in claim.quantities and not on_one_device(self.finished)
        prints_minutes = isinstance(claim, PrintedNumber) and claim.measured == "minutes"
        computed = any(run.has_computed_time for run in self.finished)
        self.prints_computed_minutes = prints_minutes and computed
        """Whether printed minutes would be held against minutes that no device needed."""

    @property
    def origins(self) -> list[int]:
        """How many seeds come from each origin, ours first; empty where all are ours."""
        counts = self.sampling.runs.counts(self.sampling.protocol, self.models)
        return counts if len(counts) > 1 else []

    @cached_property
    def outcomes(self) -> list[Outcomes]:
        """Those of each seed that all of the models have."""
        return self.sampling.runs.outcomes_by_seed(self.sampling.protocol, self.models)

    @abstractmethod
    def holds(self, outcomes: Outcomes) -> bool:
        """Whether the claim is true of these numbers."""

    @abstractmethod
    def observed(self) -> bool | None:
        """What the runs at hand say, whether or not they are a test of the article; None where
        that cannot be computed, or the seeds disagree."""

    @abstractmethod
    def basis(self, decides: bool) -> Basis | None:
        """The numbers of the test, from two seeds on, or, where it does not decide, what fewer
        show; None where an increment over an accuracy of zero is asked for."""

    @abstractmethod
    def decide(self, p_adjusted: float, tests: int) -> Answer:
        """The verdict for a corrected two-sided p-value, and the number of tests it was one of."""

    @abstractmethod
    def settle(self, reason: Reason, tests: int) -> int | None:
        """How many seeds would settle what was left open for that reason, as one of so many tests;
        None where none would."""

    @abstractmethod
    def follows_accuracy(self) -> bool:
        """Whether the spread of accuracies alone says how many seeds it takes."""

    @abstractmethod
    def planned(self, points: float, tests: int) -> int | None:
        """How many seeds, and at least as many as the claim asks for, would settle it as one of so
        many tests where accuracies have a standard deviation of `points`; None where none would."""

    def from_few_seeds(self, tests: int) -> Basis | None:
        """What fewer seeds show than the claim asks for, and how many would settle it as one of so
        many tests: by the article file's deviation where it says so, else as the claim asks."""
        basis, usual = self.basis(decides=False), self.judging.seed_deviation
        if basis is None:
            return None
        changes: dict[str, Any] = {"seeds_needed": self.fewest_seeds, "needed_from": "minimum"}
        if usual is not None and self.follows_accuracy():
            needed = self.planned(float(usual.points), tests)
            changes = {"seeds_needed": needed, "needed_from": "assumed"}
        return basis.model_copy(update=changes)
