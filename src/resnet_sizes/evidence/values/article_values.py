"""The accuracies that the article prints, with what our runs say of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from resnet_sizes.evidence.judging.rules import half_unit
from resnet_sizes.evidence.judging.verdict_values import value_key
from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.evidence.values import Value
from resnet_sizes.schemas.study.protocol import shallowest

AccuracyColumn = Literal["accuracy", "accuracy_increment"]
COLUMNS: tuple[AccuracyColumn, ...] = ("accuracy", "accuracy_increment")


@dataclass(frozen=True)
class ArticleValue:
    """A printed number beside ours, all in percent."""

    model: str
    column: AccuracyColumn
    printed: str
    ours: float
    interval: tuple[float, float] | None
    """In which one further run of ours is expected with 95 %; None of a single run."""
    keys: tuple[str, ...]
    """Of these numbers in values.json."""

    @property
    def is_inside(self) -> bool | None:
        """Whether a number that rounds to the printed one lies in the interval."""
        if self.interval is None:
            return None
        low, high = self.interval
        printed, rounding = float(self.printed), half_unit(self.printed)
        return low <= printed + rounding and printed - rounding <= high


def article_values(
    article: Article, runs: StudyRuns, values: Mapping[str, Value], protocol: str
) -> list[ArticleValue]:
    """The accuracies of the article's table, then its increments of accuracy, row by row.

    Only what one protocol's runs have a number for. Our increments are over the study's
    shallowest model; where the article's are over another one, they are left out.
    """
    columns = COLUMNS if article.base_model == shallowest(runs.study.models) else COLUMNS[:1]
    found = []
    for column in columns:
        for row in article.table:
            printed = getattr(row, column)
            ours = value_key(protocol, row.model, column)
            if printed is None or ours not in values:
                continue
            bounds = f"{protocol}.{row.model}.{column}.prediction"
            keys = [f"article.{row.model}.{column}", ours]
            keys += [key for key in (f"{bounds}_low", f"{bounds}_high") if key in values]
            numbers = [_percent(values[key]) for key in keys[1:]]
            interval = (numbers[1], numbers[2]) if len(numbers) == 3 else None
            found.append(
                ArticleValue(row.model, column, str(printed), numbers[0], interval, tuple(keys))
            )
    return found


def _percent(value: Value) -> float:
    return float(value.value) * (100 if value.kind == "fraction" else 1)
