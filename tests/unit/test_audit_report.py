"""The audit in the report: its section of the template, rendered alone."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from audited_articles import article_of, audit_of_the_article, audited
from report_prose import foreign_words, prose_of
from report_studies import (
    TEMPLATES,
    article_text,
    in_both_languages,
    study_with_evidence,
    words_only,
)

from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.sections.article import report_templates
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.reporting.text.printed import plain
from resnet_sizes.reporting.text.words import Words
from resnet_sizes.schemas.evidence.audit import Audit, Compatibility, IncrementKind
from resnet_sizes.schemas.evidence.values import Source, Value, values_by_place
from resnet_sizes.schemas.paths import StudyFolder

CONFIDENCE = Safe("95%")


def report_on(found: Audit, words: Words) -> ReportContext:
    """An audit with the values that its numbers are."""
    confidence = Value(value=0.95, kind="percent", sources=[Source(file="x", field="x")])
    values = values_by_place("audit", found.model_dump(mode="json"), "audit.json") | {
        "method.confidence": confidence
    }
    return words_only(words, values, audit=found)


def rendered(found: Audit, words: Words) -> str:
    report = report_on(found, words)
    template = report_templates(report, TEMPLATES).get_template("_audit.qmd.j2")
    return plain(
        template.render(
            audit=found,
            prints_minutes=any(
                row.printed_minutes for each in found.protocols for row in each.needs
            ),
            confidence=CONFIDENCE,
            appendix={"audit": "C"},
        )
    )


def check_prose(text: str, language: str = "pt") -> None:
    assert not re.search(r"<<|>>|None|True|False", text)
    assert not foreign_words(prose_of(text), language)
    # Every table that is printed is named in the prose before it, and none other is.
    labels = set(re.findall(r"\{#(tbl-[a-z-]+)\}", text))
    assert labels == set(re.findall(r"@(tbl-[a-z-]+)", text))


@pytest.fixture(scope="module")
def article() -> Audit:
    return audit_of_the_article()


def test_the_article_s_audit_is_told_in_portuguese(article: Audit, words: Words) -> None:
    text = rendered(article, words)
    check_prose(text)
    assert text.startswith("## Apêndice C – O que o artigo diz de si mesmo")
    assert "| ResNet-152 | acréscimo de acurácia | 6% | 6,31% | 5,10 | cálculo relativo |" in text
    assert "| ResNet-18 | 80,84% | 80,06% a 81,60% |" in text
    assert "um desvio-padrão de 0,78 ponto percentual entre sementes" in text
    assert "| redução relativa do erro | 14,1% | 14,5% | não |" in text
    assert "Tesla T4, de 14,7" in text
    assert "difere do impresso por um fator de no máximo 1,5 e a memória basta" in text


def test_the_article_s_audit_is_told_in_english(
    article: Audit, words_in: Callable[[str], Words]
) -> None:
    text = rendered(article, words_in("en"))
    check_prose(text, "en")
    assert text.startswith("## Appendix C – What the article says of itself")
    assert (
        "| ResNet-152 | increment in accuracy | 6% | 6.31% | 5.10 | relative calculation |" in text
    )
    assert "| ResNet-18 | 80.84% | 80.06% to 81.60% |" in text
    assert "a standard deviation of 0.78 percentage points between seeds" in text
    assert "| relative reduction of the error | 14.1% | 14.5% | no |" in text
    assert "Tesla T4, with 14.7" in text


def test_the_rows_of_each_table_are_as_wide_as_its_head(article: Audit, words: Words) -> None:
    tables = re.findall(r"(?m)(?:^\|.*\n)+", rendered(article, words))
    assert len(tables) == 6
    for table in tables:
        assert len({row.count("|") for row in table.splitlines()}) == 1


@pytest.mark.parametrize(
    ("rows", "present", "absent"),
    [
        (
            [("resnet34", "90", "0", None, None), ("resnet101", "90", "0", None, None)],
            ["nenhuma diferença de acurácia seria significativa"],
            ["acrescimos", "leituras", "minutos"],
        ),
        ([("resnet34", "90", "5", None, None)], ["acuracias"], ["diferencas", "retornos"]),
        (
            [("resnet18", "50", "5", None, None), ("resnet34", "95", "9", "16", "9")],
            [
                "nenhum dos dois cálculos",
                "Desvio-limite",
                "pontos percentuais entre sementes",
            ],
            [],
        ),
    ],
)
def test_another_article_s_audit_says_only_what_it_has(
    words_in: Callable[[str], Words], rows: Any, present: list[str], absent: list[str]
) -> None:
    found = audited(article_of(*rows), small={}, odd={"input_size": 65})
    check_prose(rendered(found, words_in("en")), "en")
    text = rendered(found, words_in("pt"))
    check_prose(text)
    for part in present:
        assert part in text
    for part in absent:
        assert f"tbl-auditoria-{part}" not in text


def test_increments_with_one_explanation_are_told_in_one_sentence(
    words_in: Callable[[str], Words],
) -> None:
    def told(layers: str, accuracy: str, language: str = "pt") -> str:
        rows = [("resnet18", "50", "5", None, None), ("resnet34", "95", "9", layers, accuracy)]
        text = rendered(audited(article_of(*rows)), words_in(language))
        return text[: text.index("{#tbl-auditoria-acrescimos}")]

    both = told("89", "90")  # 34/18 and 95/50, less one, in percent
    assert "Nos acréscimos de camadas e de acurácia, só o cálculo relativo explica todos" in both
    assert "No acréscimo" not in both
    assert "For the increments in layers and in accuracy, only the relative calculation" in told(
        "89", "90", "en"
    )
    one_each = told("89", "45")
    assert "No acréscimo de camadas, só o cálculo relativo" in one_each
    assert "No acréscimo de acurácia, só a diferença simples" in one_each


def test_nothing_to_audit_gives_no_section(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path)
    inputs = read_inputs(study, StudyFolder.of_file(study).evidence)
    nothing = audited(article_of(("resnet18", None, "5", None, None)))
    assert "{#auditoria}" in article_text()
    assert "auditoria" not in in_both_languages(replace(inputs, audit=nothing))["pt"]


def test_every_outcome_and_reading_has_its_words(words: Words) -> None:
    for outcome in get_args(Compatibility):
        assert words.find(f"audit.outcomes.names.{outcome}")
    for kind in get_args(IncrementKind):
        assert words.find(f"audit.increments.fits.{kind}")
        assert words.find(f"audit.increments.conclusion.{kind}")
