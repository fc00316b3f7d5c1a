"""Times of runs with a feature cache: computed, said to be so, and never judged as measured."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from report_prose import section_of
from report_studies import CACHED, DEMO, LITERAL, article_of, table_row
from synthetic import ARTICLE, make_study, own_readings

from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.schemas.evidence.verdicts import Verdict
from resnet_sizes.schemas.paths import StudyFolder

PROBE: dict[str, Any] = {"protocols": ("probe-224",), "readings": own_readings("probe-224")}
MINUTE_CELLS = ("T3", "T6", "T9")
TIMED = ("S2", "S12", "S13", "S17", "S18")


def verdicts_of(folder: Path, **settings: Any) -> dict[str, Verdict]:
    study = make_study(folder, **settings)
    found = build_evidence(study, StudyFolder.of_file(study).evidence, allow_partial=True)
    return {verdict.id: verdict for verdict in found.verdicts}


@pytest.fixture(scope="module")
def cached() -> str:
    return article_of(**CACHED)


@pytest.fixture(scope="module")
def literal() -> str:
    return article_of(**LITERAL)


def test_the_order_of_computed_times_is_judged(tmp_path: Path) -> None:
    found = verdicts_of(tmp_path / "same", **PROBE)
    assert {found[name].verdict for name in TIMED} == {"supported"}
    minutes = {"resnet18": 262, "resnet50": 112, "resnet152": 41}
    reversed_times = verdicts_of(tmp_path / "reversed", **PROBE, minutes=minutes)
    assert {reversed_times[name].verdict for name in TIMED} == {"contradicted"}


def test_computed_minutes_are_never_seen_as_the_article_s(tmp_path: Path) -> None:
    measured = verdicts_of(tmp_path / "measured")
    computed = verdicts_of(tmp_path / "computed", **PROBE)
    for name in MINUTE_CELLS:
        assert measured[name].observed is True  # the article's own numbers, on some device
        assert computed[name].observed is None
        assert (computed[name].verdict, computed[name].reasons) == (
            "not-testable",
            ["device-not-stated", "computed-minutes"],
        )


def test_an_article_that_takes_any_device_still_takes_no_computed_minutes(tmp_path: Path) -> None:
    content = yaml.safe_load(ARTICLE.read_text(encoding="utf-8"))
    for claim in content["claims"]:
        if claim["id"] in MINUTE_CELLS:
            claim["needs"]["article_device"] = False
    article = tmp_path / "article.yaml"
    article.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    measured = verdicts_of(tmp_path / "measured", article=article)
    assert {measured[name].verdict for name in MINUTE_CELLS} == {"supported"}
    literal = verdicts_of(tmp_path / "literal", article=article, **LITERAL)
    assert [literal[name].verdict for name in MINUTE_CELLS] == [
        "supported",
        "supported",
        "not-comparable",
    ]


def test_computed_times_are_marked_with_a_note_in_each_table(cached: str) -> None:
    first = section_of(cached, "resultados")
    verdicts = section_of(cached, "afirmacoes").split("{#mudancas}")[0]
    assert "| ResNet-50 | 83,55% ± 0,00 | 50 | 112\\* ± 0,0 | 178% | 3,4% |" in first
    assert table_row(verdicts, "T6")[3:5] == ["112", "112\\*"]
    assert first.count("\\* Tempo calculado, e não medido") == 2  # also of the readings together
    assert verdicts.count("\\* Tempo calculado, e não medido") == 1
    # Each note is the block below a caption.
    blocks = cached.split("\n\n")
    for identifier in ("#tbl-comparativo}", "#tbl-artigo}", "#tbl-leituras}"):
        (position,) = [n for n, block in enumerate(blocks) if identifier in block]
        assert blocks[position + 1].startswith("::: {.nota}\n\\* Tempo calculado")


def test_the_measured_time_stands_beside_the_computed_one(cached: str) -> None:
    first, details = section_of(cached, "resultados"), section_of(cached, "detalhes")
    # 0.98 · 112 / 50 = 2.195; 0.02 · 112 + 2.195 / 3 = 2.97.
    assert "| ResNet-50 | 2,2 | 4,4 | 112 |" in details[: details.index("{#leitura-2}")]
    assert "levaria em média 112 min para treinar (tempo calculado; medido, 4,4 min)" in first
    assert "foi treinada" not in first


def test_ratios_of_times_are_set_against_the_article_s_and_not_minutes() -> None:
    minutes = {"resnet18": 10, "resnet50": 25, "resnet152": 60}
    body = article_of(**PROBE, minutes=minutes)
    assert (
        "dividido pelo da ResNet-18, é o seguinte: na ResNet-50, 2,73 no artigo e 2,50 aqui; na "
        "ResNet-152, 6,39 no artigo e 6,00 aqui." in body
    )
    assert "levaria 2,5 vezes o tempo da ResNet-18 (razão de tempos calculados)" in body


def test_without_the_article_s_first_network_no_ratios_are_compared() -> None:
    body = article_of(**PROBE, models=("resnet50", "resnet152"))
    assert "Treinamento, calculado" in body
    assert "é o seguinte" not in body


def test_a_reading_without_a_cache_has_neither_mark_nor_table(cached: str) -> None:
    second = section_of(cached, "leitura-2")
    assert "\\*" not in second
    assert "calculado" not in second
    assert "foi treinada, em média, em 112 min" in second
    assert "leva 2,7 vezes o tempo da ResNet-18." in second


@pytest.mark.parametrize("settings", [{}, DEMO], ids=["full", "demo"])
def test_a_study_without_a_cache_speaks_of_none(settings: dict[str, Any]) -> None:
    body = article_of(**settings)
    # What the article says of itself is another matter.
    body = body.replace(section_of(body, "auditoria"), "")
    for word in ("calculado,", "calculados,", "Tempo calculado", "tbl-tempos", "guardadas", "\\*"):
        assert word not in body
    # The note of the first page is on what is counted.
    assert body.count("nota}") == 1


def test_only_the_frozen_network_of_a_mixed_reading_is_marked(literal: str) -> None:
    assert re.findall(
        r"(?m)^\| ResNet-\d+ \| \d\d,\d\d% ± 0,00 \| \d+ \| ([^|]+) ± 0,0 \|", literal
    ) == [
        "41",
        "112",
        "262\\*",
    ]
    assert "| ResNet-18 | – | 41 | – |" in literal
    assert "| ResNet-152 | 5,1 | 10 | 262 |" in literal
    assert "ResNet-50 acertou em média 83,55%" in literal
    assert "foi treinada, em média, em 112 min" in literal
    assert "(o tempo da ResNet-152 é calculado)" in literal
    assert "leva 2,7 vezes o tempo da ResNet-18." in literal


def test_verdicts_say_where_minutes_are_computed(cached: str, literal: str) -> None:
    note = "em parte das leituras, há minutos calculados, e não medidos"
    verdicts = section_of(cached, "afirmacoes")
    verdicts = verdicts[: verdicts.index("{#tbl-artigo}")]
    for name in TIMED:
        assert note in table_row(verdicts, name)[3]
    assert note not in table_row(verdicts, "S1")[3]
    discussion = section_of(cached, "discussao")
    assert (
        "Nas afirmações S2, S12, S13, S17, S18, T3, T6 e T9 entram minutos calculados" in discussion
    )
    assert "os minutos da ResNet-152 são calculados" in table_row(literal, "S2")[3]
    criteria = section_of(cached, "criterios")
    assert "Nas afirmações S2, S12, S13, S17 e S18, a regra usa os tempos calculados" in criteria


def test_the_method_says_why_features_are_computed_once_and_what_the_time_means(
    cached: str,
) -> None:
    method = section_of(cached, "metodologia")
    for part in (
        "são as mesmas em todas as épocas",
        "calculadas uma só vez e guardadas",
        "salvo arredondamento",
        "multiplicada pelo número de épocas",
        "a @tbl-tempos traz, ao lado dele, o tempo medido",
    ):
        assert part in method
    row = table_row(section_of(cached, "detalhes"), "O que o tempo inclui")
    assert "daí calculado para todas as épocas" in row[2]


def test_with_the_cache_forced_off_the_minutes_are_measured() -> None:
    body = article_of(**PROBE, training={"feature_cache": False})
    assert "\\*" not in body
    assert table_row(body, "Características da rede congelada")[2] == (
        "calculadas de novo em cada passo do treinamento"
    )
    assert "foi treinada, em média, em 262 min" in body


def test_a_partial_cached_study_lists_the_networks_that_have_times() -> None:
    missing = [f"probe-224/resnet152/seed-{seed}" for seed in range(3)]
    body = article_of(**PROBE, missing=missing)
    times = body[: body.index("{#tbl-tempos}")]
    rows = times[times.rindex("| Rede |") :]
    assert "ResNet-50" in rows
    assert "ResNet-152" not in rows
    assert "sem resultado" in table_row(body, "Características da rede congelada")[2]


def test_values_of_computed_times_name_their_field(tmp_path: Path) -> None:
    study = make_study(tmp_path, **LITERAL)
    evidence = StudyFolder.of_file(study).evidence
    build_evidence(study, evidence, allow_partial=False)
    values = json.loads((evidence / "values.json").read_text(encoding="utf-8"))["values"]
    fields = {
        model: {source["field"] for source in values[f"literal.{model}.minutes.mean"]["sources"]}
        for model in ("resnet18", "resnet50", "resnet152")
    }
    assert fields == {
        "resnet18": {"training_seconds"},
        "resnet50": {"training_seconds"},
        "resnet152": {"equivalent_training_seconds"},
    }


def test_of_a_study_whose_minutes_are_all_computed_each_claim_says_so() -> None:
    body = article_of(**PROBE)
    assert "os minutos são calculados, e não medidos" in body
    assert "os minutos são calculados, e não medidos" not in article_of(**LITERAL)
