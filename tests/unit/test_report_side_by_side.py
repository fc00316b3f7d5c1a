"""Several readings in one report: their numbers, verdicts and distances beside each other."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from report_prose import body_of, section_of
from report_studies import (
    ALL_READINGS,
    CACHED,
    LITERAL,
    article_of,
    article_text,
    rendered,
    table_row,
)
from synthetic import make_study, own_readings

from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.schemas.paths import StudyFolder


def test_the_readings_stand_side_by_side() -> None:
    body = article_of(**CACHED)
    assert "### 3.1 Comparação das leituras" in body
    table = section_of(body, "comparacao")
    assert table_row(table, "no artigo")[1] == "80,84% (41 min)"
    assert table_row(table, "`probe-224`")[1:] == [
        "80,84% (41\\* min)",
        "83,55% (112\\* min)",
        "85,94% (262\\* min)",
    ]
    assert table_row(table, "`scratch-32`")[3] == "85,94% (262 min)"
    assert "Comparação das leituras" not in article_of(**LITERAL)


def test_a_reading_without_results_is_missing_from_the_comparison() -> None:
    missing = [f"scratch-32/resnet50/seed-{seed}" for seed in range(3)]
    body = article_of(**CACHED, missing=missing)
    table = section_of(body, "comparacao")
    assert table_row(table, "`scratch-32`")[2] == "sem resultado"


def test_figure_1_stands_with_the_reading_it_shows() -> None:
    body = article_of(**CACHED)
    results = section_of(body, "resultados").split("\n### ")[0]
    assert results.index("{#tbl-comparativo}") < results.index("{#fig-loss")
    captions = re.findall(r"\(leitura ([^)]*)\)(?: \{#tbl-comp|\]\(figure-loss)", results)
    assert captions == ["probe-224", "probe-224"]


def test_a_further_reading_has_its_numbers_in_the_appendix() -> None:
    body = article_of(**CACHED)
    for name in ("tbl-comparativo-2", "leitura-2"):
        assert f"{{#{name}}}" not in section_of(body, "resultados")
    further = section_of(body, "leitura-2")
    assert further.startswith("### Leitura `scratch-32`")
    assert further in section_of(body, "detalhes")
    assert table_row(further, "ResNet-50")[1:4] == ["83,55% ± 0,00", "50", "112 ± 0,0"]
    assert "{#tbl-comparativo-2}" in further
    assert "{#leitura-" not in article_of(**LITERAL)


def test_a_conclusion_on_which_all_readings_agree_is_said_once() -> None:
    body = article_of(**CACHED)
    conclusions = section_of(body, "conclusoes").splitlines()
    lines = {line[4:7]: line for line in conclusions if line.startswith("- **S1")}
    assert "Esta conclusão se mantém" in lines["S14"]
    # Equal verdicts, one of them from computed minutes, are no dependence on the reading.
    assert "Esta conclusão se mantém" in lines["S13"]
    assert "depende da leitura" not in lines["S13"]
    assert "Nenhum veredito muda de uma leitura a outra." in body


POSSIBLE: dict[str, Any] = {
    "name": "possible",
    "protocols": ("probe-224", "finetune-112"),
    "readings": own_readings("probe-224", "finetune-112"),
}
"""Two readings that the article's minutes do not exclude."""


def test_where_a_reading_does_not_decide_the_claim_is_open() -> None:
    body = article_of(**POSSIBLE, missing=["finetune-112/resnet50/seed-1"])
    assert "Nenhuma leitura contradiz outra; onde os vereditos diferem, é porque uma" in body
    assert "Nenhum veredito muda" not in body
    table = body[body.index("{#qdr-por-leitura}") :]
    assert table_row(table, "S11")[1:] == ["✓ sustentada", "○ execuções insuficientes"]
    table = table[: table.index("{#tbl-distancia}")]
    assert "| T4 |" in table
    assert "| T3 |" not in table  # of which no reading can say anything
    conclusions = section_of(body, "conclusoes").splitlines()
    (line,) = [line for line in conclusions if line.startswith("- **S14.**")]
    assert line.endswith(
        "Só parte das leituras decide sobre esta conclusão: sustentada segundo `probe-224`; "
        "execuções insuficientes segundo `finetune-112`."
    )


def test_a_reading_that_the_article_s_minutes_exclude_is_shown_and_not_heard() -> None:
    body = article_of(**CACHED, missing=["scratch-32/resnet50/seed-1"])
    table = body[body.index("{#qdr-por-leitura}") :]
    assert table_row(table, "S11")[1:] == ["✓ sustentada", "○ execuções insuficientes"]
    conclusions = section_of(body, "conclusoes").splitlines()
    (line,) = [line for line in conclusions if line.startswith("- **S14.**")]
    assert line.endswith(
        "Esta conclusão se mantém nos novos dados: a regra é satisfeita, além do que o acaso "
        "explica."
    )
    # What holds for all conclusions is said once, below them.
    note = (
        "A leitura `scratch-32`, que os minutos do artigo ou a memória das GPUs excluem, não conta "
        "nestes vereditos. Nas afirmações S12, S13, S17 e S18 entram minutos calculados, e não "
        "medidos."
    )
    assert conclusions.count(note) == 1


def test_which_readings_are_not_heard_is_said_once_with_the_table_of_verdicts() -> None:
    def remark(language: str = "pt", **settings: Any) -> str:
        verdicts = section_of(body_of(article_text(language, **settings)), "afirmacoes")
        return verdicts[: verdicts.index(":::")].rstrip()

    assert remark(**CACHED).endswith(
        "A leitura `scratch-32`, que os minutos do artigo ou a memória das GPUs excluem, não conta "
        "nestes vereditos."
    )
    assert "`scratch-32`" in remark("en", **CACHED)
    alone = remark()  # the same reading, without another
    assert "A leitura `scratch-32` é excluída pelos minutos do artigo ou pela" in alone
    assert "não conta" not in alone
    for settings in (POSSIBLE, LITERAL):
        assert "exclu" not in remark(**settings)


def test_of_several_readings_each_network_is_trained_in_each() -> None:
    body = article_of(**CACHED | {"seeds": (0,)})
    assert "Em cada leitura, cada rede foi treinada uma vez, com a semente 0." in body
    assert "O que se relata de uma rede em uma leitura vem dessa única execução." in body
    assert "- Cada rede foi treinada uma só vez em cada leitura; quanto" in body
    assert re.search(
        r"A ResNet-50 acertou \S+ das imagens de teste e foi treinada em 112 min", body
    )


def test_what_changes_from_one_reading_to_the_next_is_shown(tmp_path: Path) -> None:
    def other_accuracies(study: Path) -> None:
        """Deeper is worse in the second reading."""
        for model, other in (("resnet18", "resnet152"), ("resnet152", "resnet18")):
            shutil.copytree(study / model, study.parent / "kept" / other)
        for model in ("resnet18", "resnet152"):
            for seed in range(3):
                kept = study.parent / "kept" / model / f"seed-{seed}"
                own = study / model / f"seed-{seed}"
                shutil.copy(kept / "predictions.safetensors", own)
                metrics = json.loads((own / "metrics.json").read_text())
                source = json.loads((kept / "metrics.json").read_text())
                for key in ("epochs", "final_test_accuracy", "best_test_accuracy", "best_epoch"):
                    metrics[key] = source[key]
                (own / "metrics.json").write_text(json.dumps(metrics))
        shutil.rmtree(study.parent / "kept")

    study = make_study(tmp_path, **POSSIBLE)
    other_accuracies(study.parent / "runs" / "finetune-112")
    build_evidence(study, StudyFolder.of_file(study).evidence, allow_partial=False)
    inputs = read_inputs(study, StudyFolder.of_file(study).evidence)
    body = body_of(rendered(inputs))
    start = body.index("{#qdr-por-leitura}")
    by_reading = body[start : body.index("mede a que distância")]
    assert table_row(by_reading, "S11")[1:] == ["✓ sustentada", "✗ contradita"]
    assert table_row(by_reading, "T4")[1:] == ["✓ sustentada", "✓ sustentada"]
    assert "Os vereditos mudam de uma leitura a outra em S1, " in body
    distances = body[body.index("Soma dos postos") : body.index("{#tbl-distancia}")]
    near, far = table_row(distances, "`probe-224`"), table_row(distances, "`finetune-112`")
    assert near[1:] == ["0,00", "0,000", "0 de 4", "3,5"]
    assert far[1] == "4,16"  # √((5.10² + 0 + 5.10²) / 3)
    assert "é a leitura `probe-224`" in body
    conclusions = section_of(body, "conclusoes").splitlines()
    (line,) = [line for line in conclusions if line.startswith("- **S14.**")]
    assert "A resposta depende da leitura do método: `" not in line
    assert "sustentada segundo `probe-224`; contradita segundo `finetune-112`" in line


def test_findings_that_readings_share_are_printed_once() -> None:
    seven = article_of(**ALL_READINGS | {"epochs": 2})
    conclusions = section_of(seven, "conclusoes").splitlines()
    (line,) = [line for line in conclusions if line.startswith("- **S13.**")]
    assert line.count("não são um teste desta conclusão") == 1
