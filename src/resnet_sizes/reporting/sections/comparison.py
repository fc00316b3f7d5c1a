"""The readings of a study side by side: accuracy and minutes of each network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resnet_sizes.reporting.sections.times import Times
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.reporting.text.printed import PrintedValues
from resnet_sizes.reporting.text.words import Words, model_name
from resnet_sizes.schemas.study.protocol import LAYERS


@dataclass(frozen=True)
class ReadingsTable:
    """One column a network, one row a reading; the article's own numbers come first."""

    models: list[Safe]
    rows: list[tuple[Safe, list[Safe]]]


def readings_table(
    values: PrintedValues, words: Words, times: Mapping[str, Times], models: Sequence[str]
) -> ReadingsTable | None:
    """Accuracy with minutes by reading; None for a study of a single reading."""
    if len(times) < 2:
        return None
    ordered = sorted(models, key=LAYERS.__getitem__)

    def cell(accuracy: str, digits: int | None, minutes: Safe | None) -> Safe:
        if minutes is None or not values.has(accuracy):
            return words("missing")
        return words(
            "readings-table.cell", accuracy=values.value(accuracy, digits), minutes=minutes
        )

    def printed(model: str) -> Safe:
        minutes = f"article.{model}.minutes"
        if not values.has(minutes):
            return words("none")
        return cell(f"article.{model}.accuracy", 2, values.value(minutes))

    rows = [(words("readings-table.article"), [printed(model) for model in ordered])]
    rows += [
        (
            code(name),
            [cell(f"{name}.{model}.accuracy.mean", None, own.cell(model)) for model in ordered],
        )
        for name, own in times.items()
    ]
    return ReadingsTable([model_name(model) for model in ordered], rows)
