"""The columns that an article's table may have, one entry each (docs/extending.md)."""

from dataclasses import dataclass
from typing import Literal

from resnet_sizes.io.messages import did_you_mean, shown_text

Kind = Literal[
    "count",  # a whole number
    "fraction",  # 0…1, printed in percent
    "percent",  # already in percent (increments)
    "minutes",
    "seconds",
    "bytes",
    "energy",  # joules
    "loss",  # mean cross-entropy in nats
    "number",  # anything else numeric
    "text",
    "list",  # texts, each once, in the order of the runs that have them
    "datetime",  # UTC, ISO 8601
]
"""How a value is held in values.json, and printed."""

FROM_DEFINITIONS = frozenset({"layers", "parameters", "macs"})
"""Quantities that the networks' definitions decide, and no training can change."""


@dataclass(frozen=True)
class Column:
    """What a column holds of each network: a quantity, or by how many percent of the first row's
    number it exceeds that."""

    kind: Kind  # of the article's number
    quantity: str
    """What of ours is set against it: an attribute of `Outcome`."""
    scale: float = 1
    """From the quantity's unit to the printed one."""
    over_base: bool = False
    digits: int | None = None
    """Decimal places of our number in tables; None of as many as its kind usually has."""
    field: str = ""
    """The field of metrics.json that gives the quantity, where no other value is made of it; in
    percent is what is a fraction there."""

    @property
    def by_definition(self) -> bool:
        """Whether no run is needed for our number."""
        return self.quantity in FROM_DEFINITIONS


_TRAINED = "epochs[-1].train_accuracy"

COLUMNS: dict[str, Column] = {
    "accuracy": Column("percent", "accuracy", 100, digits=2),
    "error": Column("percent", "error", 100, digits=2, field="final_test_accuracy"),
    "train_error": Column("percent", "train_error", 100, digits=2, field=_TRAINED),
    "layers": Column("count", "layers"),
    "parameters": Column("number", "parameters", 1e-6, digits=2),  # millions
    "minutes": Column("minutes", "minutes"),
    "layers_increment": Column("percent", "layers", over_base=True),
    "accuracy_increment": Column("percent", "accuracy", over_base=True, digits=1),
}
"""By the names that an article file calls them by."""


def known_column(name: str) -> str:
    """The same name. Raises ValueError where there is no such column."""
    if name not in COLUMNS:
        hint = f"allowed: {', '.join(COLUMNS)}.{did_you_mean(name, list(COLUMNS))}"
        raise ValueError(f"{shown_text(repr(name))} is no column; {hint}")
    return name


def check_printed(name: str, printed: str) -> None:
    """Raise ValueError for a printed number that no such column can have."""
    column = COLUMNS[known_column(name)]
    most = 100 if (column.kind, column.scale) == ("percent", 100) else float("inf")
    if not (column.over_base or 0 <= float(printed) <= most):
        raise ValueError(f"{name}: found {printed}; allowed: numbers from 0 to {most}")


def own_key(name: str, protocol: str, model: str) -> str:
    """The key in values.json of our number beside a column's; a mean where seeds can differ."""
    column = COLUMNS[name]
    if column.by_definition:
        return f"{column.quantity}.{model}{'.increment' if column.over_base else ''}"
    own = f"{protocol}.{model}"
    return f"{own}.{name}" if column.over_base else f"{own}.{column.quantity}.mean"


def prediction_keys(name: str, protocol: str, model: str) -> tuple[str, str]:
    """The keys of the ends of its prediction interval."""
    bounds = own_key(name, protocol, model).removesuffix(".mean") + ".prediction"
    return f"{bounds}_low", f"{bounds}_high"
