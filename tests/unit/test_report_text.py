"""The text of the report: what it says for which data, before any engine renders it."""

import csv
import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import synthetic
import synthetic_runs
from report_prose import body_of, first_page, section_of
from report_studies import (
    CACHED,
    DEMO,
    PARTIAL,
    article_of,
    article_text,
    rendered,
    study_with_evidence,
)
from synthetic import ARTICLE, ARTICLE_ACCURACIES, ARTICLE_MINUTES, own_readings

from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.text.printed import plain
from resnet_sizes.schemas.article.article import load_article


def test_results_of_changed_code_do_not_pass_as_those_of_a_commit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "alterações ainda não registradas" not in article_text(**DEMO)
    monkeypatch.setattr(
        synthetic_runs, "CODE", synthetic_runs.CODE.model_copy(update={"git_dirty": True})
    )
    assert "alterações ainda não registradas" in article_text(**DEMO | {"name": "changed"})


def test_a_demo_says_so_first_and_concludes_nothing() -> None:
    qmd = article_text(**DEMO)
    body = body_of(qmd)
    assert body.index("Dados de demonstração") < body.index("## 1 Introdução")
    conclusions = section_of(body, "conclusoes")
    assert "não se tira conclusão alguma sobre o artigo" in " ".join(conclusions.split())
    assert "S13" not in conclusions
    assert "o resultado não vale como teste dele" in first_page(body)
    # The article's own numbers need no data.
    for part in (first_page(body), conclusions):
        assert re.search(r"o exame dos números do próprio artigo\W.*Apêndice C", part, re.I)


def test_a_study_with_the_article_s_data_has_neither_notice() -> None:
    body = body_of(article_text())
    # Appendix A says of every verdict when it would be given.
    assert "demonstração" not in body.replace(section_of(body, "criterios"), "")
    assert "Estudo incompleto" not in body
    # All of them hold in the synthetic study; 32 are 7 by construction, 3 that no data can test,
    # and 3 that are the test of another.
    words = " ".join(plain(body).split())
    assert "Das 19 afirmações do artigo que dados podem pôr à prova" in words
    assert "pôr à prova, 19 foram sustentadas e nenhuma foi contradita." in words
    assert "Afirmações com o mesmo teste contam uma só vez." in words
    assert (
        "Ficam de fora 7 que são verdadeiras por construção e 3 que nenhum dado pode pôr à prova."
    ) in words


def test_a_partial_study_names_each_run_that_is_missing() -> None:
    body = body_of(article_text(**PARTIAL))
    notice = body[body.index("Estudo incompleto") : body.index("**Resultado.**")]
    assert "Das 9 execuções previstas, 5 foram aproveitadas; o Apêndice E diz" in notice
    listed = section_of(body, "como-foi-feito")
    for run in PARTIAL["missing"]:
        assert f"- `{run}`, que " in listed
    assert "| ResNet-152 | sem resultado | 152 | sem resultado | 744% | sem resultado |" in body
    assert "Da ResNet-152 não há resultado." in body
    assert "as execuções que faltam podem mudar" in body


def test_table_1_has_the_six_columns_and_rows_of_the_evidence(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    inputs = read_inputs(study, study.parent / "evidence")
    qmd = rendered(inputs)
    before = qmd[: qmd.index("{#tbl-comparativo}")]
    lines = before[before.rindex("\n| Teste") :].split("\n\n")[0].strip().splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    with (study.parent / "evidence" / "table.csv").open(encoding="utf-8", newline="") as file:
        evidence = list(csv.reader(file))
    assert table[0] == evidence[0][:6]  # the last column of the file is the measured time
    assert [row[0] for row in table[2::2]] == [row[0] for row in evidence[1:]]
    assert table[2] == ["ResNet-18", "90,00%", "18", "0,42", "–", "–"]


def test_below_each_network_table_1_has_what_the_article_prints_of_it() -> None:
    def rows(**settings: Any) -> list[list[str]]:
        table = article_of(**settings).split("{#tbl-comparativo}")[0].rsplit("| Teste |")[1]
        lines = [line.strip("|").split("|") for line in table.strip().splitlines()[2:]]
        return [[cell.strip() for cell in line] for line in lines if len(line) > 1]

    printed = {
        "ResNet-18": ["80,84%", "18", "41", "–", "–"],
        "ResNet-50": ["83,55%", "50", "112", "178%", "3%"],
        "ResNet-152": ["85,94%", "152", "262", "744%", "6%"],
    }
    for settings in (DEMO, PARTIAL, CACHED):
        found = rows(**settings)
        assert [row[0] for row in found[::2]] == list(printed)
        assert found[1::2] == [["*no artigo*", *cells] for cells in printed.values()]
    # A network that the article has not has no such row; nor has a further reading's table.
    other = {"models": ("resnet34",), "accuracies": {"resnet34": 0.8}, "minutes": {"resnet34": 70}}
    assert [row[0] for row in rows(**other, losses={"resnet34": (1.9, 0.8)})] == ["ResNet-34"]
    assert article_of(**CACHED).count("| *no artigo* |") == 3


def test_the_article_s_images_are_printed_as_it_prints_them() -> None:
    (row,) = [line for line in article_text().splitlines() if line.startswith("| Imagens |")]
    assert row.split("|")[2].strip() == (
        "CIFAR-10: 60.000 imagens; a divisão não é informada (a oficial é de 50.000 e 10.000)"
    )


def test_an_unfinished_study_claims_no_more_than_was_done() -> None:
    body = body_of(article_text(**PARTIAL))
    method = section_of(body, "metodologia")
    assert method.split("\n\n")[1].startswith("As redes ResNet-18 e ResNet-50 foram treinadas")
    assert "Estava previsto treinar cada rede uma vez para cada uma das sementes" in body
    assert "Cada rede foi treinada" not in body
    assert body.count("(A média é de 2 das 3 execuções previstas.)") == 1
    whole = body_of(article_text())
    assert "Estava previsto" not in whole
    assert "execuções previstas" not in whole
    single = PARTIAL | {
        "missing": [
            f"scratch-32/{model}/seed-{seed}"
            for model, seed in itertools.product(synthetic.MODELS, range(3))
            if (model, seed) != ("resnet50", 1)
        ]
    }
    body = body_of(article_text(**single))
    assert "A rede ResNet-50 foi treinada e avaliada" in body
    assert "(O número vem de uma só das 3 execuções previstas.)" in body
    # Depths need no run, nor does their comparison.
    assert "| T8 | ResNet-152 | Camadas | 152 | 152 |" in body
    assert "| T12 | ResNet-152 | Acréscimo de camadas | 744% | 744% |" in body


def test_of_an_invalid_run_it_is_said_where_the_reason_stands(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path, **PARTIAL)
    inputs = read_inputs(study, study.parent / "evidence")
    runs = [
        run.model_copy(update={"state": "invalid", "kind": "truncated", "problem": "broken"})
        if run.run == PARTIAL["missing"][0]
        else run
        for run in inputs.verdicts.runs
    ]
    verdicts = inputs.verdicts.model_copy(update={"runs": runs})
    changed = replace(inputs, verdicts=verdicts)
    qmd = rendered(changed)
    assert qmd.count("está incompleta ou danificada") == 1
    assert "Os motivos, arquivo por arquivo, estão em `verdicts.json`." in qmd


def test_several_readings_have_one_table_of_verdicts() -> None:
    body = body_of(article_text(protocols=("probe-224", "scratch-32")))
    assert body.count("{#qdr-afirmacoes") == 1
    assert body.count("{#qdr-por-leitura}") == 1
    assert "{#qdr-por-leitura}" not in body_of(article_text())


def test_each_verdict_has_the_numbers_that_led_to_it() -> None:
    body = body_of(article_text())
    discussion = section_of(body, "afirmacoes").split("Estes são os números")[1]
    lines = re.findall(r"(?m)^- \*\*(S\d+)\.\*\* (.+)$", discussion)
    by_construction = ("S15", "S16")
    judged = [f"S{number}" for number in range(1, 20)]
    assert [name for name, _ in lines] == [name for name in judged if name not in by_construction]
    sentences = dict(lines)
    assert "corrigidos pelo método de Holm entre 20 testes" in " ".join(plain(discussion).split())
    assert sentences["S1"].replace("\u00a0", " ").endswith(r"; p \< 0,001 (Holm).")
    assert "2,71 pontos percentuais" in sentences["S1"]
    assert "contra 2,73 no artigo" in sentences["S2"]
    assert "Estes são os números" not in body_of(article_text(**DEMO))


def test_with_one_epoch_nothing_is_said_of_its_course() -> None:
    several, one = body_of(article_text()), body_of(article_text(epochs=1))
    for sentence in ("Da primeira à última época", "A perda passa", "a melhor época de cada"):
        assert sentence in several
        assert sentence not in one


def choice_of(body: str) -> list[str]:
    """The lines of the list that says which network to choose."""
    start = body.index("**Que rede escolher.**")
    return re.findall(r"(?m)^ *- .*$", body[start : body.index("### 5.1 ")])


def test_the_choice_of_a_network_is_told_as_surely_as_it_was_tested() -> None:
    accuracy, time, both = choice_of(body_of(article_text()))
    assert accuracy == (
        "- se só a acurácia conta, convém a ResNet-152 (85,94%): sua vantagem sobre a ResNet-18 e "
        "a ResNet-50 vai além do acaso;"
    )
    assert time.startswith("- se só o tempo de treinamento conta, convém a ResNet-18 (41 min): ")
    assert both.endswith("joelho da fronteira de Pareto, além do que o acaso explica.")
    lines = choice_of(body_of(article_text(seeds=(0,))))
    assert lines[0].endswith(
        "a ResNet-152 obteve o maior valor (85,94%), mas as execuções não bastam para dizer se sua "
        "vantagem sobre a ResNet-18 e a ResNet-50 vai além do acaso;"
    )
    assert [line[-1] for line in lines] == [";", ";", "."]
    assert not any("convém" in line or "acaso explica" in line for line in lines)


def test_the_choice_of_several_readings_is_told_reading_by_reading() -> None:
    lines = choice_of(body_of(article_text(protocols=("probe-224", "scratch-32"))))
    assert [lines[0], lines[4]] == ["- `probe-224`:", "- `scratch-32`:"]
    assert all(line.startswith("    - se ") for line in lines[1:4] + lines[5:])
    assert [line[-1] for line in lines[1:4]] == [";", ";", "."]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"epochs": 1}, "- Difere do que o artigo informa: o número de épocas."),
        (
            {"epochs": 1, "batch_size": 64},
            "- Diferem do que o artigo informa: o número de épocas e o tamanho do lote.",
        ),
    ],
)
def test_what_differs_from_the_article_is_a_limit_by_name(
    settings: dict[str, int], sentence: str
) -> None:
    assert sentence in article_text(**settings).splitlines()
    assert "que o artigo informa:" not in article_text()
    assert "a leitura adotada é uma interpretação nossa" in article_text(**settings)


def test_points_are_singular_below_two() -> None:
    def sentence(*accuracies: float) -> str:
        body = body_of(
            article_text(accuracies=synthetic.ARTICLE_ACCURACIES | {"resnet18": accuracies})
        )
        return body[body.index("A ResNet-18 acertou") :].split(". ")[0]

    assert "sementes: 0,10 ponto percentual)" in sentence(0.800, 0.801, 0.802)
    assert "sementes: 2,00 pontos percentuais)" in sentence(0.80, 0.82, 0.84)


def test_criteria_go_on_after_their_colon() -> None:
    body = body_of(article_text())
    lines = re.findall(r"(?m)^- (?:[ST]\d+(?:, | e )?)+: (\w)", body)
    assert len(lines) > 5
    assert all(letter.islower() for letter in lines)


def test_where_times_have_no_ratio_accuracies_are_still_compared(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path)
    inputs = read_inputs(study, study.parent / "evidence")
    values = {
        key: value
        for key, value in inputs.record.values.items()
        if key != "scratch-32.resnet50.minutes_ratio"
    }
    changed = replace(inputs, record=inputs.record.model_copy(update={"values": values}))
    qmd = rendered(changed)
    [sentence] = re.findall(r"a ResNet-50 alcança[^.]*\.", qmd)
    assert "maior, em termos relativos; os tempos não se comparam" in sentence
    [other] = re.findall(r"a ResNet-152 alcança[^.]*\.", qmd)
    assert "vezes o tempo da ResNet-18" in other


@pytest.mark.parametrize(
    ("minutes", "pt", "en"),
    [
        (6.6, "leva 0,16 vezes o tempo", "takes 0.16 times as long as that of ResNet-18."),
        (39.0, "leva 0,95 vezes o tempo", "takes 0.95 times as long as that of ResNet-18."),
        (41.1, "leva o mesmo tempo que o da", "takes as long as that of ResNet-18, to the"),
        (43.5, "leva 1,1 vezes o tempo", "takes 1.1 times as long as that of ResNet-18."),
    ],
)
def test_a_ratio_of_times_is_printed_as_exactly_as_it_needs(
    minutes: float, pt: str, en: str
) -> None:
    settings = {"minutes": ARTICLE_MINUTES | {"resnet50": minutes}}
    assert pt in article_text("pt", **settings)
    assert en in article_text("en", **settings)


def test_accuracies_that_print_as_equal_are_not_called_higher() -> None:
    settings = {"accuracies": ARTICLE_ACCURACIES | {"resnet50": 0.8086}}
    pt, en = (article_text(language, **settings) for language in ("pt", "en"))
    assert "a ResNet-50 fica com a mesma acurácia, na precisão aqui impressa" in pt
    assert "ResNet-50 has the same accuracy, to the precision printed here" in en
    assert "0,0% maior" not in pt


def test_an_increment_of_fewer_seeds_than_the_means_says_so() -> None:
    settings = {"missing": ("scratch-32/resnet18/seed-1",)}
    pt, en = (article_text(language, **settings) for language in ("pt", "en"))
    assert pt.count("(O acréscimo vem só das 2 sementes que as duas têm.)") == 2
    assert en.count("(The increment comes only from the 2 seeds that both have.)") == 2
    assert "Uma execução falta ou não pôde ser aproveitada." in pt


@pytest.mark.parametrize("language", ["pt", "en"])
def test_the_counts_in_words_are_those_of_the_table(language: str) -> None:
    # Increments of the right sign and another size hold in direction only; what contradicts the
    # accuracies is from readings that the audit rules out. Only of several is there a table.
    apart = {
        "accuracies": {"resnet18": 0.70, "resnet50": 0.84, "resnet152": 0.90},
        "protocols": ("scratch-32", "finetune-32"),
        "readings": own_readings("scratch-32", "finetune-32"),
    }
    body = body_of(article_text(language, **apart))
    summary = " ".join(plain(first_page(body)).split())
    table = plain(section_of(body, "mudancas"))
    names = {
        "pt": ("sustentadas", "contraditas", "em aberto"),
        "en": ("supported", "contradicted", "left open"),
    }[language]
    counts = [int(re.findall(rf"\| {name} \| (\d+) \|", table)[0]) for name in names]
    told = {
        "pt": "16 foram sustentadas (2 apenas quanto ao sentido), nenhuma foi contradita e 3 "
        "ficaram em aberto (não comparáveis com estes dados)",
        "en": "16 are supported (2 in direction only), none is contradicted and 3 are left open "
        "(not comparable with these data)",
    }[language]
    assert told in summary
    assert counts == [16, 0, 3]


@pytest.mark.parametrize("language", ["pt", "en"])
def test_what_no_data_can_test_is_listed_after_the_verdicts(language: str) -> None:
    body = plain(body_of(article_text(language)))
    lines = re.findall(r"(?m)^- \*\*(U\d+)\.\*\* (.+)$", body)
    untestable = load_article(ARTICLE).untestable
    assert [name for name, _ in lines] == [item.id for item in untestable]
    for (_, line), item in zip(lines, untestable, strict=True):
        assert getattr(item.text, language) in line
        assert getattr(item.reason, language) in line


def test_networks_that_a_study_does_not_have_are_no_missing_runs() -> None:
    settings = {"models": ("resnet18", "resnet50")}
    pt, en = (article_text(language, **settings) for language in ("pt", "en"))
    assert "Ficam sem julgamento as afirmações S1, " in pt
    assert "Esta conclusão fica sem julgamento: o estudo não inclui" in pt
    assert "o estudo não inclui todas as redes das afirmações." in pt
    assert "This conclusion is not judged: the study does not have" in en
    # Appendix A says what each verdict means.
    pt, en = (text.replace(section_of(text, "criterios"), "") for text in (pt, en))
    assert not re.search("[Ff]alta[mr]? execuç|execuções ausentes|Há execuções", pt)
    assert not re.search("[Rr]uns are (lacking|missing)|[Ss]ome runs", en)


def test_a_demo_says_once_that_what_it_shows_is_no_test() -> None:
    pt, en = (article_text(language, **DEMO) for language in ("pt", "en"))
    assert pt.count("o que não constitui um teste") == 1
    assert en.count("though this is no test") == 1


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
@pytest.mark.parametrize(
    ("language", "always"),
    [
        (
            "pt",
            [
                "deixa escolhas em aberto",
                "mesmas imagens de teste",
                "tempos dependem do dispositivo",
            ],
        ),
        ("en", ["leaves choices open", "same test images", "Times depend on the device"]),
    ],
)
def test_what_limits_every_study_is_always_among_the_limits(
    language: str, always: list[str], seeds: tuple[int, ...]
) -> None:
    heading = {"pt": "Limites", "en": "Limits"}[language]
    limits = article_text(language, seeds=seeds).partition(heading)[2].partition("\n## ")[0]
    for words in always:
        assert words in limits
