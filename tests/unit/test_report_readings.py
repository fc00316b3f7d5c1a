"""What the report says of the readings: weights, precision, confounds, their comparison."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from report_prose import body_of, section_of
from report_studies import (
    ALL_READINGS,
    CACHED,
    DEMO,
    LITERAL,
    article_of,
    article_text,
    rendered,
    table_row,
)
from synthetic import make_study, own_readings
from synthetic_runs import initial_weights

from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.schemas.paths import StudyFolder

CONFOUNDED = "**O que varia junto com a profundidade.**"


def with_reading(reading: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """Settings of a study of one short reading, `own`."""
    return {"protocols": ("own",), "readings": {"own": reading}, "epochs": 2, **settings}


@pytest.fixture(scope="module")
def seven() -> str:
    """The article of all readings that the configuration defines."""
    return article_of(**ALL_READINGS | {"epochs": 2})


@pytest.fixture(scope="module")
def literal() -> str:
    return article_of(**LITERAL)


def method_of(body: str) -> str:
    return section_of(body, "metodologia")


def test_torchvision_s_weights_are_named_with_file_and_hash(literal: str) -> None:
    weights = initial_weights("resnet152", "default")
    assert weights is not None
    assert table_row(literal, "Arquivos dos pesos")[2] == (
        f"ResNet-152: `ResNet152_Weights.IMAGENET1K_V2`, arquivo `{weights.file}`, "
        f"SHA-256 iniciado por `{weights.sha256[:16]}`"
    )


def test_a_file_of_one_s_own_is_named_without_its_folder() -> None:
    body = article_of(**with_reading({"weights": "/home/somebody/own.pt"}))
    files = table_row(body, "Arquivos dos pesos")[2]
    assert files.count("arquivo `own.pt`, SHA-256 iniciado por `") == 3
    assert "pesos lidos de `own.pt`" in table_row(body, "Pesos iniciais")[2]
    assert table_row(body, "Versão dos pesos")[2] == "arquivo fornecido pelo usuário"
    assert "somebody" not in body


def test_networks_of_one_reading_that_differ_are_told_apart(literal: str) -> None:
    assert table_row(literal, "Tamanho da imagem")[2] == (
        "ResNet-18 e ResNet-50: 32×32 pixels; ResNet-152: 224×224 pixels"
    )
    assert table_row(literal, "Versão dos pesos")[2].endswith(
        "ResNet-152: V2, a recomendada pelo torchvision"
    )
    assert table_row(literal, "Normalização em lote da rede congelada")[2] == (
        "ResNet-18 e ResNet-50: não se aplica, pois nada fica congelado; ResNet-152: modo de "
        "avaliação"
    )


def test_readings_with_one_answer_are_named_together(seven: str) -> None:
    assert table_row(seven, "Tamanho da imagem")[2] == (
        "`probe-224` e `probe-224-bn-train`, `literal` (ResNet-152): 224×224 pixels; `literal` "
        "(ResNet-18 e ResNet-50), `scratch-32`, `scratch-cifar-stem` e `finetune-32`: 32×32 "
        "pixels; `finetune-112`: 112×112 pixels"
    )
    assert table_row(seven, "Aumento de dados")[2] == "sem aumento de dados"
    kept = table_row(seven, "Características da rede congelada")[2]
    assert kept.startswith("`probe-224`, `literal` (ResNet-152): calculadas uma só vez")
    assert "`probe-224-bn-train`: calculadas de novo" in kept


def test_the_precision_is_the_run_files_and_not_the_wish() -> None:
    body = article_of(**with_reading({"precision": "auto"}))
    assert table_row(body, "Precisão numérica")[2] == (
        "BF16, escolhida por regra fixa conforme o dispositivo"
    )


def test_a_split_batch_is_told_with_what_batch_normalisation_sees() -> None:
    settings = LITERAL | {"training": {"gradient_accumulation": 4}}
    answer = table_row(article_of(**settings), "Divisão do lote")[2]
    whole, frozen = answer.split("; ResNet-152: ")
    assert whole.startswith("ResNet-18 e ResNet-50: cada lote é dividido em 4 partes")
    assert "vê cada parte por si" in whole
    assert "o gradiente é o do lote inteiro, salvo arredondamento" in frozen
    assert "vê cada parte" not in frozen


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("default", "com `torch.compile`"),
        ("auto", "com `torch.compile` no modo `reduce-overhead` (grafos CUDA)"),
    ],
)
def test_a_compiled_network_is_said_to_be_so(mode: str, words: str) -> None:
    body = article_of(**with_reading({}, training={"compile": mode}))
    assert table_row(body, "Compilação da rede")[2] == words


def test_what_a_study_does_not_use_is_not_mentioned() -> None:
    body = article_of(**DEMO)
    for aspect in (
        "Arquivos dos pesos",
        "Divisão do lote",
        "Compilação da rede",
        "Características da rede congelada",
    ):
        assert f"| {aspect} |" not in body


def test_the_optimiser_is_told_with_what_applies_to_it() -> None:
    reading = {"optimizer": "sgd", "weight_decay": 5e-4, "schedule": "cosine"}
    body = article_of(**with_reading(reading))
    assert table_row(body, "Otimizador")[2] == (
        "descida do gradiente estocástica (SGD), momento 0,9, decaimento de pesos 0,0005, taxa "
        "de aprendizado com decaimento cosseno"
    )
    body = article_of(**with_reading({"optimizer": "adamw"}))
    assert "momento" not in table_row(body, "Otimizador")[2]


@pytest.mark.parametrize(
    ("reading", "sentence"),
    [
        ({}, "A semente fixa os pesos iniciais e a ordem das imagens."),
        ({"weights": "V1"}, "A semente fixa os pesos iniciais da última camada, os únicos que"),
        (
            {"per_model": {"resnet152": {"weights": "V1"}}},
            "A semente fixa os pesos iniciais (nas redes pré-treinadas, só os da última camada)",
        ),
    ],
    ids=["random", "pre-trained", "mixed"],
)
def test_the_seed_fixes_only_weights_that_come_from_no_file(
    reading: dict[str, Any], sentence: str
) -> None:
    assert sentence in method_of(article_of(**with_reading(reading)))


def test_depth_and_the_version_of_the_weights_vary_together() -> None:
    body = article_of(**CACHED)
    method = method_of(body)
    assert (
        "Na leitura `probe-224`, os pesos pré-treinados não têm todos a mesma origem (ResNet-18: "
        "versão V1 do torchvision; ResNet-50 e ResNet-152: versão V2, de uma receita de "
        "treinamento mais recente)." in method
    )
    assert "não pode, portanto, ser atribuída só à profundidade" in method
    conclusions = section_of(body, "conclusoes")
    assert "Na leitura `probe-224`, além disso, a profundidade não é a única coisa" in conclusions


def test_depth_and_pre_training_vary_together(literal: str) -> None:
    assert (
        "Na leitura adotada, só a ResNet-152 parte de pesos pré-treinados; as redes diferem quanto "
        "à parte que é treinada, ao tamanho da imagem, às primeiras camadas e à normalização."
        in method_of(literal)
    )


@pytest.mark.parametrize("weights", ["none", "V1"])
def test_where_depth_alone_varies_nothing_is_said_of_confounds(weights: str) -> None:
    body = article_of(**with_reading({"weights": weights}))
    assert CONFOUNDED not in body
    assert "a profundidade não é a única coisa" not in body


def test_readings_with_the_same_confound_are_told_together(seven: str) -> None:
    method = method_of(seven)
    assert method.count("não têm todos a mesma origem") == 1
    assert (
        "Nas leituras `probe-224`, `probe-224-bn-train`, `finetune-32` e `finetune-112`, os"
        in method
    )
    assert "Na leitura `literal`, só a ResNet-152" in method
    assert "as tabelas" not in method
    assert "a @tbl-tempos e a @tbl-tempos-3 trazem" in method


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


def test_findings_that_readings_share_are_printed_once(seven: str) -> None:
    conclusions = section_of(seven, "conclusoes").splitlines()
    (line,) = [line for line in conclusions if line.startswith("- **S13.**")]
    assert line.count("não são um teste desta conclusão") == 1
