"""Numerals in a text, as a reader sees them."""

import re
from decimal import Decimal
from functools import cache

from resnet_sizes.schemas.study.protocol import LAYERS

_GROUPS = {"pt": (r"\.", ","), "en": (",", r"\.")}

_NAMES = "|".join(
    [
        *(f"ResNet-{layers}" for layers in LAYERS.values()),
        "CIFAR-10",
        "SHA-256",
        "(?:FP|TF|BF|bf|fp)(?:16|32)",
        "V[12]",
        "IMAGENET1K_V[12]",
    ]
)
"""Names that hold a number and say nothing by it."""

_OTHER_NUMERALS = (
    "\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089"  # raised and lowered
    "\u00bc-\u00be\u2150-\u218b"  # fractions, Roman
    "\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3007\u3021-\u3029"  # in circles, Chinese
)


@cache
def _pattern(language: str) -> re.Pattern[str]:
    group, point = _GROUPS[language]
    grouped = rf"\d{{1,3}}(?:{group}\d{{3}})+(?!\d)(?:{point}\d+)?"
    return re.compile(rf"{grouped}|\d+(?:{point}\d+)?|[{_OTHER_NUMERALS}]")


def numerals(text: str, language: str) -> list[str]:
    """All of them, in order: `10.000`, `80,84`."""
    return _pattern(language).findall(text)


def without_names(text: str) -> str:
    """The text without names that hold numbers, of networks and number formats."""
    return re.sub(rf"\b(?:{_NAMES})\b", " ", text)


def number_of(numeral: str, language: str) -> tuple[Decimal, int]:
    """What a numeral means, and how many decimal places it shows."""
    group, point = (mark.replace("\\", "") for mark in _GROUPS[language])
    plain = numeral.replace(group, "").replace(point, ".")
    return Decimal(plain), len(plain.partition(".")[2])
