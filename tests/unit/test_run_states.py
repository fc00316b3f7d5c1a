"""Runs that are not used are named one by one, with the kind of what is wrong."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import make_study
from typer.testing import CliRunner

from resnet_sizes.cli.app import app
from resnet_sizes.records.layout import RunFolder
from resnet_sizes.records.tensor_file import read_predictions, write_predictions

RUN, OTHER = "scratch-32/resnet50/seed-1", "scratch-32/resnet50/seed-0"


def edited(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def truncate_metrics(files: RunFolder) -> None:
    files.metrics.write_bytes(files.metrics.read_bytes()[:500])


def truncate_predictions(files: RunFolder) -> None:
    files.predictions.write_bytes(files.predictions.read_bytes()[:-100])


def other_schema(files: RunFolder) -> None:
    edited(files.metrics, schema_version=2)


def other_configuration(files: RunFolder) -> None:
    edited(files.run, batch_size=64)


def other_data(files: RunFolder) -> None:
    metrics = json.loads(files.metrics.read_text())
    from resnet_sizes.records.base import content_hash
    from resnet_sizes.records.run import RunFile

    run = RunFile.model_validate(metrics["run"] | {"dataset_identity": "f" * 64})
    edited(files.run, dataset_identity="f" * 64)
    edited(
        files.metrics,
        run=run.model_dump(mode="json"),
        run_hash=content_hash(run),
        dataset_identity="f" * 64,
    )


def other_labels(files: RunFolder) -> None:
    logits, labels = read_predictions(files.predictions)
    turned = (labels + 1) % logits.shape[1]
    # As accurate as before, on images with other labels.
    write_predictions(files.predictions, np.roll(logits, 1, axis=1), turned)


def inconsistent(files: RunFolder) -> None:
    logits, labels = read_predictions(files.predictions)
    write_predictions(files.predictions, -logits, labels)


@pytest.mark.parametrize(
    ("break_it", "kind", "words"),
    [
        (truncate_metrics, "truncated", "is not complete JSON"),
        (truncate_predictions, "truncated", "is damaged"),
        (other_schema, "other-schema", "schema_version: found 2"),
        (other_configuration, "other-configuration", "belongs to another run"),
        (other_data, "other-data", "was made from other data"),
        (other_labels, "other-data", "its labels are not those"),
        (inconsistent, "inconsistent", "gives an accuracy of"),
    ],
)
def test_what_is_wrong_with_a_run_is_said_and_the_run_left_out(
    tmp_path: Path, break_it: Callable[[RunFolder], None], kind: str, words: str
) -> None:
    study = make_study(tmp_path, epochs=3)
    break_it(RunFolder(study.parent / "runs" / RUN))
    refused = CliRunner().invoke(app, ["evidence", str(study)])
    assert refused.exit_code != 0
    assert f"{RUN}: invalid ({kind})" in str(refused.exception)
    accepted = CliRunner().invoke(app, ["evidence", "--partial", str(study)])
    assert accepted.exit_code == 0, accepted.output
    folder = study.parent / "partial" / "evidence"
    [state] = [
        run
        for run in json.loads((folder / "verdicts.json").read_text())["runs"]
        if run["state"] != "finished"
    ]
    assert (state["run"], state["state"], state["kind"]) == (RUN, "invalid", kind)
    assert words in state["problem"]
    values = json.loads((folder / "values.json").read_text())["values"]
    assert values["scratch-32.resnet50.runs"]["value"] == 2
    files = {
        source["file"]
        for value in values.values()
        for source in value["sources"]
        if source["file"].startswith("runs/")
    }
    assert files
    assert not [file for file in files if RUN in file]


def test_a_copy_is_no_second_seed(tmp_path: Path) -> None:
    study = make_study(tmp_path, epochs=3)
    runs = study.parent / "runs"
    shutil.copy(runs / OTHER / "predictions.safetensors", runs / RUN)
    refused = CliRunner().invoke(app, ["evidence", str(study)])
    message = str(refused.exception)
    # Which one is the original cannot be told.
    assert f"{RUN}: invalid (duplicated)" in message
    assert f"{OTHER}: invalid (duplicated)" in message
    assert f"bit for bit, as {OTHER}" in message


def test_equal_readings_of_one_seed_are_no_copies(tmp_path: Path) -> None:
    study = make_study(tmp_path, epochs=3, protocols=["one", "two"])
    assert CliRunner().invoke(app, ["evidence", str(study)]).exit_code == 0


def test_a_run_that_began_and_did_not_end_has_failed(tmp_path: Path) -> None:
    study = make_study(tmp_path, epochs=3, missing=[RUN, OTHER])
    log = RunFolder(study.parent / "runs" / RUN).log
    log.write_text('{"epoch": 1, "train_loss": 2.1}\n{"epoch": 2, "train_loss": 1.9}\n{"epo')
    refused = CliRunner().invoke(app, ["evidence", str(study)])
    message = str(refused.exception)
    assert f"{RUN}: failed: {log}: tells of epoch 2 of 3" in message
    assert f"{OTHER}: missing" in message
    assert "2 of 9 runs cannot be used" in message


def test_results_that_the_study_does_not_ask_for_are_named_and_not_used(tmp_path: Path) -> None:
    study = make_study(tmp_path, epochs=3)
    runs = study.parent / "runs"
    shutil.copytree(runs / RUN, runs / "scratch-32/resnet50/seed-9")
    assert CliRunner().invoke(app, ["evidence", str(study)]).exit_code == 0
    verdicts = json.loads((study.parent / "evidence" / "verdicts.json").read_text())
    assert verdicts["strangers"] == ["scratch-32/resnet50/seed-9"]
    values = json.loads((study.parent / "evidence" / "values.json").read_text())["values"]
    assert values["scratch-32.resnet50.runs"]["value"] == 3
