"""What the report says of each reading: weights, precision, confounds."""

from typing import Any

import pytest
from report_prose import section_of
from report_studies import (
    ALL_READINGS,
    CACHED,
    DEMO,
    LITERAL,
    article_of,
    table_row,
)
from synthetic_runs import initial_weights

from resnet_sizes.schemas.study.schedules import SCHEDULES

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


def test_steps_a_warm_up_and_images_held_out_are_told() -> None:
    reading = {
        "optimizer": "sgd",
        "schedule": "steps",
        "milestones": [3200, 4800],
        "per_model": {"resnet152": {"warmup": {"learning_rate": 0.01, "until_train_error": 0.8}}},
    }
    training = {"iterations": 6400, "validation": 5000}
    body = article_of(**with_reading(reading, training=training))
    told = table_row(body, "Otimizador")[2]
    assert "taxa de aprendizado multiplicada por 0,1 após 3.200 e 4.800 iterações" in told
    assert "aquecimento com taxa de aprendizado de 0,01 até que o erro de treinamento" in told
    assert "as redes diferem quanto ao aquecimento da taxa de aprendizado" in body
    assert "5.000 das imagens de treinamento ficaram reservadas para validação" in body
    assert "6.400 iterações em 33 épocas" in body


def test_a_schedule_that_was_added_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCHEDULES, "linear", lambda moment: 1.0)
    body = article_of(**with_reading({"schedule": "linear"}))
    assert "esquema `linear`" in table_row(body, "Otimizador")[2]


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
