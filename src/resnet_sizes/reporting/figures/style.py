"""What all figures share: what they are drawn from, the look of each model, type, sizes, ticks."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from resnet_sizes.i18n.numbers import decimal, places
from resnet_sizes.reporting.text.words import Words
from resnet_sizes.schemas.evidence.figures import Figures
from resnet_sizes.schemas.study.networks import NETWORKS, by_depth

WIDTH = 6.3
"""Inches: the text width of an A4 page."""
FONT_SIZE = 9.0
SMALL = 8.0
INK = "#1C1C1C"
SOFT_INK = "#55585D"
GRID: dict[str, Any] = {"color": "#DDDDDD", "linewidth": 0.6}

# Okabe and Ito's hues, which colour-blind readers tell apart, darkened where text on white
# would be too pale; dashes and markers are for grey print. Networks take these in order; their
# numbers have no common factor, so that they repeat late.
_COLORS = ("#0072B2", "#BF5000", "#00805F", "#000000", "#A8568A")
_DASHES: tuple[Any, ...] = (
    "-", (0, (1, 1)), (0, (4, 1.5)), (0, (3, 1, 1, 1, 1, 1)), (0, (5, 1.2, 1, 1.2)), (0, (8, 2)),
)  # fmt: skip
_MARKERS = "oDsv^P*Xp<>"


def look_of(model: str, among: Iterable[str] = ()) -> dict[str, Any]:
    """Colour, dash pattern and marker of a network. The colour is by its place `among` those that
    are shown with it: of five each has its own, and of more those of one depth."""
    place, rank = list(NETWORKS).index(model), by_depth([*{*among, model}]).index(model)
    looks = {"linestyle": _DASHES[place % len(_DASHES)], "marker": _MARKERS[place % len(_MARKERS)]}
    return {"color": _COLORS[rank % len(_COLORS)]} | looks


# matplotlib only measures with this serif, which it brings along: the files name the typeface of
# the report instead.
DRAWN_WITH = "STIXGeneral"
_RC: Any = {
    "font.family": "serif",
    "font.serif": [DRAWN_WITH],
    "font.size": FONT_SIZE,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT_INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.titlesize": FONT_SIZE,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "legend.columnspacing": 3,
    "xtick.color": SOFT_INK,
    "ytick.color": SOFT_INK,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    # A class may be called anything, and two dollars in a name are no formula.
    "text.parse_math": False,
    # Text stays text: it can be searched, copied and read aloud.
    "svg.fonttype": "none",
    # Else ids would make the bytes differ from one build to the next.
    "svg.hashsalt": "resnet-sizes",
}
_WIDEST = 0.57
"""Ems of a letter in the widest typeface of the stack, on average."""

# Ids of groups in an SVG: what the check of its numbers goes by.
VALUE_ID = "value."
"""Before the key in values.json of the number that the group writes."""
AXIS_ID = "axis."
"""Before the axis whose ticks are numbers."""
CLASSES_ID = "classes."
"""Before the axis whose ticks are names of classes."""


@dataclass(frozen=True)
class FigureContext:
    """What the figures of one report are drawn from."""

    numbers: Figures
    words: Words
    own: str = "loss"
    """The figure that is set beside the article's."""
    steps: int = 1
    """Iterations of an epoch."""

    @property
    def language(self) -> str:
        """`pt` or `en`."""
        return self.words.language

    def look_of(self, model: str) -> dict[str, Any]:
        """Colour, dash pattern and marker of a network, the same in all figures of the report."""
        shown = (self.numbers.curves, self.numbers.points, self.numbers.printed)
        return look_of(model, [each.model for of_figure in shown for each in of_figure])

    def text(self, key: str, **fillings: Any) -> str:
        """The text under `figures.<key>` in the texts of the report."""
        return str(self.words(f"figures.{key}", **fillings))

    def empty_figure(self, key: str = "empty") -> Figure:
        """A figure that says why there is nothing to see."""
        figure = Figure(figsize=(WIDTH, 1.2))
        figure.text(0.5, 0.5, self.text(key), ha="center", va="center", color=SOFT_INK)
        return figure


@contextmanager
def settings() -> Iterator[None]:
    """matplotlib's settings for our figures, while they are drawn and written: its own defaults,
    whatever a `matplotlibrc` in the working directory says, and ours over them."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


def text_width(texts: Iterable[str], size: float = FONT_SIZE) -> float:
    """Inches that the longest text may take in any typeface that a reader's device has."""
    return _WIDEST * size * max(map(len, texts)) / 72


def add_axes(
    figure: Figure, left: float, bottom: float, width: float, height: float, ticks: str = AXIS_ID
) -> Axes:
    """Axes at a place given in inches from the lower left corner. Their ids say what their ticks
    are: `AXIS_ID` or `CLASSES_ID`."""
    across, up = figure.get_size_inches()
    axes = figure.add_axes((left / across, bottom / up, width / across, height / up))
    axes.xaxis.set_gid(f"{ticks}x.{len(figure.axes)}")
    axes.yaxis.set_gid(f"{ticks}y.{len(figure.axes)}")
    return axes


def model_marks(models: Iterable[str], **style: Any) -> tuple[Line2D, ...]:
    """The marks of the first of these side by side, for a legend of what has a mark of each."""
    style |= {"color": SOFT_INK, "linestyle": "none"}
    return tuple(Line2D([], [], marker=look_of(it)["marker"], **style) for it in list(models)[:3])


def add_legend(place: Axes | Figure, marks: dict[str, Any], **options: Any) -> Legend:
    """Say what each mark means, or each tuple of marks beside each other."""
    handlers = {tuple: HandlerTuple(ndivide=None, pad=0.3)}
    return place.legend(list(marks.values()), list(marks), handler_map=handlers, **options)


def epoch_ticks(epochs: int, most: int = 10) -> list[int]:
    """Whole epochs in even steps, and the first where there is room for it."""
    steps = MaxNLocator(nbins=most, integer=True, steps=[1, 2, 5, 10]).tick_values(1, epochs)
    ticks = [round(tick) for tick in steps if 1 <= tick <= epochs]
    if len(ticks) > 1 and ticks[0] - 1 > (ticks[1] - ticks[0]) / 2:
        ticks.insert(0, 1)
    return ticks or [1]


def number_ticks(
    low: float, high: float, language: str, most: int = 6
) -> tuple[list[float], list[str]]:
    """Round ticks from `low`, if an `int` whole ones, to `high`; labels have as many decimals."""
    values = MaxNLocator(most, steps=[1, 2, 5, 10], integer=type(low) is int).tick_values(low, high)
    # Without the noise of binary fractions.
    ticks = [float(f"{value:.6g}") for value in values if low <= value <= high]
    return ticks, labels_of(ticks, language)


def log_ticks(low: float, high: float, language: str) -> tuple[list[float], list[str]]:
    """Ticks of a logarithmic axis, 1, 2 and 5 times powers of ten, from `low` to `high`; each
    label has the decimals that its number needs."""
    found = [float(f"{factor}e{power}") for power in range(-6, 10) for factor in (1, 2, 5)]
    ticks = [tick for tick in found if low <= tick <= high]
    if len(ticks) > 9:
        ticks = [tick for tick in ticks if f"{tick:e}".startswith("1")]
    return ticks, [label for tick in ticks for label in labels_of([tick], language)]


def labels_of(ticks: Sequence[float], language: str) -> list[str]:
    """The numbers in the language's way, all with as many decimals as one of them needs."""
    decimals = max((places(f"{tick:.12f}".rstrip("0")) for tick in ticks), default=0)
    return [decimal(tick, decimals, language) for tick in ticks]
