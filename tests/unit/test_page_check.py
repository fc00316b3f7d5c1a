"""The check of a page, on pages of a sentence or two: what is excused stands in its place."""

from typing import Any

import pytest
from synthetic import LEDGER

from resnet_sizes.records.ledger_file import load_ledger
from resnet_sizes.records.values import Source, Value, Values
from resnet_sizes.reporting.page_check import strays
from resnet_sizes.reporting.sources import Sources

VALUES = {
    "study.epochs": (50, "count"),
    "a.resnet50.accuracy_increment": (-32.1, "percent"),
    "verdict.a.S1.sentence.en": ("In 3 seeds 0.5 points.", "text"),
}
LEDGER_READ = load_ledger(LEDGER)


def sources(**changes: Any) -> Sources:
    origin = [Source(file="metrics.json", field="x")]
    values = {
        key: Value.model_validate({"value": number, "kind": kind, "sources": origin})
        for key, (number, kind) in VALUES.items()
    }
    given: dict[str, Any] = {
        "values": Values(study="19", values=values),
        "ledger": LEDGER_READ,
        "language": "en",
        "settings": lambda key: "stem 7×7" if key == "readings.stem.imagenet" else "",
        "names": frozenset({"19", "3.9"}),
        "alternatives": {},
    }
    return Sources(**given | changes)


def found(body: str, **changes: Any) -> list[str]:
    page = f"<html><head></head><body><main>{body}</main></body></html>"
    return [stray.numeral for stray in strays(page, sources(**changes))]


def in_span(attributes: str, text: str) -> str:
    return f"<p>It is <span {attributes}>{text}</span> here.</p>"


@pytest.mark.parametrize(("text", "expected"), [("50", []), ("49", ["49"]), ("150", ["150"])])
def test_a_value_is_what_its_key_holds(text: str, expected: list[str]) -> None:
    assert found(in_span('data-k="study.epochs"', text)) == expected
    assert found(in_span('data-k="no.such.key"', "50")) == ["50"]


def test_a_number_has_its_sign_but_where_a_size_is_printed() -> None:
    key = 'data-k="a.resnet50.accuracy_increment"'
    assert found(in_span(key, "−32.1%")) == []
    assert found(in_span(key, "32.1%")) == ["32.1"]
    assert found(in_span(f'class="v size" {key}', "32.1%")) == []
    assert found(in_span(f'class="v size" {key}', "−32.1%")) == ["32.1"]


def test_a_sentence_among_the_values_is_there_as_a_whole() -> None:
    key = 'data-k="verdict.a.S1.sentence.en"'
    assert found(in_span(key, "In 3 seeds 0.5 points.")) == []
    assert found(in_span(key, "3")) == ["3"]
    assert found(in_span(key, "0.5 points")) == ["0.5"]


def statement(name: str) -> Any:
    return next(one for one in LEDGER_READ.statements if one.id == name)


def test_a_statement_of_the_ledger_is_there_as_a_whole() -> None:
    text, criterion = statement("S3").text.en, statement("S3").criterion.en
    for whole in (text, criterion, text[0].lower() + text[1:], text.replace(" ", "\n")):
        assert found(in_span('data-l="S3"', whole)) == []
    for part in ("7", "37", "3", "3%", text.replace("178", "187"), text + " In 3.", text.upper()):
        assert found(in_span('data-l="S3"', part)), part
    assert found(in_span('data-l="S3"', statement("S3").text.pt))
    assert found(in_span('data-l="S4"', text))


def test_what_the_article_says_elsewhere_is_there_as_a_whole() -> None:
    assert LEDGER_READ.judging.seed_effect is not None
    source = LEDGER_READ.judging.seed_effect.source.en
    assert found(in_span('data-l="judging"', source)) == []
    assert found(in_span('data-l="judging"', "0.05"))
    assert found(in_span('data-l="judging"', source[:-1]))


def test_a_setting_is_there_as_a_whole() -> None:
    assert found(in_span('data-t="readings.stem.imagenet"', "stem 7×7")) == []
    assert found(in_span('data-t="readings.stem.imagenet"', "7×7")) == ["7", "7"]
