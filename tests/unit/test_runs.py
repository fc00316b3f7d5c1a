"""Reading a study's runs: what is used, what is named instead."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import ARTICLE_LOSSES, make_study
from synthetic_runs import write_run

from resnet_sizes.evidence.runs.read import StudyRuns, read_runs
from resnet_sizes.evidence.runs.validate import predicted_classes
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.paths import RunFolder, StudyFolder
from resnet_sizes.schemas.run.run import RunFile, StudyFile
from resnet_sizes.schemas.run.tensors import DatasetInfo, read_predictions, write_predictions

RUN = "scratch-32/resnet50/seed-1"


def read(study: Path, allow_partial: bool = False) -> StudyRuns:
    file = read_record(study, StudyFile, "")
    return read_runs(file, StudyFolder.of_file(study), allow_partial)


def small_study(folder: Path, **choices: Any) -> Path:
    return make_study(folder, **{"full": False, "epochs": 3, "seeds": (0, 1)} | choices)


def run_folder(study: Path, run: str = RUN) -> RunFolder:
    return RunFolder(study.parent / "runs" / run)


def change_json(path: Path, change: Callable[[Any], object]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def problem(study: Path) -> str:
    """What is said of RUN, which must be the only run that is left out."""
    runs = read(study, allow_partial=True)
    [state] = [state for state in runs.states if state.state != "finished"]
    assert (state.run, state.state) == (RUN, "invalid")
    assert len(runs.finished) == len(runs.states) - 1
    assert state.problem is not None
    with pytest.raises(UserError) as caught:
        read(study)
    assert f"{RUN}: invalid ({state.kind}): {state.problem}" in str(caught.value)
    return state.problem


def test_all_runs_of_a_study_in_order_are_used(tmp_path: Path) -> None:
    runs = read(small_study(tmp_path))
    assert [state.state for state in runs.states] == ["finished"] * 6
    [first, second] = runs.of("scratch-32", "resnet50")
    assert (first.settings.seed, second.settings.seed) == (0, 1)
    assert first.file == "runs/scratch-32/resnet50/seed-0/metrics.json"


def test_a_missing_run_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    study = small_study(tmp_path, missing=[RUN])
    with pytest.raises(UserError) as caught:
        read(study)
    message = str(caught.value)
    assert "1 of 6 runs cannot be used" in message
    assert f"{RUN}: missing" in message
    assert "run snakemake again" in message
    assert f"resnet-sizes report --partial {study}" in message


def test_a_missing_run_is_named_where_partial_results_are_allowed(tmp_path: Path) -> None:
    runs = read(small_study(tmp_path, missing=[RUN]), allow_partial=True)
    assert [s.run for s in runs.states if s.state == "missing"] == [RUN]
    assert len(runs.finished) == 5
    assert [s.run for s in runs.unfinished("scratch-32", ["resnet50"])] == [RUN]
    assert not runs.unfinished("scratch-32", ["resnet18", "resnet152"])


@pytest.mark.parametrize("allow_partial", [False, True])
def test_a_study_with_no_runs_is_an_error(tmp_path: Path, allow_partial: bool) -> None:
    study = small_study(
        tmp_path, models=["resnet18"], seeds=[0], missing=["scratch-32/resnet18/seed-0"]
    )
    with pytest.raises(UserError, match=r"no run of this study is finished \(1 asked for\)"):
        read(study, allow_partial)


def test_truncated_metrics_are_named(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    path = run_folder(study).metrics
    path.write_text(path.read_text()[:500])
    assert f"{path}: is not complete JSON" in problem(study)


def test_metrics_of_another_schema_version_are_named(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    change_json(run_folder(study).metrics, lambda data: data.update(schema_version=2))
    assert "was made by a newer version of resnet-sizes" in problem(study)


def test_a_run_file_that_changed_after_the_training_is_named(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    change_json(run_folder(study).run, lambda data: data.update(seed=7))
    assert "belongs to another run than run.json" in problem(study)


def test_results_copied_from_another_run_are_named(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    other = run_folder(study, "scratch-32/resnet50/seed-0")
    for name in ("metrics.json", "predictions.safetensors"):
        (run_folder(study).folder / name).write_bytes((other.folder / name).read_bytes())
    runs = read(study, allow_partial=True)
    [copy] = [state for state in runs.states if state.state != "finished"]
    assert (copy.run, copy.kind) == (RUN, "other-configuration")
    assert "another run than run.json beside it: scratch-32/resnet50/seed-0 " in str(copy.problem)


def test_a_run_hash_that_is_not_its_runs_is_named(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    change_json(run_folder(study).metrics, lambda data: data.update(run_hash="0" * 64))
    assert "run_hash: is not the hash of the run" in problem(study)


def test_a_run_with_other_settings_than_the_study_asks_is_named(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    files = run_folder(study)
    change_json(files.run, lambda data: data.update(learning_rate=0.1))
    run = read_record(files.run, RunFile, "")
    info = read_record(StudyFolder.of_file(study).dataset_info, DatasetInfo, "")
    write_run(files, run, info, accuracy=0.8, minutes=1, losses=ARTICLE_LOSSES["resnet50"])
    assert "differs in learning_rate (0.1; the study has 0.0005)" in problem(study)


def test_a_run_on_other_data_is_named(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    files = run_folder(study)

    def other_data(data: Any) -> None:
        run = data.get("run", data)
        run["dataset_identity"] = "9" * 64
        if run is not data:
            data["dataset_identity"] = "9" * 64
            data["run_hash"] = content_hash(run)

    change_json(files.run, other_data)
    change_json(files.metrics, other_data)
    assert "was made from other data (999999999999…" in problem(study)


def test_a_run_that_stopped_before_its_last_epoch_is_named(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    change_json(run_folder(study).metrics, lambda data: data["epochs"].pop())
    assert "holds 2 epochs, but the run has 3" in problem(study)


@pytest.mark.parametrize("text", ["NaN", "Infinity"])
def test_a_loss_that_is_not_finite_is_named(tmp_path: Path, text: str) -> None:
    study = small_study(tmp_path)
    path = run_folder(study).metrics
    loss = f'"train_loss": {ARTICLE_LOSSES["resnet50"][1]}'
    assert loss in path.read_text()
    path.write_text(path.read_text().replace(loss, f'"train_loss": {text}'))
    assert "epochs[2].train_loss" in problem(study)


def test_predictions_that_give_another_accuracy_are_named(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    path = run_folder(study).predictions
    logits, labels = read_predictions(path)
    logits[0] = -logits[0]  # one image of 1,000
    write_predictions(path, logits, labels)
    found = problem(study)
    assert "gives an accuracy of 0.8350" in found
    assert "final_test_accuracy of 0.8360" in found


def test_predictions_of_another_size_are_named(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    path = run_folder(study).predictions
    logits, labels = read_predictions(path)
    write_predictions(path, logits[:500], labels[:500])
    assert "logits has shape [500, 10]; the dataset has 1000 test images" in problem(study)


def test_missing_predictions_are_named(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    run_folder(study).predictions.unlink()
    assert "predictions.safetensors: no such file" in problem(study)


def test_a_missing_run_file_is_named(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    run_folder(study).run.unlink()
    assert "run.json: no such file" in problem(study)


def test_a_dataset_record_of_another_dataset_is_refused(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    path = StudyFolder.of_file(study).dataset_info
    change_json(path, lambda data: data["spec"]["limit"].update(train=77))
    with pytest.raises(UserError, match="was made for another `dataset:`"):
        read(study, allow_partial=True)


def test_a_missing_dataset_record_is_refused(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    StudyFolder.of_file(study).dataset_info.unlink()
    with pytest.raises(UserError, match=r"dataset\.json: no such file.*resnet-sizes data"):
        read(study, allow_partial=True)


def test_ties_for_the_largest_logit_may_count_either_way() -> None:
    logits = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]], dtype=np.float32)
    predicted, fewest, most = predicted_classes(logits, np.zeros(4, dtype=np.int64))
    assert predicted.tolist() == [0, 0, 1, 2]
    assert (fewest, most) == (1, 2)
    # Of equal logits the first counts, here not that of the true class.
    predicted, fewest, most = predicted_classes(logits, np.ones(4, dtype=np.int64))
    assert predicted.tolist() == [0, 0, 1, 2]
    assert (fewest, most) == (0, 2)


def test_which_images_a_run_has_right_is_what_its_largest_logits_say(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    logits = generator.integers(0, 4, (500, 10)).astype(np.float32)  # many ties
    labels = generator.integers(0, 10, 500)
    predicted, fewest, most = predicted_classes(logits, labels)
    assert fewest < np.count_nonzero(predicted == labels) < most
    for run in read(small_study(tmp_path)).finished:
        assert run.correct.shape == (1000,)
        assert np.mean(run.correct) == run.metrics.final_test_accuracy
