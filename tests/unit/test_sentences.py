"""The sentences of verdicts: complete, with numbers as the language writes them."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from judged_studies import REVERSED, judged, sentence
from report_prose import foreign_words
from report_studies import words_of
from synthetic import ARTICLE, ARTICLE_ACCURACIES

from resnet_sizes.reporting.text.verdict_sentences import (
    NO_BREAK,
    overall_sentence,
    p_text,
    sentence_of,
)
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.evidence.verdicts import (
    Agreement,
    Basis,
    Overall,
    Reason,
    Verdict,
    VerdictName,
)

WIDE = {"accuracies": ARTICLE_ACCURACIES | {"resnet18": (0.7984, 0.8084, 0.8184)}}
NOISE = {"accuracies": {"resnet18": 0.80, "resnet50": (0.82, 0.79, 0.82), "resnet152": 0.85}}
STUDIES: list[dict[str, Any]] = [{}, REVERSED, WIDE, NOISE, {"seeds": [0]}, {"content": "digits"}]


@pytest.mark.parametrize("language", ["pt", "en"])
def test_every_reason_and_every_verdict_has_its_words(language: str) -> None:
    words = words_of(language)
    for reason in get_args(Reason):
        assert words(f"reasons.{reason}")[0].islower()
    for verdict in get_args(VerdictName):
        assert words(f"verdicts.{verdict}")


@pytest.mark.parametrize("settings", STUDIES)
def test_sentences_are_whole_and_written_in_their_language(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    for verdict in judged(tmp_path, **settings).values():
        said = sentence(verdict)
        pt, en = said.pt, said.en
        for text in (pt, en):
            assert text[0].isupper(), text
            assert text.endswith("."), text
            assert not re.search(r"\{|\}|None|nan|inf\b", text), text
        assert not re.search(r"\d\.\d{1,2}\b", pt), pt
        assert not re.search(r"\d,\d{1,2}\b", en), en
        assert not foreign_words(pt, "pt"), pt
        assert not foreign_words(en, "en"), en


def test_a_sentence_names_the_numbers_that_decided(tmp_path: Path) -> None:
    found = judged(tmp_path, **WIDE)
    assert sentence(found["T1"]).en.replace(NO_BREAK, " ") == (
        "The seeds differ so much that the prediction interval is too wide: 3 seeds; the article "
        "has 80.84%, and 80.84% was found here, with a 95% prediction interval of 75.87% to "
        "85.81%; p = 1.000 (Holm); "
        # 1.962 · 1.019 · √(1 + 1/989) = 2.00, the width that is allowed; four of five samples of so
        # many have a deviation below 1.019.
        "about 989 seeds would be needed to decide, if "
        "these differences and this spread are the true ones."
    )
    assert "pontos percentuais (IC de 95%: " in sentence(found["S1"]).pt
    assert "no artigo e 6,35 pelo número de operações" in sentence(found["S2"]).pt


def test_points_are_singular_below_two(tmp_path: Path) -> None:
    accuracies = {"resnet18": 0.80, "resnet50": 0.8199, "resnet152": 0.84}
    said = sentence(judged(tmp_path, accuracies=accuracies)["S1"]).pt
    assert "é de 1,99 ponto percentual (" in said
    assert "é de 2,01 pontos percentuais (" in said


@pytest.mark.parametrize(
    ("holding", "text"),
    [
        (3, "em cada uma delas)"),
        (2, "em 2 delas)"),
        (1, "em apenas uma delas)"),
        (0, "em nenhuma delas)"),
    ],
)
def test_it_is_said_in_how_many_seeds_the_rule_holds(holding: int, text: str) -> None:
    assert text in told(Basis(seeds=3, seeds_holding=holding))
    assert "delas" not in told(Basis(seeds=1, seeds_holding=1))


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1, "vale em todas as reamostragens"),
        (0.9999, "vale em mais de 99,9% das reamostragens"),
        (0.999, "vale em 99,9% das reamostragens"),
        (0.0005, "vale em 0,1% das reamostragens"),
        (0.0004, "vale em menos de 0,1% das reamostragens"),
        (0, "não vale em nenhuma reamostragem"),
    ],
)
def test_a_share_of_resamples_is_not_rounded_to_none_or_all(share: float, text: str) -> None:
    assert text in told(Basis(seeds=3, probability=share))


def told(basis: Basis) -> str:
    """The sentence on an order that these numbers leave undecided."""
    claim = load_article(ARTICLE).claims[0]
    verdict = Verdict(
        id=claim.id,
        rule=claim.rule,
        protocol="scratch-32",
        verdict="within-noise",
        reasons=["indistinct"],
        basis=basis,
    )
    return sentence_of(claim, verdict, words_of("pt"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0004, "< 0,001"), (0.001, "= 0,001"), (0.0496, "= 0,050"), (1, "= 1,000")],
)
def test_small_p_values_are_not_printed_as_zero(value: float, text: str) -> None:
    assert p_text(value, "pt").replace(NO_BREAK, " ") == text


def overall(agreement: Agreement | None, **readings: VerdictName) -> Overall:
    return Overall(
        id="S1",
        verdict="supported",
        reasons=[agreement or "rule-holds"],
        agreement=agreement,
        taking_part=[name for name in readings if readings[name] != "not-run"],
        readings=readings,
    )


def verdict_of(protocol: str, name: VerdictName, reason: Reason) -> Verdict:
    return Verdict(id="S1", rule="ordering", protocol=protocol, verdict=name, reasons=[reason])


def test_all_readings_together_are_named_unless_one_speaks_for_all() -> None:
    claim = load_article(ARTICLE).claims[0]
    verdicts = [
        verdict_of("a", "not-run", "models-missing"),
        verdict_of("b", "not-enough-runs", "few-seeds"),
        verdict_of("c", "supported", "rule-holds"),
    ]
    several = overall("readings-open", a="not-run", b="not-enough-runs", c="supported")
    assert overall_sentence(claim, several, verdicts, words_of("en")) == (
        "The readings that decide agree, but others do not decide (b: not enough runs; "
        "c: supported)."
    )
    alone = overall(None, a="not-run", c="supported")
    assert overall_sentence(claim, alone, verdicts, words_of("en")) == (
        "The rule holds, beyond what chance explains."
    )


def test_readings_are_named_with_what_they_give() -> None:
    claim = load_article(ARTICLE).claims[0]
    readings: dict[str, VerdictName] = {
        "probe-224": "supported", "literal": "supported", "scratch-32": "contradicted"
    }  # fmt: skip
    differ = overall("readings-differ", **readings)
    pt, en = (overall_sentence(claim, differ, [], words_of(name)) for name in ("pt", "en"))
    assert pt == (
        "As leituras não dão todas o mesmo veredito (probe-224, literal: sustentada; "
        "scratch-32: contradita)."
    )
    assert "scratch-32: contradicted" in en
