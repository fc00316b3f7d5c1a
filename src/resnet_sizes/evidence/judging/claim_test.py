"""What every test of a claim has in common.

A study with fewer seeds than a claim asks for decides nothing: how far the choice of a seed moves
a result is not known from so few runs, and differs too much from one kind of training to the next
for a number from elsewhere to stand in. Such a number only serves to plan more seeds.
"""

from abc import ABC, abstractmethod

from resnet_sizes.schemas.evidence.verdicts import Basis, Reason, VerdictName

Answer = tuple[VerdictName, list[Reason]]


class ClaimTest(ABC):
    """The test of one claim before the runs of one reading; a kind of test is a subclass.

    The p-value of `basis` is corrected for all tests of the study before `decide` is called.
    """

    @abstractmethod
    def holds_by_construction(self) -> bool:
        """Whether the networks' definitions alone make the claim true."""

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

    @abstractmethod
    def settle(self, reason: Reason, tests: int) -> int | None:
        """How many seeds would settle what was left open for that reason, as one of so many tests;
        None where none would."""

    @abstractmethod
    def from_few_seeds(self, fewest: int, tests: int) -> Basis | None:
        """What fewer seeds show than the claim asks for, which is `fewest`, and how many would
        settle it as one of `tests`; None where nothing can be computed."""


def planned(basis: Basis, seeds: int | None, fewest: int) -> Basis:
    """With the number of seeds that would settle it by the article file's deviation; None where
    none would."""
    needed = None if seeds is None else max(seeds, fewest)
    return basis.model_copy(update={"seeds_needed": needed, "needed_from": "assumed"})
