"""The text of the report: what it says for which data, before any engine renders it."""

import csv
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import synthetic
from report_studies import CACHED, DEMO, LITERAL, PARTIAL, TEMPLATES, study_with_evidence
from synthetic import LEDGER

from resnet_sizes.records.errors import UserError
from resnet_sizes.records.ledger import Ledger
from resnet_sizes.records.ledger_file import load_ledger
from resnet_sizes.records.protocol import Description, Protocol, Reading
from resnet_sizes.records.statements import Statement
from resnet_sizes.records.study import DataContent
from resnet_sizes.records.verdicts import Reason, Verdict, VerdictName
from resnet_sizes.reporting.criteria import criteria, same_tests
from resnet_sizes.reporting.engines import choose_engine
from resnet_sizes.reporting.inputs import Inputs, read_inputs
from resnet_sizes.reporting.judgements import Judged, Judgements
from resnet_sizes.reporting.pandoc import read_front_matter
from resnet_sizes.reporting.readings import ReadingWords
from resnet_sizes.reporting.render import render_article
from resnet_sizes.reporting.words import Words, make_environment

ENGLISH = {
    "the", "and", "of", "with", "accuracy", "loss", "seed", "seeds", "epoch", "epochs", "table",
    "figure", "training", "layers", "layer", "study", "network", "batch", "rate", "results",
    "conclusions", "references", "introduction", "contents", "supported", "contradicted",
    "comparable", "enough", "runs", "missing", "invalid", "weights", "from", "available", "in",
}  # fmt: skip


@pytest.fixture(scope="module")
def words() -> Words:
    return Words(TEMPLATES / "pt" / "texts.yaml", "pt")


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return load_ledger(LEDGER)


@pytest.fixture(scope="module")
def article(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """The `.qmd` of a synthetic study, made once for each set of settings."""
    made: dict[str, str] = {}

    def render(**settings: Any) -> str:
        key = json.dumps(settings, sort_keys=True, default=str)
        if key not in made:
            study = study_with_evidence(tmp_path_factory.mktemp("study"), **settings)
            inputs = read_inputs(study, study.parent / "evidence")
            made[key] = render_article(inputs, TEMPLATES, "pt", choose_engine("pandoc"))
        return made[key]

    return render


def body_of(qmd: str) -> str:
    return qmd.split("\n---\n", 1)[1]


def prose_of(qmd: str) -> str:
    """The text without code, ids, citations, file names and titles in other languages."""
    text = re.sub(r"(?s)```.*?```|`[^`]*`|\{[^}]*\}|\]\([^)]*\)|\[-?@[^\]]*\]|@[a-z-]+", " ", qmd)
    return text.replace("dataset CIFAR", "CIFAR")


def test_every_combination_of_verdict_rule_and_reason_has_its_sentence(
    words: Words, ledger: Ledger
) -> None:
    by_rule = {statement.rule: statement for statement in ledger.statements}
    combinations = itertools.product(
        by_rule.values(), get_args(VerdictName), get_args(Reason), (True, False, None)
    )
    for statement, verdict, reason, observed in combinations:
        judged = Judged(
            statement,
            Verdict(
                id=statement.id,
                rule=statement.rule,
                protocol="scratch-32",
                verdict=verdict,
                reasons=[reason],
                observed=observed,
            ),
        )
        for count in (1, 2, 6):
            judgements = Judgements([judged] * count, words, "pt")
            (sentence,) = judgements.findings()
            assert sentence[0].isupper()
            assert sentence.endswith(".")
            row = judgements.row(judged)
            for text in (sentence, row.verdict, row.reason):
                assert text.strip()
                assert not re.search(r"<<|>>|\{|\}|None|True|False", text)
                assert not ENGLISH & set(re.findall(r"[a-zà-ÿ]+", text.lower()))


def judged_as(statement: Statement, verdict: VerdictName, reasons: list[Reason]) -> Judged:
    return Judged(
        statement,
        Verdict(
            id=statement.id,
            rule=statement.rule,
            protocol="scratch-32",
            verdict=verdict,
            reasons=reasons,
        ),
    )


def test_reasons_that_hold_for_every_statement_are_given_once(words: Words, ledger: Ledger) -> None:
    first, second = [item for item in ledger.statements if item.id in ("S1", "S2")]
    judgements = Judgements(
        [
            judged_as(first, "not-comparable", ["other-data", "subset", "other-epochs"]),
            judged_as(second, "not-comparable", ["subset", "other-data"]),
        ],
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
        words,
        "pt",
    )
    assert judgements.shared() is None
    assert [row.reason for row in judgements.rows()] == [
        "há menos sementes do que o critério pede",
        "a regra é satisfeita com todas as sementes",
    ]


def test_results_of_changed_code_do_not_pass_as_those_of_a_commit(
    article: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "alterações ainda não registradas" not in article(**DEMO)
    monkeypatch.setattr(synthetic, "CODE", synthetic.CODE.model_copy(update={"git_dirty": True}))
    assert "alterações ainda não registradas" in article(**DEMO | {"name": "changed"})


def test_every_answer_of_a_reading_has_its_words(words: Words) -> None:
    answers = ReadingWords(words, "pt").answers()
    for field in ("trainable", "frozen_batch_norm", "stem", "normalisation", "augmentation",
                  "optimizer", "schedule"):  # fmt: skip
        for value in get_args(Reading.model_fields[field].annotation):
            for trainable in ("all", "head"):
                for weights in ("none", "V1", "V2", "default", "weights/own.pt"):
                    settings = {"weights": weights, "trainable": trainable, field: value}
                    reading = Reading.model_validate(settings)
                    assert all(str(answer(reading)) for answer in answers.values())
    for precision in get_args(Reading.model_fields["precision"].annotation):
        assert words(f"readings.precision.{precision}")


def test_numbers_of_a_reading_are_printed_in_portuguese(words: Words) -> None:
    answers = ReadingWords(words, "pt").answers()
    reading = Reading(optimizer="sgd", momentum=0.95, weight_decay=5e-4, input_size=224)
    assert "momento 0,95" in answers["optimiser"](reading)
    assert "0,0005" in answers["optimiser"](reading)
    assert answers["input-size"](reading) == "224×224 pixels"


@pytest.mark.parametrize("content", get_args(DataContent))
def test_every_content_of_a_dataset_has_its_words(words: Words, content: str) -> None:
    for table in ("titles", "contents", "content-names"):
        assert words(f"{table}.{content}")


def test_a_demo_says_so_first_and_concludes_nothing(article: Callable[..., str]) -> None:
    qmd = article(**DEMO)
    body = body_of(qmd)
    assert body.index("Dados de demonstração") < body.index("## 1 Introdução")
    conclusions = body[body.index("## 4 ") : body.index("## 5 ")]
    assert "não se tira conclusão alguma sobre o artigo" in " ".join(conclusions.split())
    assert "S13" not in conclusions
    assert "não vale como teste do artigo" in body


def test_a_study_with_the_article_s_data_has_neither_notice(article: Callable[..., str]) -> None:
    body = body_of(article())
    assert "demonstração" not in body
    assert "Estudo incompleto" not in body
    assert "14 foram" not in body  # all 19 that are no times hold in the synthetic study
    assert "19 foram sustentadas" in body


def test_a_partial_study_names_each_run_that_is_missing(article: Callable[..., str]) -> None:
    body = body_of(article(**PARTIAL))
    notice = body[body.index("Estudo incompleto") : body.index("**O que foi repetido.**")]
    for run in PARTIAL["missing"]:
        assert f"`{run}`" in notice
    assert "Das 9 execuções previstas, 5 foram aproveitadas" in notice
    assert "| ResNet-152 | sem resultado | 152 | sem resultado | 744% | sem resultado |" in body
    assert "Da ResNet-152 não há resultado." in body
    assert "as execuções que faltam podem mudar" in body


def test_readings_that_disagree_are_told_apart_in_the_conclusions(
    tmp_path: Path,
) -> None:
    study = study_with_evidence(tmp_path, protocols=("probe-224", "scratch-32"))
    inputs = read_inputs(study, study.parent / "evidence")
    verdicts = [
        verdict.model_copy(update={"verdict": "contradicted", "reasons": ["rule-fails"]})
        if (verdict.id, verdict.protocol) == ("S13", "scratch-32")
        else verdict
        for verdict in inputs.verdicts.verdicts
    ]
    changed = type(inputs)(
        inputs.study,
        inputs.ledger,
        inputs.values,
        inputs.verdicts.model_copy(update={"verdicts": verdicts}),
        inputs.evidence,
    )
    qmd = render_article(changed, TEMPLATES, "pt", choose_engine("pandoc"))
    (line,) = [line for line in qmd.splitlines() if line.startswith("- **S13.**")]
    assert "depende da leitura" in line
    assert "(`probe-224`) Esta conclusão se mantém" in line
    assert "(`scratch-32`) Esta conclusão não se mantém" in line
    (other,) = [line for line in qmd.splitlines() if line.startswith("- **S14.**")]
    assert "depende" not in other


def test_table_1_has_the_six_columns_and_rows_of_the_evidence(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    inputs = read_inputs(study, study.parent / "evidence")
    qmd = render_article(inputs, TEMPLATES, "pt", choose_engine("pandoc"))
    before = qmd[: qmd.index("{#tbl-comparativo}")]
    lines = before[before.rindex("\n| Teste") :].split("\n\n")[0].strip().splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    with (study.parent / "evidence" / "table.csv").open(encoding="utf-8", newline="") as file:
        evidence = list(csv.reader(file))
    assert table[0] == evidence[0][:6]  # the last column of the file is the measured time
    assert [row[0] for row in table[2:]] == [row[0] for row in evidence[1:]]
    assert table[2] == ["ResNet-18", "90,00%", "18", "0,42", "–", "–"]


@pytest.mark.parametrize(
    "settings",
    [{}, DEMO, PARTIAL, CACHED, LITERAL],
    ids=["full", "demo", "partial", "cached", "literal"],
)
def test_no_english_is_left_in_the_text(
    article: Callable[..., str], settings: dict[str, Any]
) -> None:
    prose = prose_of(body_of(article(**settings))).lower()
    # `loss`, `batch` and the like are no Portuguese words; neither are names of libraries.
    assert not ENGLISH & set(re.findall(r"[a-zà-ÿ]+", prose))


@pytest.mark.parametrize("settings", [{}, CACHED], ids=["full", "cached"])
def test_decimals_have_commas_and_no_code_is_left(
    article: Callable[..., str], settings: dict[str, Any]
) -> None:
    prose = prose_of(body_of(article(**settings)))
    assert not re.search(r"<<|<%|None|\bnan\b|Undefined", prose)
    assert not re.search(r"\d\.\d{1,2}\b(?!\.)", re.sub(r"### \d\.\d", "", prose))


def test_text_of_the_configuration_and_of_the_machine_is_escaped(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    inputs = read_inputs(study, study.parent / "evidence")
    hostile = '<script>x</script> #sys `a` *b* $c$ @tbl-x "q" | {{< include y >}}'
    device = inputs.values.values["hardware.device"].model_copy(update={"value": hostile})
    values = inputs.values.model_copy(
        update={"values": inputs.values.values | {"hardware.device": device}}
    )
    changed = type(inputs)(inputs.study, inputs.ledger, values, inputs.verdicts, inputs.evidence)
    qmd = render_article(changed, TEMPLATES, "pt", choose_engine("pandoc"))
    assert "<script>" not in qmd
    assert "{{<" not in qmd
    assert r"\<script\>x\</script\> \#sys \`a\` \*b\* \$c\$ \@tbl-x \"q\" \|" in qmd


def test_an_open_choice_that_the_report_does_not_know_is_an_error(tmp_path: Path) -> None:
    text = LEDGER.read_text(encoding="utf-8").replace("- id: optimiser", "- id: horoscope")
    other = tmp_path / "article.yaml"
    other.write_text(text, encoding="utf-8")
    study = study_with_evidence(tmp_path, article=other)
    inputs = read_inputs(study, study.parent / "evidence")
    with pytest.raises(UserError, match="'horoscope'"):
        render_article(inputs, TEMPLATES, "pt", choose_engine("pandoc"))


def test_evidence_of_another_configuration_is_refused(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    path = study.parent / "evidence" / "verdicts.json"
    verdicts = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(verdicts | {"study_hash": "0" * 64}), encoding="utf-8")
    with pytest.raises(UserError, match=r"another configuration.*resnet-sizes evidence"):
        read_inputs(study, study.parent / "evidence")


def test_evidence_of_another_ledger_is_refused(tmp_path: Path) -> None:
    ledger = tmp_path / "article.yaml"
    ledger.write_bytes(LEDGER.read_bytes())
    study = study_with_evidence(tmp_path, **DEMO, article=ledger)
    read_inputs(study, study.parent / "evidence")
    text = LEDGER.read_text(encoding="utf-8")
    ledger.write_text("# The same, in words.\n" + text, encoding="utf-8")
    read_inputs(study, study.parent / "evidence")
    ledger.write_text(text.replace("at_least: 0.25", "at_least: 0.5"), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_inputs(study, study.parent / "evidence")
    for part in ("verdicts.json", str(ledger), f"resnet-sizes evidence {study}"):
        assert part in str(caught.value)


def with_protocols(inputs: Inputs, **changes: dict[str, Any]) -> Inputs:
    """The inputs, with other keys in the definition of some protocols."""
    definitions = {
        name: Protocol.model_validate(definition.model_dump() | changes.get(name, {}))
        for name, definition in inputs.study.protocol_definitions.items()
    }
    study = inputs.study.model_copy(update={"protocol_definitions": definitions})
    return replace(inputs, study=study)


STATED = {"per_model": {"resnet152": {"weights": "V1", "trainable": "head"}}}
DEPARTS = "se afasta do que o artigo diz"


def test_a_departure_from_the_article_is_said_wherever_it_matters(
    article: Callable[..., str],
) -> None:
    body = body_of(article())
    (row,) = [line for line in body.splitlines() if line.startswith("| Pesos da ResNet-152 |")]
    _, _, stated, ours, _ = row.split("|")
    assert "diz que a ResNet-152 é pré-treinada e que só a última camada" in stated
    assert "aleatórios" in ours
    assert DEPARTS in ours
    summary = body[body.index("**Como.**") : body.index("**Resultado.**")]
    assert "a leitura adotada se afasta dele (pesos iniciais aleatórios;" in summary
    conclusions = body[body.index("## 4 ") : body.index("## 5 ")]
    assert conclusions.count("Os vereditos que envolvem a ResNet-152") == 1
    method = body[body.index("## 2 ") :].split("\n\n")[1]
    assert "diz também que a ResNet-152 é pré-treinada" in method


def test_a_reading_that_does_what_the_article_says_is_no_departure(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path)
    inputs = with_protocols(read_inputs(study, study.parent / "evidence"), **{"scratch-32": STATED})
    body = body_of(render_article(inputs, TEMPLATES, "pt", choose_engine("pandoc")))
    (row,) = [line for line in body.splitlines() if line.startswith("| Pesos da ResNet-152 |")]
    assert row.endswith("só a última camada é treinada, como diz o artigo |")
    assert "se afasta" not in body


def test_of_several_readings_those_that_depart_are_named(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path, protocols=("probe-224", "scratch-32"))
    inputs = with_protocols(read_inputs(study, study.parent / "evidence"), **{"probe-224": STATED})
    body = body_of(render_article(inputs, TEMPLATES, "pt", choose_engine("pandoc")))
    assert "nisso se afasta dele a leitura `scratch-32` (pesos iniciais aleatórios;" in body
    assert "Segundo a leitura `scratch-32`, os vereditos que envolvem a ResNet-152" in body
    (row,) = [line for line in body.splitlines() if line.startswith("| Pesos da ResNet-152 |")]
    assert row.count(DEPARTS) == 1
    assert row.count("como diz o artigo") == 1


def test_the_article_s_images_are_printed_as_it_prints_them(article: Callable[..., str]) -> None:
    (row,) = [line for line in article().splitlines() if line.startswith("| Imagens |")]
    assert row.split("|")[2].strip() == (
        "CIFAR-10: 60.000 imagens; a divisão não é informada (a oficial é de 50.000 e 10.000)"
    )


def test_an_unfinished_study_claims_no_more_than_was_done(article: Callable[..., str]) -> None:
    body = body_of(article(**PARTIAL))
    assert "**O que foi repetido.** As redes ResNet-18 e ResNet-50 foram treinadas" in body
    assert "Estava previsto treinar cada rede uma vez para cada uma das sementes" in body
    assert "Cada rede foi treinada" not in body
    assert body.count("(A média é de 2 das 3 execuções previstas.)") == 1
    whole = body_of(article())
    assert "Estava previsto" not in whole
    assert "execuções previstas" not in whole
    single = PARTIAL | {
        "missing": [
            f"scratch-32/{model}/seed-{seed}"
            for model, seed in itertools.product(synthetic.MODELS, range(3))
            if (model, seed) != ("resnet50", 1)
        ]
    }
    body = body_of(article(**single))
    assert "A rede ResNet-50 foi treinada e avaliada" in body
    assert "(O número vem de uma só das 3 execuções previstas.)" in body
    # Depths need no run, nor does their comparison.
    assert "| T8 | ResNet-152 | Camadas | 152 | 152 |" in body
    assert "| T12 | ResNet-152 | Acréscimo de camadas | 744% | 744,4% |" in body


def test_of_an_invalid_run_it_is_said_where_the_reason_stands(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path, **PARTIAL)
    inputs = read_inputs(study, study.parent / "evidence")
    runs = [
        run.model_copy(update={"state": "invalid", "problem": "broken"})
        if run.run == PARTIAL["missing"][0]
        else run
        for run in inputs.verdicts.runs
    ]
    verdicts = inputs.verdicts.model_copy(update={"runs": runs})
    changed = replace(inputs, verdicts=verdicts)
    qmd = render_article(changed, TEMPLATES, "pt", choose_engine("pandoc"))
    assert qmd.count("não é válida (o motivo está em `verdicts.json`)") == 1


@pytest.mark.parametrize(
    ("reason", "finding", "conclusion"),
    [
        ("seeds-disagree", "As sementes discordam; os dados não decidem", "As sementes discordam;"),
        ("interval-too-wide", "As sementes diferem demais", "As sementes diferem demais"),
        ("models-missing", "Este estudo não permite julgar", "Este estudo não permite julgar"),
        ("few-seeds", "As execuções não bastam", "As execuções não bastam"),
    ],
)
def test_what_leaves_a_statement_undecided_is_said_in_its_own_words(
    words: Words, ledger: Ledger, reason: Reason, finding: str, conclusion: str
) -> None:
    (statement,) = [item for item in ledger.statements if item.id == "S13"]
    judgements = Judgements([judged_as(statement, "not-enough-runs", [reason])], words, "pt")
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


def test_only_the_reading_with_the_cells_speaks_of_them(article: Callable[..., str]) -> None:
    body = body_of(article(protocols=("probe-224", "scratch-32")))
    first, second = body[body.index("### 3.4") : body.index("## 4 ")].split("O @qdr-afirmacoes-2")
    assert re.search(r"\bT\d", first)
    assert "@tbl-artigo" in first
    assert not re.search(r"\bT\d", second)
    assert "@tbl-artigo" not in second


@pytest.mark.parametrize("content", get_args(DataContent))
def test_other_images_than_the_article_s_are_named_as_such(
    article: Callable[..., str], content: str
) -> None:
    body = body_of(article(content=content))
    assert ("as imagens, porém, são" in body) == (content != "cifar10")


def test_with_one_epoch_nothing_is_said_of_its_course(article: Callable[..., str]) -> None:
    several, one = body_of(article()), body_of(article(epochs=1))
    for sentence in ("Da primeira à última época", "A perda passa", "a melhor época daria"):
        assert sentence in several
        assert sentence not in one


def test_points_are_singular_below_two(article: Callable[..., str]) -> None:
    def sentence(*accuracies: float) -> str:
        body = body_of(article(accuracies=synthetic.ARTICLE_ACCURACIES | {"resnet18": accuracies}))
        return body[body.index("A ResNet-18 acertou") :].split(". ")[0]

    assert "0,10 ponto percentual entre" in sentence(0.800, 0.801, 0.802)
    assert "2,00 pontos percentuais entre" in sentence(0.80, 0.82, 0.84)


def test_criteria_go_on_after_their_colon(article: Callable[..., str]) -> None:
    body = body_of(article())
    lines = re.findall(r"(?m)^- (?:[ST]\d+(?:, | e )?)+: (\w)", body)
    assert len(lines) > 5
    assert all(letter.islower() for letter in lines)


def test_a_criterion_that_begins_with_a_name_keeps_its_capital(ledger: Ledger) -> None:
    (statement,) = [item for item in ledger.statements if item.id == "S13"]
    text = Description(pt="ResNet-50 deve ser o joelho.", en="x")
    changed = [statement.model_copy(update={"criterion": text})]
    (criterion,) = criteria(ledger.model_copy(update={"statements": changed}), "pt")
    assert criterion.text == "ResNet-50 deve ser o joelho."


def test_a_value_that_is_not_there_is_named_with_the_remedy(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    path = study.parent / "evidence" / "values.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    del values["values"]["study.epochs"]
    path.write_text(json.dumps(values), encoding="utf-8")
    inputs = read_inputs(study, study.parent / "evidence")
    with pytest.raises(UserError, match=r"'study\.epochs'.*resnet-sizes evidence"):
        render_article(inputs, TEMPLATES, "pt", choose_engine("pandoc"))


def test_a_template_prints_no_number_that_was_not_formatted() -> None:
    with pytest.raises(TypeError, match=r"0\.8084"):
        make_environment().from_string("<< x >>").render(x=0.8084)


def test_a_missing_text_is_an_error(words: Words) -> None:
    with pytest.raises(UserError, match=r"'reasons\.no-such-reason'"):
        words("reasons.no-such-reason")


# What the .qmd may use of Quarto: each is in the documentation of the version that we ask for.
DIV = re.compile(
    r"::: (\{\.(autoria|aviso|resumo|nota)\}|\{#resumo \.resumo\}|\{#qdr-[a-z0-9-]+\}|\{#refs\})"
)
ATTRIBUTES = re.compile(
    r"\{(#(tbl|fig|qdr)-[a-z0-9-]+( fig-alt=\"[^\"]*\" width=100%)?|#[a-z0-9-]+|\.[a-z]+"
    r"|#resumo \.resumo)\}"
)


@pytest.mark.parametrize(
    "settings",
    [{}, DEMO, PARTIAL, CACHED, LITERAL],
    ids=["full", "demo", "partial", "cached", "literal"],
)
def test_the_qmd_keeps_to_the_syntax_that_both_engines_know(
    article: Callable[..., str], settings: dict[str, Any]
) -> None:
    qmd = article(**settings)
    read_front_matter(qmd)  # raises for a key that the embedded engine would ignore
    body = re.sub(r"(?s)```\n.*?\n```", "", body_of(qmd))
    assert "{{<" not in body
    assert not re.search(r"(?m)^```", body)
    assert not re.search(r"<[a-z/!]", body)  # no HTML
    assert "$" not in body  # no mathematics: Quarto would fetch a script for it
    opened = re.findall(r"(?m)^:::+ .*$", body)
    assert all(DIV.fullmatch(line) or line == ":::: {.referencias}" for line in opened)
    assert len(re.findall(r"(?m)^:::+$", body)) == len(opened)
    for found in re.findall(r"(?<!\\)\{[^}]*\}", body):
        assert ATTRIBUTES.fullmatch(found), found
    ids = re.findall(r"\{#((?:tbl|fig|qdr)-[a-z0-9-]+)", body)
    assert len(ids) == len(set(ids))
    references = re.findall(r"(?<![\[\\;-])@((?:tbl|fig|qdr)-[a-z0-9-]+)", body)
    assert set(references) <= set(ids)


def test_every_table_has_an_id(article: Callable[..., str]) -> None:
    body = body_of(article(**CACHED))
    tables = len(re.findall(r"(?m)^\|:--", body))
    assert tables == len(re.findall(r"\{#(?:tbl|qdr)-", body))


def test_where_times_have_no_ratio_accuracies_are_still_compared(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path)
    inputs = read_inputs(study, study.parent / "evidence")
    values = {
        key: value
        for key, value in inputs.values.values.items()
        if key != "scratch-32.resnet50.minutes_ratio"
    }
    changed = replace(inputs, values=inputs.values.model_copy(update={"values": values}))
    qmd = render_article(changed, TEMPLATES, "pt", choose_engine("pandoc"))
    [sentence] = re.findall(r"a ResNet-50 alcança[^.]*\.", qmd)
    assert "maior, em termos relativos; os tempos não se comparam" in sentence
    [other] = re.findall(r"a ResNet-152 alcança[^.]*\.", qmd)
    assert "vezes o tempo da ResNet-18" in other
