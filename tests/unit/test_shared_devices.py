"""Times of runs that did not have their device to themselves: kept, marked, and said to be so."""

import json
from pathlib import Path

import pytest
from report_prose import section_of
from report_studies import CACHED, SHARED, article_of, table_row
from synthetic import make_study

from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.schemas.paths import StudyFolder

NOTE = "† Em dispositivo compartilhado."
ALONE = {key: value for key, value in SHARED.items() if key != "shared"}


@pytest.fixture(scope="module")
def shared() -> str:
    return article_of(**SHARED)


def test_times_of_shared_devices_are_marked_in_each_table_with_a_note_below(shared: str) -> None:
    first, second = section_of(shared, "resultados"), section_of(shared, "leitura-2")
    assert "| ResNet-50 | 83,55% ± 0,00 | 50 | 112\\*† ± 0,0 |" in first
    verdicts = section_of(shared, "afirmacoes").split("{#mudancas}")[0]
    assert table_row(verdicts, "T6")[4] == "112\\*†"
    assert "| ResNet-50 | 2,2 | 4,4† | 112† |" in section_of(shared, "detalhes")
    assert "| ResNet-18 | 80,84% ± 0,00 | 18 | 41† ± 0,0 |" in second
    blocks = shared.split("\n\n")
    for table, note in {
        "#tbl-artigo}": NOTE,
        "#tbl-tempos}": NOTE,
        "#tbl-custo}": NOTE,
        "#tbl-leituras}": NOTE,
        "#tbl-comparativo}": "† Em parte do treinamento, algo mais rodou no mesmo dispositivo "
        "(ResNet-50: 1 de 3 execuções)",
        "#tbl-comparativo-2}": "(ResNet-18: 1 de 3 execuções)",
    }.items():
        (position,) = [n for n, block in enumerate(blocks) if table in block]
        assert any(note in block for block in blocks[position + 1 : position + 4]), table


def test_what_rests_on_such_times_says_so(shared: str) -> None:
    judged = shared[shared.index("{#afirmacoes}") : shared.index("{#mudancas}")]
    assert "parte dos minutos foi medida em dispositivo compartilhado" in table_row(judged, "S2")[3]
    assert "compartilhado" not in table_row(judged, "S1")[3]
    assert "entram minutos medidos em dispositivo compartilhado" in shared
    assert "- Algumas execuções não tiveram o dispositivo só para si" in shared


def test_a_study_whose_runs_were_alone_has_neither_mark_nor_limit() -> None:
    body = article_of(**CACHED)
    assert "†" not in body
    assert "dispositivo só para si" not in body


def test_such_times_are_judged_as_others_are(tmp_path: Path) -> None:
    def verdicts(folder: Path, **settings: object) -> list[str]:
        study = make_study(folder, **settings)
        found = build_evidence(study, StudyFolder.of_file(study).evidence, allow_partial=True)
        return [verdict.verdict for verdict in found.verdicts]

    assert verdicts(tmp_path / "shared", **SHARED) == verdicts(tmp_path / "alone", **ALONE)


def test_the_run_behind_a_value_says_what_was_on_its_device(tmp_path: Path) -> None:
    study = make_study(tmp_path, **SHARED)
    folder = StudyFolder.of_file(study).evidence
    build_evidence(study, folder, allow_partial=True)
    values = json.loads((folder / "values.json").read_text(encoding="utf-8"))
    others = {
        run["protocol"] + "/" + run["model"]: run["others"]
        for run in values["runs"].values()
        if run["others"]
    }
    assert others == {"probe-224/resnet50": ["train"], "scratch-32/resnet18": ["train"]}
    assert values["values"]["scratch-32.resnet18.shared_runs"]["value"] == 1
