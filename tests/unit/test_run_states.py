"""Runs that are not used are named one by one, with the kind of what is wrong."""

import json
import re
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import yaml
from report_studies import TEMPLATES, rendered
from safetensors.numpy import save_file
from synthetic import make_study
from typer.testing import CliRunner

from resnet_sizes.cli.app import app
from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.evidence.runs.validate import last_epoch
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.schemas.evidence.verdicts import State
from resnet_sizes.schemas.paths import RunFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import Problem
from resnet_sizes.schemas.run.tensors import read_predictions, write_predictions

RUN, OTHER = "scratch-32/resnet50/seed-1", "scratch-32/resnet50/seed-0"


BOTH = sorted([RUN, OTHER])


def edited(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def truncate_metrics(files: RunFolder) -> None:
    files.metrics.write_bytes(files.metrics.read_bytes()[:500])


def nest_without_end(files: RunFolder) -> None:
    files.metrics.write_text("[" * 100_000)


def grow_without_end(files: RunFolder) -> None:
    with files.metrics.open("ab") as file:
        file.truncate(2**40)  # a hole: it takes no room, but would fill the memory


def lose_the_last_epoch(files: RunFolder) -> None:
    edited(files.metrics, epochs=json.loads(files.metrics.read_text())["epochs"][:-1])


def lose_the_predictions(files: RunFolder) -> None:
    files.predictions.unlink()


def diverged(files: RunFolder) -> None:
    logits, labels = read_predictions(files.predictions)
    logits[3] = np.inf
    save_file({"logits": logits, "labels": labels}, files.predictions)


def diverged_in_the_metrics(files: RunFolder) -> None:
    text = files.metrics.read_text()
    files.metrics.write_text(re.sub(r'("train_loss": )[0-9.]+', r"\1NaN", text, count=1))


def no_record(files: RunFolder) -> None:
    files.metrics.write_text("[]")


def impossible_accuracy(files: RunFolder) -> None:
    edited(files.metrics, best_test_accuracy=1.5)


def changed_number(files: RunFolder) -> None:
    whole = Metrics.model_validate_json(files.metrics.read_text()).sealed()
    changed = whole.model_copy(update={"peak_memory_bytes": whole.peak_memory_bytes + 1})
    files.metrics.write_text(changed.model_dump_json())


def other_tensors(files: RunFolder) -> None:
    logits, _ = read_predictions(files.predictions)
    save_file({"scores": logits}, files.predictions)


def labels_of_no_class(files: RunFolder) -> None:
    logits, labels = read_predictions(files.predictions)
    save_file({"logits": logits, "labels": labels + 100}, files.predictions)


def other_shape(files: RunFolder) -> None:
    logits, labels = read_predictions(files.predictions)
    write_predictions(files.predictions, logits[:500], labels[:500])


def other_schema_of_the_run_file(files: RunFolder) -> None:
    edited(files.run, schema_version=2)


def truncate_predictions(files: RunFolder) -> None:
    files.predictions.write_bytes(files.predictions.read_bytes()[:-100])


def other_schema(files: RunFolder) -> None:
    edited(files.metrics, schema_version=2)


def other_configuration(files: RunFolder) -> None:
    edited(files.run, batch_size=64)


def other_data(files: RunFolder) -> None:
    metrics = json.loads(files.metrics.read_text())
    from resnet_sizes.io.hashes import content_hash
    from resnet_sizes.schemas.run.run import RunFile

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
        (nest_without_end, "truncated", "is not complete JSON"),
        (grow_without_end, "truncated", "has more than 16777216 bytes"),
        (lose_the_last_epoch, "truncated", "holds 2 epochs, but the run has 3"),
        (truncate_predictions, "truncated", "is damaged"),
        (lose_the_predictions, "truncated", "no such file"),
        (diverged, "not-finite", "logits of 1 of 10000 images are not finite"),
        (diverged_in_the_metrics, "not-finite", "train_loss: found nan"),
        (no_record, "out-of-schema", "is not a valid Metrics"),
        (impossible_accuracy, "out-of-schema", "best_test_accuracy: found 1.5"),
        (other_tensors, "out-of-schema", "holds scores"),
        (labels_of_no_class, "out-of-schema", "labels"),
        (changed_number, "inconsistent", "checksum: is not that of the rest"),
        (other_shape, "inconsistent", "logits has shape [500, 10]"),
        (other_schema_of_the_run_file, "other-schema", "was made by a newer version"),
        (other_schema, "other-schema", "was made by a newer version"),
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


def states_of(study: Path) -> dict[str, dict[str, Any]]:
    """Of the runs that a partial evidence leaves out."""
    assert CliRunner().invoke(app, ["evidence", "--partial", str(study)]).exit_code == 0
    verdicts = json.loads((study.parent / "partial" / "evidence" / "verdicts.json").read_text())
    return {run["run"]: run for run in verdicts["runs"] if run["state"] != "finished"}


def test_both_of_two_copies_are_left_out_of_every_number(tmp_path: Path) -> None:
    study = make_study(tmp_path, epochs=3)
    runs = study.parent / "runs"
    shutil.copy(runs / OTHER / "predictions.safetensors", runs / RUN)
    left_out = states_of(study)
    assert sorted(left_out) == BOTH
    assert {run["kind"] for run in left_out.values()} == {"duplicated"}
    values = json.loads((study.parent / "partial/evidence/values.json").read_text())["values"]
    assert values["scratch-32.resnet50.runs"]["value"] == 1


def test_a_copied_folder_is_no_second_seed_and_its_original_is_used(tmp_path: Path) -> None:
    study = make_study(tmp_path, epochs=3)
    runs = study.parent / "runs"
    shutil.copytree(runs / OTHER, runs / RUN, dirs_exist_ok=True)
    (copy,) = states_of(study).values()
    assert (copy["run"], copy["kind"]) == (RUN, "other-configuration")
    seeds = [name.rpartition("-")[2] for name in (RUN, OTHER)]
    assert "differs in seed ({1}; the study has {0})".format(*seeds) in copy["problem"]


def test_predictions_of_another_network_are_a_copy(tmp_path: Path) -> None:
    accuracies = dict.fromkeys(("resnet18", "resnet50", "resnet152"), 0.8)
    study = make_study(tmp_path, epochs=3, accuracies=accuracies)
    runs, other = study.parent / "runs", "scratch-32/resnet18/seed-1"
    shutil.copy(runs / other / "predictions.safetensors", runs / RUN)
    left_out = states_of(study)
    assert {name: run["kind"] for name, run in left_out.items()} == {
        other: "duplicated",
        RUN: "duplicated",
    }


def test_labels_that_no_majority_shares_leave_all_their_runs_out(tmp_path: Path) -> None:
    study = make_study(tmp_path, epochs=3, models=["resnet50"], seeds=[0, 1])
    other_labels(RunFolder(study.parent / "runs" / RUN))
    refused = CliRunner().invoke(app, ["evidence", "--partial", str(study)])
    assert f"{RUN}: invalid (other-data)" in str(refused.exception)
    assert f"{OTHER}: invalid (other-data)" in str(refused.exception)
    assert "(1 of 2 have them; needed: more than half)" in str(refused.exception)


def test_equal_readings_of_one_seed_are_no_copies(tmp_path: Path) -> None:
    study = make_study(tmp_path, epochs=3, protocols=["one", "two"])
    runs = study.parent / "runs"
    for run in ("resnet18/seed-0", "resnet50/seed-1"):
        shutil.copy(runs / "one" / run / "predictions.safetensors", runs / "two" / run)
    assert CliRunner().invoke(app, ["evidence", str(study)]).exit_code == 0


def test_a_run_that_began_and_did_not_end_has_failed(tmp_path: Path) -> None:
    study = make_study(tmp_path, epochs=3, missing=[RUN, OTHER])
    log = RunFolder(study.parent / "runs" / RUN).log
    log.write_text('{"epoch": 1, "train_loss": 2.1}\n{"epoch": 2, "train_loss": 1.9}\n{"epo')
    refused = CliRunner().invoke(app, ["evidence", str(study)])
    message = str(refused.exception)
    assert f"{RUN}: not finished: {log}: tells of epoch 2 of 3" in message
    assert f"{OTHER}: missing" in message
    assert "2 of 9 runs cannot be used" in message


def test_results_that_the_study_does_not_ask_for_are_named_and_not_used(tmp_path: Path) -> None:
    study = make_study(tmp_path, epochs=3)
    runs = study.parent / "runs"
    shutil.copytree(runs / RUN, runs / "scratch-32/resnet50/seed-9")
    shutil.copytree(runs / OTHER, runs / RUN / "old")
    assert CliRunner().invoke(app, ["evidence", str(study)]).exit_code == 0
    verdicts = json.loads((study.parent / "evidence" / "verdicts.json").read_text())
    assert verdicts["unrequested"] == [f"{RUN}/old", "scratch-32/resnet50/seed-9"]
    values = json.loads((study.parent / "evidence" / "values.json").read_text())["values"]
    assert values["scratch-32.resnet50.runs"]["value"] == 3


def test_the_report_says_of_each_run_what_is_wrong_with_it(tmp_path: Path) -> None:
    study = make_study(tmp_path, epochs=3, missing=[OTHER, RUN])
    runs = study.parent / "runs"
    RunFolder(runs / RUN).log.write_text('{"epoch": 2}\n')
    truncate_metrics(RunFolder(runs / "scratch-32/resnet18/seed-0"))
    diverged_in_the_metrics(RunFolder(runs / "scratch-32/resnet18/seed-1"))
    build_evidence(study, study.parent / "evidence", allow_partial=True)
    inputs = read_inputs(study, study.parent / "evidence")
    body = rendered(inputs)
    assert "- `scratch-32/resnet18/seed-0`, que está incompleta ou danificada;\n" in body
    assert "- `scratch-32/resnet18/seed-1`, que contém números que não são finitos," in body
    assert f"- `{OTHER}`, que não foi iniciada;\n" in body
    assert f"- `{RUN}`, que foi iniciada, mas não concluída.\n\n" in body
    assert "\n\nOs motivos, arquivo por arquivo, estão em `verdicts.json`.\n" in body


@pytest.mark.parametrize("language", ["pt", "en"])
def test_the_report_has_words_for_every_state_and_kind(language: str) -> None:
    words = yaml.safe_load((TEMPLATES / language / "texts.yaml").read_text(encoding="utf-8"))
    expected = {*get_args(State), *get_args(Problem)} - {"finished", "invalid"}
    assert set(words["states"]) == expected


def test_the_last_epoch_of_a_damaged_log_is_told(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    lines = [b'{"epoch": 1}', b'{"step": 5}', b"[" * 100_000, b'{"epoch": ' + b"9" * 6000 + b"}"]
    log.write_bytes(b"\n".join([*lines, b'{"epoch": 2}', b'{"epoch": 3']))
    assert last_epoch(log) == 2
    with log.open("ab") as file:
        file.truncate(2**34)
        file.seek(0, 2)
        file.write(b'\n{"epoch": 4}\n')
    tracemalloc.start()
    try:
        assert last_epoch(log) == 4
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
