"""Where to write names beside points, so that they cover nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from resnet_sizes.reporting.figures.style import FONT_SIZE, text_width

_GAP = 0.08  # inches between a point and its name
_HEIGHT = 1.2 * FONT_SIZE / 72


@dataclass(frozen=True)
class Rectangle:
    """In inches; a line is a thin one."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: "Rectangle") -> bool:
        """Whether the two share more than an edge."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def is_inside(self, other: "Rectangle") -> bool:
        """Whether it lies wholly in another."""
        return (
            other.left <= self.left
            and self.right <= other.right
            and other.bottom <= self.bottom
            and self.top <= other.top
        )


@dataclass(frozen=True)
class Place:
    """Where a name is written: its baseline's end and which end that is."""

    x: float
    y: float
    align: Literal["left", "center", "right"]
    box: Rectangle


def place_names(
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    marks: Sequence[Rectangle],
    area: Rectangle,
) -> list[Place]:
    """A place for each name beside its point (inches), one after the other.

    Of the places around a point, near ones first, the one that covers least is taken: `marks`
    are what is drawn (points, bars, lines), `area` is where names may stand.
    """
    placed: list[Place] = []
    for (x, y), name in zip(points, names, strict=True):
        taken = [place.box for place in placed]

        def cost(place: Place, taken: list[Rectangle] = taken) -> tuple[int, int]:
            hidden = sum(place.box.overlaps(box) for box in taken)
            hidden += not place.box.is_inside(area)
            return hidden, sum(place.box.overlaps(mark) for mark in marks)

        placed.append(min(_candidates(x, y, text_width(name)), key=cost))
    return placed


def _candidates(x: float, y: float, width: float) -> list[Place]:
    found = []
    for step in range(5):
        away = _GAP + step * 0.75 * _HEIGHT
        for above in (False, True):
            bottom = y + away if above else y - away - _HEIGHT
            found.append(_place(x + _GAP, bottom, "left", width))
            found.append(_place(x - _GAP, bottom, "right", width))
            found.append(_place(x, bottom, "center", width))
        found.append(_place(x + away + _GAP, y - _HEIGHT / 2, "left", width))
        found.append(_place(x - away - _GAP, y - _HEIGHT / 2, "right", width))
    return found


def _place(
    x: float, bottom: float, align: Literal["left", "center", "right"], width: float
) -> Place:
    left = {"left": x, "center": x - width / 2, "right": x - width}[align]
    box = Rectangle(left, bottom, left + width, bottom + _HEIGHT)
    return Place(x, bottom + 0.25 * _HEIGHT, align, box)
