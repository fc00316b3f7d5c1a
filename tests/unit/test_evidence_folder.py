"""The folder of the evidence: its files, and where those of a partial study go."""

from pathlib import Path

import pytest
from synthetic import make_study

from resnet_sizes.cli.evidence import evidence
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.evidence.values import Values
from resnet_sizes.schemas.evidence.verdicts import Verdicts


def test_the_evidence_is_complete_and_the_same_every_time(tmp_path: Path) -> None:
    study = make_study(tmp_path, epochs=3, full=False)
    folder = study.parent / "evidence"
    evidence(study)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    evidence(study)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert set(first) == {
        "table.csv",
        "audit.json",
        "values.json",
        "figures.json",
        "verdicts.json",
    }
    verdicts = read_record(folder / "verdicts.json", Verdicts, "")
    assert {run.state for run in verdicts.runs} == {"finished"}


def test_partial_evidence_goes_to_a_folder_of_its_own(tmp_path: Path) -> None:
    study = make_study(tmp_path, epochs=2, full=False, missing=["scratch-32/resnet50/seed-2"])
    with pytest.raises(UserError, match="resnet50/seed-2: missing"):
        evidence(study)
    assert not (study.parent / "evidence").exists()
    evidence(study, partial=True)
    folder = study.parent / "partial" / "evidence"
    verdicts = read_record(folder / "verdicts.json", Verdicts, "")
    assert [r.run for r in verdicts.runs if r.state == "missing"] == ["scratch-32/resnet50/seed-2"]
    values = read_record(folder / "values.json", Values, "").values
    assert values["verdict.total.count"].sources[0].file == "partial/evidence/verdicts.json"
