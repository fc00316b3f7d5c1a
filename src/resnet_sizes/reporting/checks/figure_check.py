"""The figures of a report: each numeral in them has a source."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from lxml import etree

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
    root = etree.parse(figure).getroot()
    return list(_Drawing(root, figure.name, sources).strays())


class _Drawing:
    def __init__(self, root: Any, name: str, sources: Sources) -> None:
        self._root = root
        self._name = name
        self._sources = sources

    def strays(self) -> Iterator[Stray]:
        ticks: dict[str, list[str]] = {}
        for element, text in _texts(self._root):
            found = numerals(without_names(text), self._sources.language)
            ids = [around.get("id") or "" for around in (element, *element.iterancestors())]
            if not found or self._is_value(ids, text):
                continue
            axis = _axis_of_tick(ids)
            if axis.startswith(AXIS_ID) and text.strip().lstrip("\N{MINUS SIGN}") == found[0]:
                ticks.setdefault(axis, []).append(text.strip())
            elif not (axis.startswith(CLASSES_ID) and text.strip() in self._sources.names["class"]):
                yield from (self._stray(numeral, text) for numeral in found)
        for labels in ticks.values():
            yield from (self._stray(label, label) for label in self._out_of_order(labels))

    def _stray(self, numeral: str, text: str) -> Stray:
        return Stray(numeral, f"{self._name}: {' '.join(text.split())}")

    def _is_value(self, ids: list[str], text: str) -> bool:
        keys = [name.removeprefix(VALUE_ID) for name in ids if name.startswith(VALUE_ID)]
        return any(self._sources.holds_value(key, text, unsigned=False) for key in keys)

    def _out_of_order(self, labels: list[str]) -> Iterator[str]:
        """The labels at which numbers stop rising."""
        for before, label in pairwise(labels):
            if self._number(label) <= self._number(before):
                yield label

    def _number(self, label: str) -> float:
        plain = label.lstrip("\N{MINUS SIGN}")
        number = float(number_of(plain, self._sources.language)[0])
        return number if plain == label else -number


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
    for position, name in enumerate(ids):
        if _TICK.fullmatch(name):
            return next(
                (each for each in ids[position:] if each.startswith((AXIS_ID, CLASSES_ID))), ""
            )
    return ""
