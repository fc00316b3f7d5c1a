"""Whether a printed text is what a value holds."""

from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_sizes.i18n import numbers
from resnet_sizes.reporting.checks.sources import number_of, numerals, shows
from resnet_sizes.schemas.article.columns import Kind
from resnet_sizes.schemas.evidence.values import Source, Value

LANGUAGES = st.sampled_from(["pt", "en"])
HASH = sha256(b"an image").hexdigest()


def value(number: Any, kind: Kind) -> Value:
    return Value(value=number, kind=kind, sources=[Source(file="metrics.json", field="x")])


@given(st.floats(-1e6, 1e6), st.integers(0, 4), LANGUAGES)
def test_a_number_reads_as_it_was_written(number: float, digits: int, language: str) -> None:
    text = numbers.decimal(number, digits, language)
    (numeral,) = numerals(text, language)
    read, places = number_of(numeral, language)
    assert places == digits
    assert read == abs(numbers.rounded(numbers.exact(number), digits))


@given(
    st.floats(0, 1) | st.floats(1, 1e6),
    st.sampled_from(["fraction", "percent", "minutes", "seconds", "bytes", "loss", "number"]),
    LANGUAGES,
)
def test_a_value_shows_itself_as_its_kind_is_printed(
    number: float, kind: Kind, language: str
) -> None:
    assert shows(numbers.show(number, kind, language), value(number, kind), language)


@given(st.floats(-1e6, 1e6), st.integers(0, 4), LANGUAGES)
def test_a_number_with_its_sign_shows_itself(number: float, digits: int, language: str) -> None:
    text = numbers.show(number, "percent", language, digits)
    assert shows(text, value(number, "percent"), language)


@given(st.floats(0.01, 0.99), st.integers(0, 3), st.integers(1, 9), LANGUAGES)
def test_another_number_is_not_the_value(
    number: float, digits: int, off: int, language: str
) -> None:
    shown = numbers.rounded(numbers.exact(number) * 100, digits) + off * Decimal(1).scaleb(-digits)
    text = numbers.decimal(shown, digits, language) + "%"
    assert not shows(text, value(number, "fraction"), language)


def test_a_sign_may_be_left_out_only_where_a_size_is_printed() -> None:
    fall, rise = value(-32.1, "percent"), value(32.1, "percent")
    assert shows("−32,1%", fall, "pt")
    assert not shows("32,1%", fall, "pt")
    assert not shows("−32,1%", rise, "pt")
    assert shows("32,1%", fall, "pt", unsigned=True)
    assert not shows("−32,1%", fall, "pt", unsigned=True)


def test_a_number_that_rounds_to_zero_has_no_sign() -> None:
    assert shows("0,0%", value(-0.01, "percent"), "pt")


@pytest.mark.parametrize(
    "text",
    ["3", "Em 3 sementes", "Em 3 sementes, 0,5 pontos a mais.", "em 4 sementes, 0,5 pontos."],
)
def test_a_part_of_a_text_is_not_the_text(text: str) -> None:
    assert not shows(text, value("Em 3 sementes, 0,5 pontos.", "text"), "pt")


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("Em 3 sementes,\n 0,5\N{NO-BREAK SPACE}ponto.", "Em 3 sementes, 0,5\u00a0ponto."),
        ("em 3 sementes", "Em 3 sementes."),
        ("a¦b", "a|b"),
        ("GPU 2", "GPU\x07 2"),
    ],
)
def test_a_text_may_be_broken_and_begin_small(text: str, held: str) -> None:
    assert shows(text, value(held, "text"), "pt")


def test_only_a_hash_may_be_cut_and_at_one_place() -> None:
    assert shows(HASH[:16], value(HASH, "text"), "pt")
    assert shows(" ".join(HASH[i : i + 16] for i in range(0, 64, 16)), value(HASH, "text"), "pt")
    assert shows(f"{HASH}; {HASH}", value([HASH, HASH], "list"), "pt")
    assert not shows(HASH[:15], value(HASH, "text"), "pt")
    assert not shows(HASH[16:32], value(HASH, "text"), "pt")
    assert not shows("NVIDIA H100 80GB"[:16], value("NVIDIA H100 80GB HBM3", "text"), "pt")


def test_a_moment_is_its_date_with_or_without_its_time_of_day() -> None:
    held = value("2025-01-01T08:00:00Z", "datetime")
    assert shows("1º de janeiro de 2025", held, "pt")
    assert shows("1º de janeiro de 2025, 08h00 (UTC)", held, "pt")
    assert shows("1 January 2025", held, "en")
    for other in ("2 de janeiro de 2025", "11 de janeiro de 2025", "1º de janeiro de 2025, 09h00"):
        assert not shows(other, held, "pt")


@pytest.mark.parametrize("text", ["", "?", "²", "½", "80,84 80,84"])
def test_what_is_no_single_plain_number_is_no_value(text: str) -> None:
    assert not shows(text, value(0.8084, "fraction"), "pt")
