"""What the report says where a study does other than the article states."""

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from report_prose import body_of, section_of
from report_studies import article_text, rendered, study_with_evidence

from resnet_sizes.reporting.inputs import Inputs, read_inputs
from resnet_sizes.schemas.study.protocol import Protocol
from resnet_sizes.schemas.study.sources import DataContent


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


def test_a_departure_from_the_article_is_said_wherever_it_matters() -> None:
    body = body_of(article_text())
    (row,) = [line for line in body.splitlines() if line.startswith("| Pesos da ResNet-152 |")]
    _, _, stated, ours, _ = row.split("|")
    assert "diz que a ResNet-152 é pré-treinada e que só a última camada" in stated
    assert "aleatórios" in ours
    assert DEPARTS in ours
    method = section_of(body, "metodologia")
    assert "a leitura adotada se afasta dele (pesos iniciais aleatórios;" in method
    conclusions = section_of(body, "conclusoes")
    assert conclusions.count("Os vereditos que envolvem a ResNet-152") == 1
    assert "diz também que a ResNet-152 é pré-treinada" in method


def test_a_reading_that_does_what_the_article_says_is_no_departure(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path)
    inputs = with_protocols(read_inputs(study, study.parent / "evidence"), **{"scratch-32": STATED})
    body = body_of(rendered(inputs))
    (row,) = [line for line in body.splitlines() if line.startswith("| Pesos da ResNet-152 |")]
    assert row.endswith("só a última camada é treinada, como diz o artigo |")
    assert "se afasta" not in body


def test_of_several_readings_those_that_depart_are_named(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path, protocols=("probe-224", "scratch-32"))
    inputs = with_protocols(read_inputs(study, study.parent / "evidence"), **{"probe-224": STATED})
    body = body_of(rendered(inputs))
    assert "nisso se afasta dele a leitura `scratch-32` (pesos iniciais aleatórios;" in body
    assert "Segundo a leitura `scratch-32`, os vereditos que envolvem a ResNet-152" in body
    (row,) = [line for line in body.splitlines() if line.startswith("| Pesos da ResNet-152 |")]
    assert row.count(DEPARTS) == 1
    assert row.count("como diz o artigo") == 1


@pytest.mark.parametrize("content", get_args(DataContent))
def test_other_images_than_the_article_s_are_named_as_such(content: str) -> None:
    body = body_of(article_text(content=content))
    assert ("as imagens, porém, são" in body) == (content != "cifar10")
