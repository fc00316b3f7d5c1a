"""Files that were cut off or changed on the disk: no later stage takes them for good."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from faulty_disks import Command, files_of
from report_studies import DEMO
from synthetic import make_study

from child_runs import Home
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.tensors import DatasetInfo, read_dataset, read_predictions

Damage = Callable[[Path], None]


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


DAMAGES = [truncate, flip_a_bit, empty]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A run with its results."""
    home = Home.of_probe(tmp_path_factory.mktemp("finished"), epochs=2)
    home.finish()
    return home


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_dataset_trains_nothing(finished: Home, tmp_path: Path, damage: Damage) -> None:
    home = finished.not_begun(tmp_path)
    damage(home.dataset)
    process = home.fork()
    process.join()
    assert process.exitcode == 1
    assert "error: data/dataset.safetensors: " in home.said()
    assert "Delete the file, if it is there, and run snakemake again" in home.said()
    assert "Traceback" not in home.said()
    assert [path.name for path in home.files.folder.iterdir()] == ["run.json"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_weights_train_nothing(finished: Home, tmp_path: Path, damage: Damage) -> None:
    home = finished.not_begun(tmp_path / "home")
    assert home.weights is not None
    own = tmp_path / "own.pth"
    shutil.copy2(home.weights.path, own)
    damage(own)
    described = json.loads((home.folder / "weights.json").read_text())
    (home.folder / "weights.json").write_text(json.dumps(described | {"path": str(own)}))
    process = home.fork()
    process.join()
    assert process.exitcode == 1
    assert f"error: {own}: " in home.said()
    assert "Traceback" not in home.said()
    assert [path.name for path in home.files.folder.iterdir()] == ["run.json"]


@pytest.mark.parametrize("file", ["metrics.json", "predictions.safetensors"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_results_make_no_evidence_and_are_named(
    tmp_path: Path, command: Command, damage: Damage, file: str
) -> None:
    study = make_study(tmp_path, **DEMO)
    path = study.parent / "runs/scratch-32/resnet50/seed-0" / file
    if file.startswith("metrics"):
        sealed = Metrics.model_validate_json(path.read_text()).sealed()
        path.write_text(sealed.model_dump_json(indent=2))
    else:
        metrics = path.with_name("metrics.json")
        told = Metrics.model_validate_json(metrics.read_text())
        metrics.write_text(told.model_copy(update=of_predictions(path)).model_dump_json())
    assert command(tmp_path, "evidence", "results/demo/study.json").status == 0
    shutil.rmtree(study.parent / "evidence")
    before = files_of(tmp_path)
    damage(path)
    error = command(tmp_path, "evidence", "results/demo/study.json").error
    assert f"{path.relative_to(tmp_path)}: " in error
    assert "run snakemake again" in error
    assert set(files_of(tmp_path)) == set(before)


def of_predictions(path: Path) -> dict[str, str]:
    from resnet_sizes.schemas.run.tensors import predictions_hash

    return {"predictions_sha256": predictions_hash(*read_predictions(path))}


def test_no_flipped_bit_of_a_run_s_results_or_data_passes(finished: Home, tmp_path: Path) -> None:
    home = finished.copy_to(tmp_path)
    sha256 = home.metrics().predictions_sha256
    assert sha256 is not None
    header = 8 + int.from_bytes(home.dataset.read_bytes()[:8], "little")
    readers: list[tuple[Path, Callable[[Path], object], int, int | None]] = [
        (home.files.metrics, lambda path: read_record(path, Metrics, "Delete it."), 400, None),
        (home.files.predictions, lambda path: read_predictions(path, sha256), 400, None),
        (home.dataset, read_dataset, 200, None),
        (home.dataset, read_dataset, 400, header),  # names of classes and counts
    ]
    draw = random.Random(0)
    for path, read, count, end in readers:
        content = path.read_bytes()
        expected = read(path)
        for _ in range(count):
            place, bit = draw.randrange(end or len(content)), draw.randrange(8)
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            path.write_bytes(damaged)
            found = read_or_error(read, path)
            # What says the same in other bytes, such as another kind of space, is no damage.
            same = isinstance(found, Metrics) and found == expected
            assert same or str(path) in str(found), f"{path.name}: bit {bit} of byte {place}"
        path.write_bytes(content)


def test_a_changed_description_of_the_data_or_study_is_refused(
    tmp_path: Path, command: Command
) -> None:
    study = make_study(tmp_path, **DEMO)
    data = study.parent / "data" / "dataset.json"
    info = DatasetInfo.model_validate_json(data.read_text()).sealed()
    data.write_text(info.model_dump_json())
    assert read_record(data, DatasetInfo, "Delete it.") == info
    data.write_text(data.read_text().replace("class-3", "class-7"))
    error = command(tmp_path, "evidence", "results/demo/study.json").error
    assert "dataset.json: is not a valid DatasetInfo" in error
    assert "checksum: is not that of the rest: the file has been changed" in error
    written = study.read_text()
    study.write_text(written.replace('"learning_rate": 0.', '"learning_rate": 1.'))
    assert study.read_text() != written
    error = command(tmp_path, "evidence", "results/demo/study.json").error
    assert "study_hash: is not that of the study: the file has been changed" in error


def read_or_error(read: Callable[[Path], object], path: Path) -> object:
    """What is read; or the error that a person is told."""
    try:
        return read(path)
    except UserError as error:
        return error
