"""Numbers and dates as a Brazilian reader expects them."""

from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_sizes.i18n import numbers
from resnet_sizes.i18n.numbers import MINUS, NARROW_SPACE, show
from resnet_sizes.schemas.article.columns import Kind


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (50_000, "count", "50.000"),
        (11_181_642, "count", "11.181.642"),
        (0.8084, "fraction", "80,84%"),
        (1.0, "fraction", "100,00%"),
        (177.77777, "percent", "178%"),
        (-5.6, "percent", f"{MINUS}6%"),
        (-0.2, "percent", "0%"),
        (112.0, "minutes", "112"),
        (1234.5, "minutes", "1.235"),
        (2.34, "minutes", "2,3"),
        (9.96, "minutes", "10"),
        (0.42, "minutes", "0,42"),
        (0.042, "minutes", "0,042"),
        (0.0042, "minutes", "<\u202f0,01"),
        (0.0, "minutes", "0,0"),
        (1.91234, "loss", "1,912"),
        (0.01, "loss", "0,010"),
        (0.0004234, "loss", "0,00042"),
        (0.0, "loss", "0,000"),
        (0.0005, "number", "0,0005"),
        (5e-05, "number", "0,00005"),
        (256, "number", "256"),
        (0.42, "seconds", f"0,42{NARROW_SPACE}s"),
        (59.4, "seconds", f"59{NARROW_SPACE}s"),
        (59.5, "seconds", f"1{NARROW_SPACE}min"),
        (245, "seconds", f"4{NARROW_SPACE}min 5{NARROW_SPACE}s"),
        (12_000, "seconds", f"3{NARROW_SPACE}h 20{NARROW_SPACE}min"),
        (1_500_000_000, "bytes", f"1,4{NARROW_SPACE}GiB"),
        (432_013_312, "bytes", f"412{NARROW_SPACE}MiB"),
        ("2026-11-24T23:30:00Z", "datetime", "24 de novembro de 2026"),
        ("2026-11-24T23:30:00-03:00", "datetime", "25 de novembro de 2026"),
        ("2026-01-01T00:00:00Z", "datetime", "1º de janeiro de 2026"),
        ("2026-01-11T00:00:00Z", "datetime", "11 de janeiro de 2026"),
        ("texto", "text", "texto"),
    ],
)
def test_each_kind_of_value_has_its_form(value: float | str, kind: Kind, text: str) -> None:
    assert show(value, kind, "pt") == text


def test_halves_are_rounded_away_from_zero_whatever_the_binary_fraction() -> None:
    assert numbers.decimal(0.125, 2, "pt") == "0,13"
    assert numbers.decimal(2.675, 2, "pt") == "2,68"
    assert numbers.decimal(-0.125, 2, "pt") == f"{MINUS}0,13"
    assert numbers.percent(0.80845, "pt", digits=2) == "80,85%"


def test_other_digits_may_be_asked_for_only_where_there_are_any() -> None:
    assert show(3.3523, "percent", "pt", digits=1) == "3,4%"
    with pytest.raises(ValueError, match="datetime"):
        show("2026-11-24T00:00:00Z", "datetime", "pt", digits=1)


def test_a_moment_is_shown_with_its_time() -> None:
    english = numbers.date_and_time("2026-11-24T09:05:00Z", "en")
    assert english == "24 November 2026, 09:05 (UTC)"
    assert numbers.date("2026-11-01T09:05:00Z", "en") == "1 November 2026"
    assert numbers.date_and_time("2026-11-01T09:05:00Z", "pt").startswith("1º de novembro de ")
    text = numbers.date_and_time("2026-11-24T09:05:00Z", "pt")
    assert text == "24 de novembro de 2026, 09h05 (UTC)"


@given(st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, places=6))
def test_a_printed_number_is_the_number_to_half_a_unit_of_its_last_place(value: Decimal) -> None:
    text = numbers.decimal(value, 2, "pt")
    back = Decimal(text.replace(".", "").replace(",", ".").replace(MINUS, "-"))
    assert abs(back - value) <= Decimal("0.005")


@given(st.floats(min_value=0.01, max_value=1e6))
def test_minutes_never_show_an_exponent_or_fewer_than_two_figures(value: float) -> None:
    text = show(value, "minutes", "pt")
    figures = text.replace(".", "").replace(",", "").lstrip("0")
    assert figures.isdigit()
    assert len(figures) >= 2


def test_every_kind_can_be_printed() -> None:
    samples: dict[str, float | str] = {"text": "a", "datetime": "2026-01-01T00:00:00Z"}
    for kind in get_args(Kind):
        assert show(samples.get(kind, 1.5), kind, "pt")


def test_a_level_keeps_its_decimals() -> None:
    assert numbers.plain_percent(0.05, "pt") == "5%"
    assert numbers.plain_percent(0.005, "pt") == "0,5%"
