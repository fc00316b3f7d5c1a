"""What every test of a claim has in common: its interface, and what a single seed may decide.

Where a study has too few seeds for a test, only what is farther apart than the choice of a seed
plausibly explains is decided. How far that is does not come from the study, whose few seeds cannot
show it, but from the article file, with its source; it is known of accuracies alone. A study whose
own runs are farther apart than that has shown the article file wrong, and nothing is decided by it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.schemas.article.article import Judging
from resnet_sizes.schemas.evidence.verdicts import Basis, Reason, VerdictName

Answer = tuple[VerdictName, list[Reason]]

UNDECIDED: Answer = ("not-enough-runs", ["few-seeds"])


class ClaimTest(ABC):
    """The test of one claim before the runs of one reading; a kind of test is a subclass.

    The p-value of `basis` is corrected for all tests of the reading before `decide` is called.
    """

    @abstractmethod
    def holds_by_construction(self) -> bool:
        """Whether layer counts alone make the claim true."""

    @abstractmethod
    def observed(self) -> bool | None:
        """What the runs at hand say, whether or not they are a test of the article; None where
        that cannot be computed, or the seeds disagree."""

    @abstractmethod
    def basis(self) -> Basis | None:
        """The numbers of the test, from two seeds on; None where an increment over an accuracy of
        zero is asked for."""

    @abstractmethod
    def decide(self, p_adjusted: float, tests: int) -> Answer:
        """The verdict for a corrected two-sided p-value, and the number of tests it was one of."""

    @property
    def can_plan(self) -> bool:
        """Whether `settle` can be computed; not for a rule that is not linear."""
        return True

    @abstractmethod
    def settle(self, reason: Reason, tests: int) -> int | None:
        """How many seeds would settle what was left open for that reason, as one of so many tests;
        None where none would."""

    @abstractmethod
    def with_few_seeds(self, fewest: int, tests: int) -> tuple[Basis | None, Answer]:
        """The verdict from fewer seeds than the claim asks for, which is `fewest`. `tests` is the
        number of tests that these runs allow."""


def largest_difference(sampling: Sampling, judging: Judging, models: Iterable[str]) -> float | None:
    """By how much two accuracies that differ in the seed alone may plausibly differ, as a
    fraction; None where the article file has no such number, or these runs lie farther apart."""
    if judging.seed_effect is None:
        return None
    limit = float(judging.seed_effect.largest_difference) / 100
    samples = [sampling.values(model, "accuracy") for model in models]
    return limit if all(max(values) - min(values) <= limit for values in samples) else None


def undecided(basis: Basis, planned: int | None, fewest: int) -> tuple[Basis, Answer]:
    """Left open, with the number of seeds that would settle it by the article file's deviation;
    None where none would."""
    seeds = None if planned is None else max(planned, fewest)
    return basis.model_copy(update={"seeds_needed": seeds, "needed_from": "assumed"}), UNDECIDED


def decided(basis: Basis, verdict: VerdictName) -> tuple[Basis, Answer]:
    """Decided by size; more seeds are no matter."""
    settled = basis.model_copy(update={"seeds_needed": None, "needed_from": None})
    return settled, (verdict, ["beyond-seed-effect"])
