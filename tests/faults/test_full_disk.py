"""No space left, and disks that refuse: what is said, what is on the disk, and that the same
command mends it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from faulty_disks import Command, Disk, files_of
from test_stops import each_step

from child_runs import Home
from resnet_sizes.io.errors import WriteError
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.training.job import results

REPOSITORY = Path(__file__).parents[2]
STUDY = "results/offline/study.json"
AGAIN = "Free some space or fix the permissions, then run the same command again."
FULL, REFUSES = "No space left on device", "Read-only file system"


@pytest.fixture
def project(disk: Disk, command: Command) -> Path:
    """A working directory on the small disk, with a study on handwritten digits."""
    for name in ("config", "articles", "report"):
        (disk.folder / name).symlink_to(REPOSITORY / name)
    assert command(disk.folder, "study", "write", "config/offline.yaml").status == 0
    return disk.folder


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`results/` of a study with its runs and its evidence."""
    from report_studies import DEMO, study_with_evidence

    return study_with_evidence(tmp_path_factory.mktemp("study"), **DEMO).parent.parent


def reported(command: Command, folder: Path, *arguments: str) -> str:
    return command(folder, *arguments).error


def test_data_that_cannot_be_written_leave_nothing_and_are_made_once_there_is_room(
    project: Path, disk: Disk, command: Command
) -> None:
    before = files_of(project)
    disk.fill(leave=100_000)
    error = reported(command, project, "data", STUDY)
    assert error.startswith("error: results/offline/data/dataset.safetensors: cannot be written")
    assert FULL in error
    assert error.endswith(AGAIN)
    assert files_of(project) == before
    disk.make_room()
    assert command(project, "data", STUDY).status == 0


def test_data_on_a_disk_that_refuses_are_told(project: Path, disk: Disk, command: Command) -> None:
    before = files_of(project)
    with disk.read_only():
        error = reported(command, project, "data", STUDY)
    assert "dataset.safetensors: cannot be written" in error
    assert REFUSES in error
    assert files_of(project) == before


def test_a_report_and_its_evidence_are_kept_where_new_ones_cannot_be_written(
    project: Path, disk: Disk, command: Command, synthetic: Path
) -> None:
    shutil.copytree(synthetic / "demo", project / "results" / "demo")
    study = "results/demo/study.json"
    report = ("report", study, "--engine", "pandoc", "--language", "pt", "--format", "html")
    evidence = project / "results/demo/evidence"
    kept = evidence.rename(disk.folder / "kept")
    disk.fill(leave=0)
    error = reported(command, project, "evidence", study)
    assert error.startswith("error: results/demo/evidence/")
    assert FULL in error
    assert not list(evidence.glob("*"))
    disk.make_room()
    evidence.rmdir()
    kept.rename(evidence)

    disk.fill(leave=600_000)  # pandoc finds the disk full
    error = reported(command, project, *report)
    assert error == f"error: results/demo/report/pt: cannot be written ({FULL}). {AGAIN}"
    assert not list((project / "results/demo/report").rglob("*.*"))
    disk.make_room()
    assert command(project, *report).status == 0
    made = files_of(project)
    assert made["results/demo/report/pt/report.html"]
    with disk.read_only():
        assert REFUSES in reported(command, project, "evidence", study)
        assert REFUSES in reported(command, project, *report)
    assert files_of(project) == made


# From too little for what is rendered from, over what pandoc makes of it, to all but the copies.
@pytest.mark.parametrize(
    "leave",
    [
        0,
        *(pytest.param(some, marks=pytest.mark.long) for some in (1_200_000, 1_700_000)),
        2_000_000,
    ],
)
def test_no_file_of_a_report_is_replaced_where_one_finds_no_room(
    disk: Disk, synthetic: Path, leave: int
) -> None:
    from rendering import render

    study = synthetic / "demo" / "study.json"
    output = disk.folder / "pt"
    output.mkdir()
    for name in ("article.qmd", "figure-loss.svg", "report.json", "report.pdf", "report.html"):
        (output / name).write_text("old", encoding="utf-8")
    before = files_of(disk.folder)
    disk.fill(leave)
    with pytest.raises(WriteError, match=FULL) as caught:
        render(study, output)
    assert str(caught.value).endswith(AGAIN)
    assert files_of(disk.folder) == before
    assert {path.name for path in disk.folder.iterdir()} == {"pt", "filler"}


def on_disk(disk: Disk, folder: Path) -> None:
    """Let a folder lie on the small disk."""
    shutil.copytree(folder, disk.folder / folder.name)
    shutil.rmtree(folder)
    folder.symlink_to(disk.folder / folder.name)


def test_checkpoints_and_features_that_cannot_be_written_stop_no_run(
    home: Home, whole: Home, disk: Disk
) -> None:
    on_disk(disk, home.work)
    shutil.rmtree(home.work / "features")
    disk.fill(leave=0)
    home.finish("--checkpoint-minutes", "0")
    assert f"cannot be written ({FULL})" in home.said()
    assert "The run goes on meanwhile" in home.said()
    assert "The next run computes it again" in home.said()
    assert home.result() == whole.result()
    assert [path.name for path in home.work.rglob("*.safetensors")] == []


def test_a_checkpoint_folder_that_refuses_stops_no_run(home: Home, whole: Home, disk: Disk) -> None:
    on_disk(disk, home.work)
    with disk.read_only():
        home.finish("--checkpoint-minutes", "0")
    assert "cannot be locked" in home.said()
    assert "cannot be written (Read-only file system)" in home.said()
    assert home.result() == whole.result()


def run_full(disk: Disk) -> None:
    disk.fill(leave=0)


def run_full_with_the_predictions(disk: Disk) -> None:
    write = results.write_predictions

    def last_write(*arguments: object) -> None:
        write(*arguments)
        disk.fill(leave=0)

    results.write_predictions = last_write


def refuse(disk: Disk) -> None:
    disk.remount("ro")


@pytest.mark.parametrize(
    ("fault", "told", "file"),
    [
        (run_full, FULL, "predictions.safetensors"),
        (run_full_with_the_predictions, FULL, "metrics.json"),
        (refuse, REFUSES, "metrics.json"),
    ],
)
def test_results_that_cannot_be_written_are_written_later_without_training_again(
    home: Home, whole: Home, disk: Disk, fault: Callable[[Disk], None], told: str, file: str
) -> None:
    on_disk(disk, home.files.folder)
    before = files_of(disk.folder)
    process = home.fork(before=each_step(lambda number: fault(disk) if number == 8 else None))
    process.join()
    assert process.exitcode == 1
    said = home.said()
    assert f"error: run/{file}: cannot be written ({told})" in said
    assert said.strip().endswith(AGAIN)
    assert "Traceback" not in said
    if told == REFUSES:
        assert "warning: run/log.jsonl: cannot be written" in said
    disk.remount("rw")
    (disk.folder / "filler").unlink(missing_ok=True)
    after = files_of(disk.folder)
    made = {"run/log.jsonl"}
    if fault is run_full_with_the_predictions:
        made.add("run/predictions.safetensors")
    assert set(after) == {*before, *made}

    def no_step(number: int) -> None:
        raise AssertionError(f"step {number} is made again")

    process = home.fork(before=each_step(no_step))
    process.join()
    assert process.exitcode == 0, home.said()
    assert home.result() == whole.result()
    assert home.metrics().resumed == 1
    assert not (home.work / content_hash(home.run)).exists()


def test_results_that_are_refused_are_told_before_any_training(home: Home, disk: Disk) -> None:
    on_disk(disk, home.files.folder)
    before = files_of(disk.folder)
    with disk.read_only():
        process = home.fork(before=each_step(lambda number: None))
        process.join()
    assert process.exitcode == 1
    assert f"error: run/log.jsonl: cannot be written ({REFUSES}). {AGAIN}" in home.said()
    assert "epoch 1/" not in home.said()
    assert files_of(disk.folder) == before
