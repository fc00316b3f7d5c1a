"""The figures of a report: each numeral in them has a source."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree

from resnet_sizes.i18n.numbers import MINUS
from resnet_sizes.reporting.checks.numerals import number_of, numerals
from resnet_sizes.reporting.checks.sources import Sources, Stray
from resnet_sizes.reporting.figures.style import AXIS_ID, CLASSES_ID, VALUE_ID
from resnet_sizes.reporting.text.words import without_names

_UNSEEN = ("metadata", "style", "script")
_TICKS = ("xtick_", "ytick_")


def figure_strays(figure: Path, sources: Sources) -> list[Stray]:
    """The numerals of an SVG that come from nowhere.

    A numeral is that of a value, whose key is the id of its group; or it is the tick of an axis:
    a number alone, in its order among the others, or the name of a class where those are named.
    """
    found: list[Stray] = []
    last_ticks: dict[str, Decimal] = {}
    for element, text in _texts(etree.parse(figure).getroot()):
        in_text = numerals(without_names(text), sources.language)
        ids = [around.get("id") or "" for around in (element, *element.iterancestors())]
        keys = [name.removeprefix(VALUE_ID) for name in ids if name.startswith(VALUE_ID)]
        if not in_text or any(sources.hold("data-k", key, text) for key in keys):
            continue
        axis, label = _axis_of_tick(ids), text.strip()
        size = label.removeprefix(MINUS)
        if axis.startswith(AXIS_ID) and size == in_text[0]:
            number, _ = number_of(size, sources.language)
            number = number if size == label else -number
            is_next = axis not in last_ticks or number > last_ticks[axis]
            last_ticks[axis] = number
            in_text = [] if is_next else [label]
        elif axis.startswith(CLASSES_ID) and label in sources.names["class"]:
            continue
        place = f"{figure.name}: {' '.join(text.split())}"
        found += [Stray(numeral, place) for numeral in in_text]
    return found


def _texts(element: Any) -> Iterator[tuple[Any, str]]:
    """Each text that a figure shows or tells, as a whole, with the element that holds it."""
    name = etree.QName(element).localname
    if name == "text":
        yield element, "".join(element.itertext())
    elif name not in _UNSEEN:
        for text in (element.text, *(child.tail for child in element)):
            yield element, text or ""
        for child in element.iterchildren(etree.Element):
            yield from _texts(child)


def _axis_of_tick(ids: list[str]) -> str:
    """The id of the axis that one of its ticks is in; empty of anything else."""
    ticks = [place for place, name in enumerate(ids) if name.startswith(_TICKS)]
    around = ids[ticks[0] :] if ticks else []
    return next((name for name in around if name.startswith((AXIS_ID, CLASSES_ID))), "")
