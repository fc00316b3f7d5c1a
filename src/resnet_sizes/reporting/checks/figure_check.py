"""The figures of a report: each numeral in them has a source."""

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from lxml import etree

from resnet_sizes.i18n.numbers import MINUS
from resnet_sizes.reporting.checks.numerals import number_of, numerals, without_names
from resnet_sizes.reporting.checks.sources import Sources, Stray
from resnet_sizes.reporting.figures.style import AXIS_ID, CLASSES_ID, VALUE_ID

_UNSEEN = ("metadata", "style", "script")
_TICK = re.compile(r"[xy]tick_\d+")


def figure_strays(figure: Path, sources: Sources) -> list[Stray]:
    """The numerals of an SVG that come from nowhere.

    A numeral is that of a value, whose key is the id of its group; or it is the tick of an axis:
    a number alone, in its order among the others, or the name of a class where those are named.
    """
    found: list[tuple[str, str]] = []
    ticks: dict[str, list[str]] = {}
    for element, text in _texts(etree.parse(figure).getroot()):
        in_text = numerals(without_names(text), sources.language)
        ids = [around.get("id") or "" for around in (element, *element.iterancestors())]
        if not in_text or _is_value(ids, text, sources):
            continue
        axis, label = _axis_of_tick(ids), text.strip()
        if axis.startswith(AXIS_ID) and label.removeprefix(MINUS) == in_text[0]:
            ticks.setdefault(axis, []).append(label)
        elif not (axis.startswith(CLASSES_ID) and label in sources.names["class"]):
            found += [(numeral, text) for numeral in in_text]
    for labels in ticks.values():
        numbers = [_number(label, sources.language) for label in labels]
        pairs = zip(labels[1:], pairwise(numbers), strict=True)
        found += [(label, label) for label, (before, number) in pairs if number <= before]
    return [Stray(numeral, f"{figure.name}: {' '.join(text.split())}") for numeral, text in found]


def _is_value(ids: list[str], text: str, sources: Sources) -> bool:
    keys = [name.removeprefix(VALUE_ID) for name in ids if name.startswith(VALUE_ID)]
    return any(sources.holds_value(key, text, unsigned=False) for key in keys)


def _number(label: str, language: str) -> Decimal:
    number, _ = number_of(label.removeprefix(MINUS), language)
    return -number if label.startswith(MINUS) else number


def _texts(root: Any) -> Iterator[tuple[Any, str]]:
    """Each text that a figure shows or tells, as a whole, with the element that holds it."""
    for element in root.iter(etree.Element):
        around = [element, *element.iterancestors()]
        names = [etree.QName(each).localname for each in around]
        if any(name in _UNSEEN for name in names) or "text" in names[1:]:
            continue
        if names[0] == "text":
            yield element, "".join(element.itertext())
        else:
            for text in (element.text, *(child.tail for child in element)):
                if text and text.strip():
                    yield element, text


def _axis_of_tick(ids: list[str]) -> str:
    """The id of the axis that one of its ticks is in; empty of anything else."""
    ticks = [position for position, name in enumerate(ids) if _TICK.fullmatch(name)]
    around = ids[ticks[0] :] if ticks else []
    return next((name for name in around if name.startswith((AXIS_ID, CLASSES_ID))), "")
