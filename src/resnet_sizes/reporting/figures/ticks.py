"""Ticks and their labels, by language."""

from collections.abc import Sequence

from matplotlib.ticker import MaxNLocator

from resnet_sizes.i18n.numbers import decimal
from resnet_sizes.reporting.figures.style import Language


def epoch_ticks(epochs: int, most: int = 10) -> list[int]:
    """Whole epochs in even steps, and the first where there is room for it."""
    steps = MaxNLocator(nbins=most, integer=True, steps=[1, 2, 5, 10]).tick_values(1, epochs)
    ticks = [round(tick) for tick in steps if 1 <= tick <= epochs]
    if len(ticks) > 1 and ticks[0] - 1 > (ticks[1] - ticks[0]) / 2:
        ticks.insert(0, 1)
    return ticks or [1]


def number_ticks(
    low: float, high: float, language: Language, most: int = 6
) -> tuple[list[float], list[str]]:
    """Round ticks from `low` to `high` with their labels, all with the same number of decimals."""
    values = MaxNLocator(nbins=most, steps=[1, 2, 5, 10]).tick_values(low, high)
    # Without the noise of binary fractions.
    ticks = [float(f"{value:.6g}") for value in values if low <= value <= high]
    return ticks, labels_of(ticks, language)


def log_ticks(low: float, high: float, language: Language) -> tuple[list[float], list[str]]:
    """Ticks of a logarithmic axis, 1, 2 and 5 times powers of ten, from `low` to `high`; each
    label has the decimals that its number needs."""
    powers = [10.0**power for power in range(-6, 10)]
    found = [factor * power for power in powers for factor in (1, 2, 5)]
    ticks = [float(f"{tick:.6g}") for tick in found if low <= tick <= high]
    if len(ticks) > 9:
        ticks = [tick for tick in ticks if f"{tick:e}".startswith("1")]
    return ticks, [label for tick in ticks for label in labels_of([tick], language)]


def labels_of(ticks: Sequence[float], language: Language) -> list[str]:
    """The numbers in the language's way, all with as many decimals as one of them needs."""
    decimals = max((len(_plain(tick).partition(".")[2]) for tick in ticks), default=0)
    return [decimal(tick, decimals, language) for tick in ticks]


def _plain(number: float) -> str:
    return f"{number:.12f}".rstrip("0").rstrip(".")
