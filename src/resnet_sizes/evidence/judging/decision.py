"""What a test leads to, once its p-value is corrected for the number of tests."""

from collections.abc import Callable
from dataclasses import dataclass

from resnet_sizes.schemas.evidence.verdicts import Basis, Reason, VerdictName

Answer = tuple[VerdictName, list[Reason]]


@dataclass(frozen=True)
class OpenDecision:
    """A test with its decision still open."""

    basis: Basis
    decide: Callable[[float, int], Answer]
    """The verdict for a corrected two-sided p-value, and the number of tests it was one of."""
    settle: Callable[[Reason, int], int | None]
    """How many seeds would settle what was left open for that reason, as one of so many tests;
    None where none would."""
    can_plan: bool = True
    """Whether that can be computed; not for a rule that is not linear."""
