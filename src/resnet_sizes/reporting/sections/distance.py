"""Which reading comes nearest to the article: the distances as a table."""

from dataclasses import dataclass

from resnet_sizes.i18n.numbers import decimal
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.reporting.text.printed import PrintedValues
from resnet_sizes.reporting.text.words import Words
from resnet_sizes.schemas.evidence.verdicts import Verdicts


@dataclass(frozen=True)
class DistanceTable:
    """One row a reading: accuracy (points), ratios of times (percent), orders of losses, ranks."""

    rows: list[tuple[Safe, list[Safe]]]
    nearest: Safe | None
    """The sentence that names the reading with the smallest sum of ranks."""


def distance_table(
    verdicts: Verdicts, values: PrintedValues, words: Words, language: str
) -> DistanceTable | None:
    """The distances of several readings; None of a single one."""
    if not verdicts.distances:
        return None

    def number(place: str, value: float | None, digits: int) -> Safe:
        if value is None:
            return words("none")
        return values.followed(f"distances.{place}", Safe(decimal(value, digits, language)))

    rows = []
    for index, each in enumerate(verdicts.distances):
        losses = words("none")
        if each.loss_order is not None:
            losses = words(
                "distances.losses",
                number=number(f"{index}.loss_order", each.loss_order, 0),
                all=number(f"{index}.loss_claims", each.loss_claims, 0),
            )
        cells = [
            number(f"{index}.accuracy_points", each.accuracy_points, 2),
            number(f"{index}.time_ratio", each.time_ratio, 3),
            losses,
            number(f"{index}.rank_sum", each.rank_sum, 1),
        ]
        rows.append((code(each.protocol), cells))
    nearest = None
    if verdicts.nearest:
        names = [code(name) for name in verdicts.nearest]
        nearest = words.counted("distances.nearest", len(names), names=words.listed(names))
    return DistanceTable(rows, nearest)
