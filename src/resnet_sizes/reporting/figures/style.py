"""What all figures share: the look of each model, type, sizes."""

from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from resnet_sizes.reporting.figures.svg_ids import AXIS, VALUE

Language = Literal["pt", "en"]

WIDTH = 6.3
"""Inches: the text width of an A4 page."""
FONT_SIZE = 9.0
SMALL = 8.0
INK = "#1C1C1C"
SOFT_INK = "#55585D"
GRID = "#DDDDDD"

# Okabe and Ito's hues, which colour-blind readers tell apart, darkened where text on white
# would be too pale. Each model also has a dash pattern and a marker of its own, for grey print.
MODEL_STYLES: dict[str, dict[str, Any]] = {
    "resnet18": {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    "resnet34": {"color": "#000000", "linestyle": (0, (1, 1)), "marker": "D"},
    "resnet50": {"color": "#BF5000", "linestyle": (0, (4, 1.5)), "marker": "s"},
    "resnet101": {"color": "#A8568A", "linestyle": (0, (3, 1, 1, 1, 1, 1)), "marker": "v"},
    "resnet152": {"color": "#00805F", "linestyle": (0, (5, 1.2, 1, 1.2)), "marker": "^"},
}
LINE: dict[str, Any] = {"linewidth": 1.5, "markersize": 4.5}

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


class Box(NamedTuple):
    """Where axes stand in a figure, in inches from its lower left corner."""

    left: float
    bottom: float
    width: float
    height: float


def settings() -> AbstractContextManager[None]:
    """matplotlib's settings for our figures, while they are drawn and written."""
    return mpl.rc_context(_RC)


def text_width(text: str, size: float = FONT_SIZE) -> float:
    """Inches that a text may take in any typeface that a reader's device has."""
    return _WIDEST * size * len(text) / 72


def add_axes(figure: Figure, box: Box, **options: Any) -> Axes:
    """Axes without a frame above and on the right, at a place given in inches."""
    width, height = figure.get_size_inches()
    place = (box.left / width, box.bottom / height, box.width / width, box.height / height)
    axes = figure.add_axes(place, **options)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    mark_ticks(axes, AXIS)
    return axes


def mark_ticks(axes: Axes, kind: str) -> None:
    """Say in the ids of both axes what their ticks are: AXIS or CLASSES of `figure_ids`."""
    number = axes.figure.axes.index(axes) + 1
    axes.xaxis.set_gid(f"{kind}x.{number}")
    axes.yaxis.set_gid(f"{kind}y.{number}")


def mark_value(text: Text, key: str) -> None:
    """Say in its id that a text writes the value of values.json under `key`."""
    text.set_gid(f"{VALUE}{key}")


def empty_figure(text: str) -> Figure:
    """A figure that says why there is nothing to see."""
    figure = Figure(figsize=(WIDTH, 1.2))
    figure.text(0.5, 0.5, text, ha="center", va="center", color=SOFT_INK)
    return figure
