"""Evidence that was cut off, changed or mixed: no report is made from it."""

import random
import shutil
from pathlib import Path

import pytest
from faulty_disks import Command, files_of
from report_studies import DEMO, study_with_evidence
from synthetic import make_study

from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.inputs import Inputs, read_inputs

REPOSITORY = Path(__file__).parents[2]
FILES = ["table.csv", "audit.json", "values.json", "figures.json", "verdicts.json"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study and its evidence."""
    folder = tmp_path_factory.mktemp("whole")
    study_with_evidence(folder, **DEMO)
    return folder


@pytest.fixture
def study(whole: Path, tmp_path: Path) -> Path:
    """The study's file in a copy of it."""
    shutil.copytree(whole / "results", tmp_path / "results")
    return tmp_path / "results" / "demo" / "study.json"


def found_in(study: Path) -> Inputs | UserError:
    """What a report would be made from; or the error that a person is told."""
    try:
        return read_inputs(study, study.parent / "evidence")
    except UserError as error:
        return error


@pytest.mark.parametrize("file", FILES)
def test_no_flipped_bit_of_the_evidence_passes(study: Path, file: str) -> None:
    path = study.parent / "evidence" / file
    content, expected = path.read_bytes(), found_in(study)
    assert isinstance(expected, Inputs)
    draw = random.Random(0)
    for _ in range(60):
        place, bit = draw.randrange(len(content)), draw.randrange(8)
        damaged = bytearray(content)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        found = found_in(study)
        # Another kind of space between the verdicts says the same.
        same = file == "verdicts.json" and found == expected
        assert same or f"{file}: " in str(found), f"bit {bit} of byte {place}"
        assert same or f"resnet-sizes evidence {study}" in str(found)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("left", [0, 0.5, None])
def test_missing_and_shortened_evidence_is_named(
    study: Path, file: str, left: float | None
) -> None:
    path = study.parent / "evidence" / file
    content = path.read_bytes()
    if left is None:
        path.unlink()
    else:
        path.write_bytes(content[: int(len(content) * left)])
    assert f"{file}: " in str(found_in(study))
    assert f"resnet-sizes evidence {study}" in str(found_in(study))


def test_files_of_two_makings_are_not_mixed(study: Path, tmp_path: Path) -> None:
    """As a kill between them would leave them: new values beside the verdicts of before."""
    better = {"accuracies": {"resnet18": 0.91, "resnet50": 0.86, "resnet152": 0.62}}
    other = make_study(tmp_path / "other", **DEMO | better)
    build_evidence(other, other.parent / "evidence", allow_partial=True)
    shutil.copy2(other.parent / "evidence" / "values.json", study.parent / "evidence")
    assert "values.json: was changed, or was not written together" in str(found_in(study))


def test_a_report_stays_as_it_was_until_the_evidence_is_made_again(
    study: Path, tmp_path: Path, command: Command
) -> None:
    for name in ("config", "articles", "report"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    name = study.relative_to(tmp_path).as_posix()
    report = ("report", name, "--engine", "pandoc", "--language", "pt", "--format", "html")
    assert command(tmp_path, *report).status == 0
    made = files_of(tmp_path)
    values = study.parent / "evidence" / "values.json"
    values.write_text(values.read_text(encoding="utf-8").replace("0.9", "0.8", 1))
    changed = files_of(tmp_path)
    error = command(tmp_path, *report).error
    assert "values.json: was changed" in error
    assert files_of(tmp_path) == changed
    assert command(tmp_path, "evidence", name).status == 0
    assert command(tmp_path, *report).status == 0
    assert files_of(tmp_path) == made
