"""Whether a printed text is what a value holds."""

import re
from decimal import Decimal

from resnet_sizes.records.numbers import date_and_time, show
from resnet_sizes.records.values import Value
from resnet_sizes.reporting.numerals import number_of, numerals

_BYTES = {"MiB": Decimal(2**20), "GiB": Decimal(2**30)}


def shows(text: str, value: Value, language: str) -> bool:
    """Whether `text`, as it stands on the page, is the value in this language.

    A number may be rounded to the decimal places that are shown, be in percent, or without its
    sign where the sentence says the direction. A hash may be cut and broken.
    """
    if value.kind == "text":
        return _squeezed(text) in _squeezed(str(value.value))
    if value.kind == "datetime":
        stamp = str(value.value)
        return text in (show(stamp, value.kind, language), date_and_time(stamp, language))
    if value.kind == "seconds":
        return text == show(value.value, value.kind, language)
    found = numerals(text, language)
    if len(found) != 1:
        return False
    shown, places = number_of(found[0], language)
    exact = abs(Decimal(str(value.value))) * _scale(text, value)
    # The binary fraction of a value may lie on either side of a decimal half.
    return abs(shown - exact) <= Decimal(5).scaleb(-places - 1) * Decimal("1.000001")


def _scale(text: str, value: Value) -> Decimal:
    for unit, size in _BYTES.items():
        if unit in text:
            return 1 / size
    return Decimal(100 if value.kind == "fraction" else 1)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)
