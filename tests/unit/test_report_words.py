"""The words and sentences that the report is made of, without a study."""

import itertools
import re
from collections.abc import Callable
from typing import get_args

import pytest
from report_prose import strangers
from report_studies import NO_STUDY, NO_VALUES

from resnet_sizes.records.errors import UserError
from resnet_sizes.records.ledger import Ledger
from resnet_sizes.records.protocol import Description, Reading
from resnet_sizes.records.statements import Statement
from resnet_sizes.records.study import DataContent
from resnet_sizes.records.verdicts import Overall, Reason, Verdict, VerdictName
from resnet_sizes.reporting.criteria import criteria, same_tests
from resnet_sizes.reporting.judgements import Judged, Judgements
from resnet_sizes.reporting.printed import plain
from resnet_sizes.reporting.readings import ReadingWords
from resnet_sizes.reporting.words import Words, make_environment


@pytest.mark.parametrize("language", ["pt", "en"])
def test_every_combination_of_verdict_rule_and_reason_has_its_sentence(
    words_in: Callable[[str], Words], ledger: Ledger, language: str
) -> None:
    words = words_in(language)
    by_rule = {statement.rule: statement for statement in ledger.statements}
    combinations = itertools.product(
        by_rule.values(), get_args(VerdictName), get_args(Reason), (True, False, None)
    )
    for statement, verdict, reason, observed in combinations:
        judged = judged_as(statement, verdict, [reason], observed)
        for count in (1, 2, 6):
            judgements = Judgements([judged] * count, NO_VALUES, words, language)
            (sentence,) = judgements.findings()
            assert sentence[0].isupper()
            assert sentence.endswith(".")
            row = judgements.row(judged)
            for text in (sentence, row.verdict, plain(row.reason)):
                assert text.strip()
                assert not re.search(r"<<|>>|\{|\}|None|True|False", text)
                assert not strangers(text, language)


def judged_as(
    statement: Statement,
    verdict: VerdictName,
    reasons: list[Reason],
    observed: bool | None = None,
) -> Judged:
    """A statement judged from one reading."""
    sentence = Description(pt="Assim é.", en="So it is.")
    return Judged(
        statement,
        Overall(
            id=statement.id,
            verdict=verdict,
            reasons=reasons,
            sentence=sentence,
            readings={"probe-224": verdict},
        ),
        (
            Verdict(
                id=statement.id,
                rule=statement.rule,
                protocol="probe-224",
                verdict=verdict,
                reasons=reasons,
                sentence=sentence,
                observed=observed,
            ),
        ),
    )


def test_reasons_that_hold_for_every_statement_are_given_once(words: Words, ledger: Ledger) -> None:
    first, second = [item for item in ledger.statements if item.id in ("S1", "S2")]
    judgements = Judgements(
        [
            judged_as(first, "not-comparable", ["other-data", "subset", "other-epochs"]),
            judged_as(second, "not-comparable", ["subset", "other-data"]),
        ],
        NO_VALUES,
        words,
        "pt",
    )
    shared = judgements.shared()
    assert shared == (
        "as imagens não são as que a afirmação exige e só uma parte das imagens foi usada"
    )
    assert [row.reason for row in judgements.rows()] == [
        "o número de épocas não é o do artigo",
        "–",
    ]


def test_no_reason_is_shared_where_a_statement_was_judged(words: Words, ledger: Ledger) -> None:
    first, second = [item for item in ledger.statements if item.id in ("S1", "S2")]
    judgements = Judgements(
        [
            judged_as(first, "not-enough-runs", ["few-seeds"]),
            judged_as(second, "supported", ["rule-holds"]),
        ],
        NO_VALUES,
        words,
        "pt",
    )
    assert judgements.shared() is None
    assert [row.reason for row in judgements.rows()] == [
        "há menos sementes do que o critério pede",
        "a regra é satisfeita, além do que o acaso explica",
    ]


@pytest.mark.parametrize("language", ["pt", "en"])
def test_every_answer_of_a_reading_has_its_words(
    words_in: Callable[[str], Words], language: str
) -> None:
    words = words_in(language)
    answers = ReadingWords(NO_STUDY, NO_VALUES, words, language).answers()
    for field in ("trainable", "frozen_batch_norm", "stem", "normalisation", "augmentation",
                  "optimizer", "schedule"):  # fmt: skip
        for value in get_args(Reading.model_fields[field].annotation):
            for trainable in ("all", "head"):
                for weights in ("none", "V1", "V2", "default", "weights/own.pt"):
                    settings = {"weights": weights, "trainable": trainable, field: value}
                    reading = Reading.model_validate(settings)
                    for answer in answers.values():
                        assert str(answer(reading))
                        assert not strangers(plain(answer(reading)), language)
    for precision in get_args(Reading.model_fields["precision"].annotation):
        assert words(f"readings.precision.{precision}")


def test_numbers_of_a_reading_are_printed_in_portuguese(words: Words) -> None:
    answers = ReadingWords(NO_STUDY, NO_VALUES, words, "pt").answers()
    reading = Reading(optimizer="sgd", momentum=0.95, weight_decay=5e-4, input_size=224)
    assert "momento 0,95" in answers["optimiser"](reading)
    assert "0,0005" in answers["optimiser"](reading)
    assert answers["input-size"](reading) == "224×224 pixels"


def test_numbers_of_a_reading_are_printed_in_english(words_in: Callable[[str], Words]) -> None:
    answers = ReadingWords(NO_STUDY, NO_VALUES, words_in("en"), "en").answers()
    reading = Reading(optimizer="sgd", momentum=0.95, weight_decay=5e-4, input_size=224)
    assert answers["optimiser"](reading) == (
        "stochastic gradient descent (SGD), momentum 0.95, weight decay 0.0005, constant learning "
        "rate"
    )


@pytest.mark.parametrize("language", ["pt", "en"])
@pytest.mark.parametrize("content", get_args(DataContent))
def test_every_content_of_a_dataset_has_its_words(
    words_in: Callable[[str], Words], content: str, language: str
) -> None:
    for table in ("titles", "contents", "content-names"):
        text = plain(words_in(language)(f"{table}.{content}"))
        assert text
        assert not strangers(text, language)


@pytest.mark.parametrize(
    ("reason", "finding", "conclusion"),
    [
        ("interval-too-wide", "As sementes diferem demais", "As sementes diferem demais"),
        ("few-seeds", "As execuções não bastam", "As execuções não bastam"),
    ],
)
def test_what_leaves_a_statement_undecided_is_said_in_its_own_words(
    words: Words, ledger: Ledger, reason: Reason, finding: str, conclusion: str
) -> None:
    (statement,) = [item for item in ledger.statements if item.id == "S13"]
    judgements = Judgements(
        [judged_as(statement, "not-enough-runs", [reason])], NO_VALUES, words, "pt"
    )
    assert judgements.findings()[0].startswith(finding)
    (found,) = judgements.conclusions()
    assert found.finding.startswith(conclusion)
    assert "faltam execuções" not in found.finding + judgements.findings()[0]


def test_statements_that_share_a_test_are_named(words: Words, ledger: Ledger) -> None:
    sentence = same_tests(ledger, words)
    assert sentence is not None
    assert ": S3 e T11; S4 e T13; S11 e S14." in sentence
    alone = [item for item in ledger.statements if item.id not in ("T11", "T13", "S14")]
    assert same_tests(ledger.model_copy(update={"statements": alone}), words) is None


def test_a_criterion_that_begins_with_a_name_keeps_its_capital(ledger: Ledger) -> None:
    (statement,) = [item for item in ledger.statements if item.id == "S13"]
    text = Description(pt="ResNet-50 deve ser o joelho.", en="x")
    changed = [statement.model_copy(update={"criterion": text})]
    (criterion,) = criteria(ledger.model_copy(update={"statements": changed}), "pt")
    assert plain(criterion.text) == "ResNet-50 deve ser o joelho."


def test_a_template_prints_no_number_that_was_not_formatted() -> None:
    with pytest.raises(TypeError, match=r"0\.8084"):
        make_environment().from_string("<< x >>").render(x=0.8084)


def test_a_missing_text_is_an_error(words: Words) -> None:
    with pytest.raises(UserError, match=r"'reasons\.no-such-reason'"):
        words("reasons.no-such-reason")
