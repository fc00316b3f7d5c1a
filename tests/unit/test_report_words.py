"""The words and sentences that the report is made of, without a study."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from jinja2 import FileSystemLoader
from report_prose import foreign_words
from report_studies import TEMPLATES, words_only

from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.sections.article import report_templates
from resnet_sizes.reporting.sections.claims import (
    ClaimVerdicts,
    JudgedClaims,
    changing,
    undecided_in_part,
)
from resnet_sizes.reporting.sections.methodology import criteria, same_tests
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.printed import plain
from resnet_sizes.reporting.text.words import Words, make_environment, rendered
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import Claim
from resnet_sizes.schemas.evidence.values import Source, Value
from resnet_sizes.schemas.evidence.verdicts import Criterion, Overall, Reason, Verdict, VerdictName
from resnet_sizes.schemas.study.protocol import Description, TrainingRecipe
from resnet_sizes.schemas.study.sources import DataContent

NOWHERE = Source(file="x", field="x")


@pytest.mark.parametrize("language", ["pt", "en"])
def test_every_combination_of_verdict_rule_and_reason_has_its_sentence(
    words_in: Callable[[str], Words], article: Article, language: str
) -> None:
    report = words_only(words_in(language))
    said = verdict_words(report)
    by_rule = {claim.rule: claim for claim in article.claims}
    combinations = itertools.product(
        by_rule.values(), get_args(VerdictName), get_args(Reason), (True, False, None)
    )
    sentences, others = set(), set()
    for claim, verdict, reason, observed in combinations:
        judged = judged_as(claim, verdict, [reason], observed)
        for count in (1, 2, 6):
            (items,) = JudgedClaims([judged] * count).findings
            sentences.add(said.finding(items))
        others |= {report.verdict(verdict), plain(said.reason(judged, JudgedClaims([judged])))}
    for sentence in sentences:
        assert sentence[0].isupper()
        assert sentence.endswith(".")
    for text in sentences | others:
        assert text.strip()
        assert not re.search(r"<<|>>|\{|\}|None|True|False", text)
        assert not foreign_words(text, language)


def judged_as(
    claim: Claim,
    verdict: VerdictName,
    reasons: list[Reason],
    observed: bool | None = None,
    readings: dict[str, VerdictName] | None = None,
) -> ClaimVerdicts:
    """A claim judged from one reading, unless the verdicts of several are given."""
    readings = readings or {"probe-224": verdict}
    overall = Overall(
        id=claim.id,
        verdict=verdict,
        reasons=reasons,
        agreement=None,
        taking_part=list(readings),
        readings=readings,
    )
    verdicts = [
        Verdict(
            id=claim.id,
            rule=claim.rule,
            protocol=protocol,
            verdict=own,
            reasons=reasons,
            observed=observed,
        )
        for protocol, own in readings.items()
    ]
    return ClaimVerdicts(claim, overall, tuple(verdicts))


def verdict_words(report: ReportContext) -> Any:
    """The macros that put verdicts into words."""
    return report_templates(report, TEMPLATES).get_template("shared/verdicts.j2").module


def told_of(words: Words, *claims: ClaimVerdicts) -> tuple[str, str, list[str]]:
    """What the claims of the text have in common, reasons and remarks, and the reasons that the
    table of verdicts gives, row by row."""
    judged, said = JudgedClaims(list(claims)), verdict_words(words_only(words))
    rows = [said.reason(item, judged) for item in judged.of_the_text]
    return said.shared_reasons(judged), said.remarks(judged), rows


def test_reasons_that_hold_for_every_claim_are_given_once(words: Words, article: Article) -> None:
    first, second = [item for item in article.claims if item.id in ("S1", "S2")]
    shared, _, rows = told_of(
        words,
        judged_as(first, "not-comparable", ["other-data", "subset", "other-epochs"]),
        judged_as(second, "not-comparable", ["subset", "other-data"]),
    )
    assert shared == (
        "as imagens não são as que as afirmações exigem e só uma parte das imagens foi usada"
    )
    assert rows == [
        "o número de épocas não é o do artigo",
        "–",
    ]


@pytest.mark.parametrize("reason", ["inside-interval", "few-seeds", "models-missing"])
@pytest.mark.parametrize("language", ["pt", "en"])
def test_a_reason_given_once_for_several_claims_is_in_the_plural(
    words_in: Callable[[str], Words], article: Article, reason: Reason, language: str
) -> None:
    report = words_only(words_in(language))
    judged = [judged_as(claim, "not-run", [reason]) for claim in article.claims[:2]]
    of_one, of_two = (verdict_words(report).finding(judged[:n]) for n in (1, 2))
    assert of_one.endswith(f": {report.words(f'reasons.{reason}')}.")
    assert of_two.endswith(f": {report.words(f'reasons-of-several.{reason}')}.")


def test_reasons_of_several_claims_are_reasons(words: Words) -> None:
    known = get_args(Reason)
    assert set(words.find("reasons-of-several")) <= set(known)
    for reason in known:
        text = words(f"reasons.{reason}")
        if "a afirmação" in text or "o critério" in text:
            assert words.find(f"reasons-of-several.{reason}"), reason


def test_what_is_observed_without_a_test_is_explained_once(words: Words, article: Article) -> None:
    first, second = [item for item in article.claims if item.id in ("S1", "S2")]

    def told(*observed: bool | None) -> tuple[str, list[str]]:
        judged = [
            judged_as(claim, "not-comparable", ["demo"], seen)
            for claim, seen in zip((first, second), observed, strict=True)
        ]
        return told_of(words, *judged)[1:]

    no_test = ", o que não constitui um teste."
    assert told(False, False) == (
        f"Nenhuma delas se verifica nestas execuções{no_test}",
        ["–", "–"],
    )
    assert told(True, True)[0] == f"Todas elas se verificam nestas execuções{no_test}"
    note, rows = told(True, False)
    assert note.endswith(no_test)
    assert rows == ["observada", "não observada"]
    note, rows = told(True, None)
    assert not note
    assert rows == ["nestas execuções observa-se o mesmo, o que não constitui um teste", "–"]


def test_no_reason_is_shared_where_a_claim_was_judged(words: Words, article: Article) -> None:
    first, second = [item for item in article.claims if item.id in ("S1", "S2")]
    shared, _, rows = told_of(
        words,
        judged_as(first, "not-enough-runs", ["few-seeds"]),
        judged_as(second, "supported", ["rule-holds"]),
    )
    assert not shared
    assert rows == [
        "há menos sementes do que o critério pede",
        "a regra é satisfeita, além do que o acaso explica",
    ]


def answers_of(recipes: Sequence[TrainingRecipe], words: Words) -> Iterator[dict[str, str]]:
    """The answers of protocols that train ResNet-50 by these recipes, without results."""
    own = {str(number): recipe for number, recipe in enumerate(recipes)}
    study = SimpleNamespace(
        protocols=list(own),
        models=["resnet50"],
        protocol_definitions={
            name: SimpleNamespace(recipe_for=lambda model, recipe=recipe: recipe)
            for name, recipe in own.items()
        },
    )
    values = {
        f"reading.{name}.resnet50.{field}": Value(value=number, kind="number", sources=[NOWHERE])
        for name, recipe in own.items()
        for field, number in recipe
        if isinstance(number, int | float)
    }
    parts = Value(value=1, kind="count", sources=[NOWHERE])
    values["study.gradient_accumulation"] = parts
    report = words_only(words, values, study=study)
    template: Any = report_templates(report, TEMPLATES).get_template("shared/recipes.j2").module
    for name in own:
        yield {choice: answer(name, "resnet50") for choice, answer in template.answers.items()}


@pytest.mark.parametrize("language", ["pt", "en"])
def test_every_answer_of_a_reading_has_its_words(
    words_in: Callable[[str], Words], language: str
) -> None:
    words, recipes = words_in(language), []
    for field in ("trainable", "frozen_batch_norm", "stem", "normalisation", "augmentation",
                  "optimizer", "schedule"):  # fmt: skip
        for value in get_args(TrainingRecipe.model_fields[field].annotation):
            for trainable in ("all", "head"):
                for weights in ("none", "V1", "V2", "default", "weights/own.pt"):
                    settings = {"weights": weights, "trainable": trainable, field: value}
                    recipes.append(TrainingRecipe.model_validate(settings))
    for answers in answers_of(recipes, words):
        for text in answers.values():
            assert text
            assert not foreign_words(plain(text), language)
    for precision in get_args(TrainingRecipe.model_fields["precision"].annotation):
        assert words(f"readings.precision.{precision}")


SGD = TrainingRecipe(optimizer="sgd", momentum=0.95, weight_decay=5e-4, input_size=224)


def test_numbers_of_a_reading_are_printed_in_portuguese(words: Words) -> None:
    (answers,) = answers_of([SGD], words)
    assert "momento 0,95" in plain(answers["optimiser"])
    assert "0,0005" in plain(answers["optimiser"])
    assert plain(answers["input-size"]) == "224×224 pixels"


def test_numbers_of_a_reading_are_printed_in_english(words_in: Callable[[str], Words]) -> None:
    (answers,) = answers_of([SGD], words_in("en"))
    assert plain(answers["optimiser"]) == (
        "stochastic gradient descent (SGD), momentum 0.95, weight decay 0.0005, constant learning "
        "rate"
    )


@pytest.mark.parametrize("language", ["pt", "en"])
@pytest.mark.parametrize("content", get_args(DataContent))
def test_every_content_of_a_dataset_has_its_words(
    words_in: Callable[[str], Words], content: str, language: str
) -> None:
    for table in ("titles", "contents", "content-names"):
        text = plain(words_in(language)(f"{table}.{content}", title="X"))
        assert text
        assert not foreign_words(text, language)


@pytest.mark.parametrize(
    ("reason", "finding", "conclusion"),
    [
        ("interval-too-wide", "Os dados não decidem sobre a", "Os novos dados não decidem sobre"),
        ("few-seeds", "As execuções não bastam", "As execuções não bastam"),
        ("models-missing", "Fica sem julgamento a", "Esta conclusão fica sem julgamento"),
    ],
)
def test_what_leaves_a_claim_undecided_is_said_in_its_own_words(
    words: Words, article: Article, reason: Reason, finding: str, conclusion: str
) -> None:
    (claim,) = [item for item in article.claims if item.id == "S13"]
    verdict: VerdictName = "not-run" if reason == "models-missing" else "not-enough-runs"
    said, judged = verdict_words(words_only(words)), judged_as(claim, verdict, [reason])
    found, concluded = said.finding([judged]), said.conclusion(judged, JudgedClaims([judged]))
    assert found.startswith(finding)
    assert concluded.startswith(conclusion)
    assert "faltam execuções" not in (concluded + found).lower()


def test_where_only_some_readings_decide_each_is_named(
    words_in: Callable[[str], Words], article: Article
) -> None:
    (claim,) = [item for item in article.claims if item.id == "S13"]

    def told(language: str, **readings: VerdictName) -> tuple[str, str, str]:
        judged = judged_as(claim, "decided-in-part", ["readings-open"], readings=readings)
        said, all_of_them = verdict_words(words_only(words_in(language))), JudgedClaims([judged])
        assert undecided_in_part([judged])
        assert not changing([judged])
        told = said.reason(judged, all_of_them), said.conclusion(judged, all_of_them)
        return said.finding([judged]), *told

    finding, reason, conclusion = told("pt", a="supported", b="not-enough-runs")
    assert finding.startswith("Só parte das leituras decide sobre a afirmação S13")
    assert reason == "sustentada segundo `a`; execuções insuficientes segundo `b`"
    assert conclusion == f"Só parte das leituras decide sobre esta conclusão: {reason}."
    assert told("en", a="supported", b="not-run", c="within-noise")[1] == (
        "supported under `a`; not run under `b`; within noise under `c`"
    )


def test_a_reading_that_the_article_excludes_is_named_as_not_heard(
    words: Words, article: Article
) -> None:
    judged = judged_as(article.claims[0], "supported", ["rule-holds"])
    overall = judged.overall.model_copy(update={"excluded": ["scratch-32"]})
    _, _, (reason,) = told_of(words, replace(judged, overall=overall))
    assert reason == (
        "a regra é satisfeita, além do que o acaso explica; a leitura `scratch-32`, que os "
        "minutos do artigo ou a memória das GPUs excluem, não conta"
    )


def test_readings_that_no_verdict_hears_are_named_once(words: Words, article: Article) -> None:
    def told(excluded: str) -> tuple[str, list[str]]:
        items = []
        for claim in article.claims[:2]:
            judged = judged_as(claim, "supported", ["rule-holds"])
            overall = judged.overall.model_copy(update={"excluded": [excluded]})
            items.append(replace(judged, overall=overall))
        return told_of(words, *items)[1:]

    holds = ["a regra é satisfeita, além do que o acaso explica"] * 2
    unheard, rows = told("scratch-32")
    assert rows == holds
    assert unheard.startswith("A leitura `scratch-32`, que")
    assert unheard.endswith("não conta nestes vereditos.")
    # The only reading is heard, though it is excluded.
    only, rows = told("probe-224")
    assert rows == holds
    assert "A leitura `probe-224` é excluída" in only
    assert "não conta" not in only


def test_readings_with_one_verdict_differ_in_nothing(words: Words, article: Article) -> None:
    both: dict[str, VerdictName] = {"a": "within-noise", "b": "within-noise"}
    judged = judged_as(article.claims[0], "within-noise", ["indistinct"], readings=both)
    assert not undecided_in_part([judged])
    assert told_of(words, judged)[2] == ["o que se observa não se distingue do acaso"]


@pytest.mark.parametrize(
    ("models", "measured", "clause"),
    [
        ([("resnet18", "resnet50")], False, "os minutos são calculados"),
        ([("resnet152",)], True, "os minutos da ResNet-152 são calculados"),
        ([("resnet50", "resnet152")] * 2, True, "os minutos das redes ResNet-50 e ResNet-152 são"),
        ([("resnet152",), ()], True, "em parte das leituras, há minutos calculados"),
        ([("resnet152",), ("resnet50",)], True, "em todas as leituras, há minutos calculados"),
    ],
)
def test_computed_minutes_are_told_of_the_readings_that_have_them(
    words: Words,
    article: Article,
    models: list[tuple[str, ...]],
    measured: bool,
    clause: str,
) -> None:
    judged = judged_as(article.claims[0], "supported", ["rule-holds"])
    judged = replace(judged, computed=tuple(models), measured=measured)
    told = verdict_words(words_only(words)).computed(judged)
    assert told.startswith(clause)
    assert told.endswith(", e não medidos")


@pytest.mark.parametrize("language", ["pt", "en"])
@pytest.mark.parametrize("criterion", get_args(Criterion))
def test_a_choice_among_networks_says_how_sure_it_is(
    words_in: Callable[[str], Words], criterion: str, language: str
) -> None:
    fillings = dict.fromkeys(("model", "accuracy", "minutes", "others"), "x")
    told = [
        str(words_in(language)(f"recommendations.{criterion}.{form}", **fillings))
        for form in ("firm", "open", "untested")
    ]
    assert len(set(told)) == 3
    assert all(text[0].islower() and text[-1].isalnum() for text in told)
    not_enough = {"pt": "as execuções não bastam", "en": "the runs are not enough"}[language]
    assert [not_enough in text for text in told] == [False, False, True]


def test_claims_that_share_a_test_are_named(words: Words, article: Article) -> None:
    sentence = same_tests(words_only(words, article=article))
    assert ": S3 e T11; S4 e T13; S11 e S14." in sentence
    alone = [item for item in article.claims if item.id not in ("T11", "T13", "S14")]
    changed = article.model_copy(update={"claims": alone})
    assert not same_tests(words_only(words, article=changed))


def test_the_deviation_to_plan_with_is_told_with_its_source(words: Words, article: Article) -> None:
    deviation = article.judging.seed_deviation
    assert deviation is not None

    def told(**changes: object) -> str:
        changed = deviation.model_copy(update=changes)
        judging = article.judging.model_copy(update={"seed_deviation": changed})
        own = article.model_copy(update={"judging": judging})
        points = Value(value=changed.points, kind="number", sources=[NOWHERE])
        values = {"judging.seed_deviation.points": points}
        report = words_only(words, values, article=own)
        methods = report_templates(report, TEMPLATES).get_template("shared/methods.j2")
        return plain(methods.make_module({"article": own}).seed_deviation())

    assert told() == (
        "0,4 ponto percentual: perto do dobro do que variaram 10.000 sementes de uma rede pequena "
        "no CIFAR-10, segundo Picard [-@picard2021]"
    )
    source = Description(pt="alguém", en="somebody")
    assert told(reference=None, source=source) == "0,4 ponto percentual: alguém"
    assert told(reference=None, source=source, points=2.5) == "2,5 pontos percentuais: alguém"


def test_a_criterion_that_begins_with_a_name_keeps_its_capital(
    words: Words, article: Article
) -> None:
    (claim,) = [item for item in article.claims if item.id == "S13"]
    text = Description(pt="ResNet-50 deve ser o joelho.", en="x")
    claims = [claim.model_copy(update={"criterion": text})]
    changed = article.model_copy(update={"claims": claims})
    ((_, criterion),) = criteria(words_only(words, article=changed))
    assert plain(criterion) == "ResNet-50 deve ser o joelho."


def test_a_template_prints_no_number_that_was_not_formatted() -> None:
    with pytest.raises(TypeError, match=r"0\.8084"):
        make_environment().from_string("<< x >>").render(x=0.8084)


def test_a_missing_text_is_an_error(words: Words) -> None:
    with pytest.raises(UserError, match=r"'reasons\.no-such-reason'"):
        words("reasons.no-such-reason")


@pytest.mark.parametrize(
    "attack",
    [
        "cycler.__init__.__globals__.os.popen('touch executed').read()",
        "words.folders[0].joinpath('executed').write_text('')",
        "article.parse_file('pickled', allow_pickle=True)",
        "article.model_construct.__func__",
    ],
)
def test_a_template_reaches_no_file_and_no_program(
    article: Article, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attack: str
) -> None:
    """Prose of an article may be anybody's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prose.j2").write_text(f"<< {attack} >>")
    environment = make_environment(loader=FileSystemLoader(tmp_path))
    words = Words(TEMPLATES / "en", "en")
    with pytest.raises(UserError, match="a template asks for what none may use"):
        rendered(environment, "prose.j2", tmp_path, words=words, article=article)
    assert not list(tmp_path.rglob("executed"))
