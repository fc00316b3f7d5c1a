"""Medians, spreads and ratios of the measured samples."""

from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of several rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: list[float]) -> "Spread":
        """Of at least one sample."""
        return cls(median(samples), min(samples), max(samples))


def best_notebook(rates: dict[str, list[float]]) -> str:
    """`notebook/<workers>` with the highest median, among those measured in every round."""
    notebooks = {label: found for label, found in rates.items() if label.startswith("notebook/")}
    rounds = max(len(found) for found in notebooks.values())
    whole = {label: found for label, found in notebooks.items() if len(found) == rounds}
    return max(whole, key=lambda label: median(whole[label]))


def ratio(above: list[float], below: list[float]) -> Spread:
    """Of two contestants' rates: the ratio of the medians, and the smallest and the largest
    ratio within one round."""
    within = [a / b for a, b in zip(above, below, strict=True)]
    return Spread(median(above) / median(below), min(within), max(within))


def together(rates: list[list[float]]) -> list[float]:
    """Images per second by round, if each of several networks trains on as many images in turn."""
    rounds = min(len(each) for each in rates)
    return [len(rates) / sum(1 / each[number] for each in rates) for number in range(rounds)]


def settings_of(result: dict[str, Any], case: str) -> list[dict[str, Any]]:
    """The measured settings of one case, in their order."""
    return [setting for setting in result["settings"] if setting["case"] == case]


def frozen_seconds(
    result: dict[str, Any], setting: dict[str, Any], precision: str, images: int, epochs: int
) -> dict[str, float]:
    """Seconds of training on a frozen backbone by loop, computed from medians.

    The notebook and the plain loop pass all images through the network in each epoch; the engine
    passes them once and then trains the head on their features.
    """
    rates = setting["rates"]
    head = median(result["heads"][setting["model"]][precision])
    each_epoch = epochs * images
    return {
        "notebook": each_epoch / median(rates[best_notebook(rates)]),
        "plain": each_epoch / median(rates[f"plain/{precision}"]),
        "ours": images / median(rates[f"ours/{precision}"]) + each_epoch / head,
    }
