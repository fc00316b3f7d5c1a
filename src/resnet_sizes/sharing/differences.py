"""Where a claimed JSON document and the one that was made again differ."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

ROUNDING = 1e-9
"""Relative difference of two numbers that other processors, and other versions of numpy and scipy,
may give."""


class Difference(NamedTuple):
    """One place at which two documents differ."""

    place: str
    claimed: Any
    made: Any

    def __str__(self) -> str:
        return f"{self.place}: {_shown(self.claimed)} is claimed, {_shown(self.made)} comes out"


ABSENT = object()
"""What stands for a place that one of the documents lacks."""


def differences(claimed: Any, made: Any, place: str = "") -> Iterator[Difference]:
    """Every place at which the documents differ, in the order of the claimed one."""
    if isinstance(claimed, dict) and isinstance(made, dict):
        for key in [*claimed, *(key for key in made if key not in claimed)]:
            inner = f"{place}.{key}" if place else key
            yield from differences(claimed.get(key, ABSENT), made.get(key, ABSENT), inner)
    elif isinstance(claimed, list) and isinstance(made, list):
        if len(claimed) != len(made):
            yield Difference(f"{place}, its length", len(claimed), len(made))
        for index, (one, other) in enumerate(zip(claimed, made, strict=False)):
            yield from differences(one, other, f"{place}[{index}]")
    elif not _equal(claimed, made):
        yield Difference(place, claimed, made)


def _equal(claimed: Any, made: Any) -> bool:
    numbers = [value for value in (claimed, made) if type(value) in (int, float)]
    if len(numbers) == 2 and max(map(abs, numbers)) < 1e300:  # an int may be no float
        return math.isclose(claimed, made, rel_tol=ROUNDING, abs_tol=1e-15)
    return type(claimed) is type(made) and bool(claimed == made)


def _shown(value: Any) -> str:
    if value is ABSENT:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
