"""Numbers and dates as a reader of the report's language expects them.

Babel's defaults round half to even, print 0.0005 as 0 and turn minutes into words, so every
kind of value has its explicit rule here: a Decimal made from the shortest text of the number,
rounded half up to stated digits, written with explicit patterns.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from babel.dates import format_datetime
from babel.numbers import format_decimal

from resnet_sizes.schemas.article.columns import Kind

LOCALES = {"pt": "pt_BR", "en": "en_GB"}
DATE_PATTERNS = {"pt": "d 'de' MMMM 'de' y", "en": "d MMMM y"}
TIME_PATTERNS = {"pt": "d 'de' MMMM 'de' y, HH'h'mm '(UTC)'", "en": "d MMMM y, HH:mm '(UTC)'"}

MINUS = "\u2212"
NARROW_SPACE = "\u202f"  # between a number and its unit; does not break

Form = Kind | Literal["significant", "points", "moment"]
"""How a value may be printed: as its kind is; a number with two significant figures; a fraction in
percentage points, without their name; a date with the time of day."""

Number = int | float | str | Decimal


def exact(value: Number) -> Decimal:
    """The number as its shortest decimal text says it: 0.1 is 0.1."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def rounded(value: Number, digits: int) -> Decimal:
    """Round half away from zero to `digits` decimal places; negative digits round tens."""
    return exact(value).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def decimal(value: Number, digits: int, language: str) -> str:
    """`1.234,50`: grouped, with exactly `digits` decimal places and a true minus sign."""
    number = rounded(value, digits)
    pattern = "#,##0" + ("." + "0" * digits if digits > 0 else "")
    text: str = format_decimal(
        abs(number), format=pattern, locale=LOCALES[language], decimal_quantization=False
    )
    return MINUS + text if number < 0 else text


def percent(fraction: Number, language: str, digits: int = 2) -> str:
    """A fraction in percent: 0.8084 as `80,84%`."""
    return decimal(exact(fraction) * 100, digits, language) + "%"


def significant(value: Number, language: str) -> str:
    """Two significant figures, without an exponent: `112`, `41`, `2,3`, `0,042`."""
    return decimal(value, _digits_of_two_figures(exact(value)), language)


def _digits_of_two_figures(number: Decimal) -> int:
    if number == 0:
        return 1
    # 9.96 is 10, which needs one digit less than 9.9.
    return max(0, 1 - rounded(number, 1 - number.adjusted()).adjusted())


def ratio_digits(value: Number, usual: int) -> int:
    """Decimal places of a ratio: the usual ones above 1; else two or more, with two significant
    figures, so that one of 0.16 does not appear as 0.2, nor one of 0.97 as 1."""
    number = exact(value)
    if rounded(number, 1) > 1:
        return usual
    return max(2, usual, _digits_of_two_figures(number))


def plain(value: Number, language: str) -> str:
    """All digits that the number has: 0.0005 as `0,0005`."""
    number = exact(value).normalize()
    places = number.as_tuple().exponent
    return decimal(number, max(0, -places) if isinstance(places, int) else 0, language)


def plain_percent(fraction: Number, language: str) -> str:
    """A fraction in percent with all digits that it has: 0.05 as `5%`, 0.005 as `0,5%`."""
    return plain(exact(fraction) * 100, language) + "%"


def places(printed: str) -> int:
    """How many decimal places a number has as it is printed: 2 of `80.84`."""
    return len(printed.partition(".")[2])


def loss(value: Number, language: str) -> str:
    """Three decimal places, or two significant figures of a small loss: `0,085`, `0,00042`."""
    if 0 < exact(value) < Decimal("0.01"):
        return significant(value, language)
    return decimal(value, 3, language)


def minutes(value: Number, language: str) -> str:
    """Two significant figures; less than a hundredth is no more than that: `< 0,01`."""
    if 0 < exact(value) < Decimal("0.01"):
        return f"<{NARROW_SPACE}{decimal(Decimal('0.01'), 2, language)}"
    return significant(value, language)


def seconds(value: Number, language: str) -> str:
    """A duration with its units: `0,42 s`, `47 s`, `4 min 5 s`, `3 h 20 min`."""
    number = exact(value)
    if number < 10:
        return f"{significant(number, language)}{NARROW_SPACE}s"
    amounts, units = divmod(rounded(number, 0), 60), ("min", "s")
    if amounts[0] >= 60:
        amounts, units = divmod(rounded(number / 60, 0), 60), ("h", "min")
    return " ".join(
        f"{decimal(amount, 0, language)}{NARROW_SPACE}{unit}"
        for amount, unit in zip(amounts, units, strict=True)
        if amount
    )


def memory(value: Number, language: str) -> str:
    """Bytes in MiB or GiB: `412 MiB`, `1,5 GiB`."""
    number = exact(value) / 2**20
    if number < 1024:
        return f"{significant(number, language)}{NARROW_SPACE}MiB"
    return f"{decimal(number / 1024, 1, language)}{NARROW_SPACE}GiB"


def energy(value: Number, language: str) -> str:
    """Joules in watt-hours: `0,42 Wh`, `37 Wh`, `1.250 Wh`."""
    return f"{significant(exact(value) / 3600, language)}{NARROW_SPACE}Wh"


def moment(text: str) -> datetime:
    """Read an ISO 8601 time; one without a zone is taken as UTC."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def date(text: str, language: str, patterns: Mapping[str, str] = DATE_PATTERNS) -> str:
    """`24 de novembro de 2026`, `1º de novembro de 2026`."""
    written = str(format_datetime(moment(text), patterns[language], locale=LOCALES[language]))
    # Babel has no pattern by which Portuguese counts the first day of a month alone.
    return written.replace("1 ", "1º ", 1) if written.startswith("1 de ") else written


def date_and_time(text: str, language: str) -> str:
    """`24 de novembro de 2026, 14h05 (UTC)`."""
    return date(text, language, TIME_PATTERNS)


_AS_KIND: dict[Form, Callable[[Number, str], str]] = {
    "count": lambda value, language: decimal(value, 0, language),
    "fraction": percent,
    "percent": lambda value, language: decimal(value, 0, language) + "%",
    "minutes": minutes,
    "seconds": seconds,
    "bytes": memory,
    "energy": energy,
    "loss": loss,
    "number": plain,
    "significant": significant,
    "points": lambda value, language: decimal(exact(value) * 100, 2, language),
    "moment": lambda value, language: date_and_time(str(value), language),
    "datetime": lambda value, language: date(str(value), language),
}


def show(value: Number, kind: Form, language: str, digits: int | None = None) -> str:
    """A value as its kind is printed; `digits` asks for other decimal places than usual.

    Raises ValueError for digits where the kind has none.
    """
    if digits is None:
        return _AS_KIND[kind](value, language) if kind in _AS_KIND else str(value)
    if kind == "fraction":
        return percent(value, language, digits)
    if kind in ("count", "percent", "minutes", "loss", "number"):
        return decimal(value, digits, language) + ("%" if kind == "percent" else "")
    raise ValueError(f"a value of kind {kind} has no decimal places to choose")
