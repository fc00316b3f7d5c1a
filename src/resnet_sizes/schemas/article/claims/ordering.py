"""A quantity rises from one model to the next; training times rise in printed ratios."""

from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar, Literal

from pydantic import Field

from resnet_sizes.schemas.article.claims.base import (
    LOSSES,
    Condition,
    Models,
    OrderClaim,
    Outcomes,
    Quantity,
    TableRow,
    TestKind,
    above,
    values_of,
)
from resnet_sizes.schemas.base import Number


class Rising(OrderClaim):
    """`quantity` rises strictly from the first model to the last."""

    quantity: Quantity
    models: Models = Field(min_length=2)

    def compared(self) -> list[tuple[str, str]]:
        return [(model, self.quantity) for model in self.models]

    def holds(self, outcomes: Outcomes) -> bool:
        values = values_of(outcomes, self.models, self.quantity)
        return all(low < high for low, high in pairwise(values))

    def conditions(self, mean_minutes: Mapping[str, float]) -> list[Condition]:
        return [above(self.quantity, more, less) for less, more in pairwise(self.models)]


class Ordering(Rising):
    """`quantity` rises strictly from the first model to the last."""

    rule: Literal["ordering"]

    @property
    def subject(self) -> dict[str, str]:
        return {"quantity": self.quantity}

    @property
    def is_order_of_losses(self) -> bool:
        return self.quantity in LOSSES


class Ratio(Rising):
    """Training times rise from the first model to the last, each in the ratio to the first that
    the table's minutes have.

    It holds where they rise: how far the ratios are from the printed ones is a matter of degree,
    which the test decides.
    """

    rule: Literal["ratio"]
    quantity: Literal["minutes"]
    tolerance: Number = Field(
        gt=0,
        lt=1,
        description="Fraction by which a ratio may differ from the printed one and still be the "
        "same: ratios of the same networks differ from device to device.",
    )

    test: ClassVar[TestKind] = "ratio"

    def check_against(self, rows: Mapping[str, TableRow], base_model: str) -> None:
        for model in self.models:
            row = rows.get(model)
            if row is None or row.minutes is None or float(row.minutes) <= 0:
                raise ValueError(
                    f"claims: {self.id} compares the training time of {model}, but the table "
                    "prints no minutes above 0 for it. Add them there, or use the rule `ordering`"
                )
