"""A study whose protocols have seeds of their own: its runs, values, verdicts and report."""

from pathlib import Path
from typing import Any

import pytest
from report_prose import body_of, section_of
from report_studies import article_of, article_text
from study_values import values_of
from synthetic import make_study

from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.schemas.paths import StudyFolder

TWO: dict[str, Any] = {
    "protocols": ("cheap", "dear", "pair"),
    "seeds": {"default": (0,), "cheap": (0, 1, 2, 3), "pair": (3, 8)},
    "models": ("resnet18", "resnet50"),
    "full": False,
    "epochs": 2,
    "accuracies": {"resnet18": (0.80, 0.81, 0.80, 0.79), "resnet50": (0.83, 0.84, 0.83, 0.82)},
}


def test_each_protocol_has_the_runs_of_its_seeds(tmp_path: Path) -> None:
    study = make_study(tmp_path, **TWO)
    found = {path.parent.name for path in study.parent.glob("runs/cheap/resnet18/*/metrics.json")}
    assert found == {f"seed-{seed}" for seed in range(4)}
    assert len(list(study.parent.glob("runs/dear/*/*/metrics.json"))) == 2


def test_few_seeds_are_those_of_the_protocol(tmp_path: Path) -> None:
    study = make_study(tmp_path, **TWO)
    built = build_evidence(study, StudyFolder.of_file(study).evidence, allow_partial=False)
    few = {verdict.protocol for verdict in built.verdicts if "few-seeds" in verdict.reasons}
    assert few == {"dear", "pair"}


def test_seeds_are_values_of_each_protocol_with_the_key_that_gave_them(tmp_path: Path) -> None:
    values = values_of(make_study(tmp_path, **TWO))
    assert values["study.seeds.count.cheap"].value == 4
    assert values["study.seeds.count.dear"].value == 1
    assert values["study.seeds.1.pair"].value == 8
    assert values["study.seeds.1.pair"].sources[0].field == "study.seeds.pair[1]"
    assert values["study.seeds.0.dear"].sources[0].field == "study.seeds.default[0]"
    assert "study.seeds" not in values
    assert values["study.runs"].value == 14


def test_equal_seeds_by_protocol_are_reported_as_a_list_is() -> None:
    same: dict[str, Any] = TWO | {"protocols": ("cheap", "dear")}
    by_name = article_of(**same | {"seeds": {"cheap": (0, 1), "dear": (0, 1)}})
    listed = article_of(**same | {"seeds": (0, 1)})
    assert method(by_name) == method(listed)
    assert "uma vez para cada uma das sementes 0 e 1. " in method(listed)


def method(body: str) -> str:
    return section_of(body, "metodologia")


@pytest.mark.parametrize(
    ("language", "trained", "few", "mean"),
    [
        (
            "pt",
            "Em cada leitura, cada rede foi treinada uma vez para cada semente: 4 (de 0 a 3) em "
            "`cheap`, só a 0 em `dear` e 2 (3 e 8) em `pair`. ",
            "São poucas as sementes em `dear` e `pair`; a variação de uma a outra é, ali, mal "
            "conhecida.",
            "médias ± desvios-padrão entre as sementes",
        ),
        (
            "en",
            "Under each reading, each network was trained once for each seed: 4 (0 to 3) under "
            "`cheap`, only 0 under `dear` and 2 (3 and 8) under `pair`. ",
            "The seeds are few under `dear` and `pair`; there the variation from one to another "
            "is poorly known.",
            "means ± standard deviations between seeds",
        ),
    ],
)
def test_the_report_says_which_seeds_and_how_often_by_reading(
    language: str, trained: str, few: str, mean: str
) -> None:
    body = body_of(article_text(language, **TWO))
    assert trained in body
    assert few in body
    captions = [line for line in body.splitlines() if "{#tbl-comparativo" in line]
    assert [mean in caption for caption in captions] == [True, False, True]


def test_runs_that_are_missing_are_counted_against_those_of_their_reading() -> None:
    body = article_of(**TWO | {"missing": ("cheap/resnet18/seed-1",)})
    assert "(A média é de 3 das 4 execuções previstas.)" in body
