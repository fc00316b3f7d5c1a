"""Finished studies as people share them: in a project's folder, with evidence and reports."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from synthetic import MODELS, make_study

from copied_process import copied
from made_once import made_once
from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.io.files import read_record, write_json
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.reporting.build import build_report
from resnet_sizes.schemas.hardware import shipped_network_costs
from resnet_sizes.schemas.paths import RunFolder, StudyFolder
from resnet_sizes.schemas.run.metrics import FIRST_STEPS, Metrics
from resnet_sizes.schemas.run.run import StudyFile
from resnet_sizes.schemas.run.tensors import DatasetInfo, read_predictions
from resnet_sizes.sharing.plausibility import cross_entropy

ROOT = Path(__file__).parents[2]
PROJECT = ("Snakefile", "workflow", "config", "articles", "report", "LICENSE", "requirements.lock")

AUTHOR = "Ada Lovelace <0000-0002-1825-0097>"

SMALL: dict[str, Any] = {
    "name": "shared",
    "epochs": 5,
    "content": "other",
    "languages": ("pt",),
    "seeds": (0, 1),
    "models": MODELS[:2],
    "minutes": {"resnet18": 0.5, "resnet50": 1.5},
}


def make_result(folder: Path, reports: bool = True, pages: bool = False, **settings: Any) -> Path:
    """A project below `folder` with one finished study that holds; its `study.json`.

    Studies with equal settings are copies of one that is made once in a test run. Without `pages`
    its reports tell of a drawing program that is not here: their text is compared, which takes
    a fraction of the time.
    """
    wanted = SMALL | settings

    def make(made: Path) -> None:
        study = plausible(make_study(made, **wanted))
        evidence = StudyFolder.of_file(study).evidence
        build_evidence(study, evidence, allow_partial=True)
        for language in wanted["languages"] if reports else ():
            output = StudyFolder.of_file(study).report(language)
            build_report(
                study, evidence, output, language, ["html", "pdf"], "pandoc", ROOT / "report"
            )

    made = made_once(["shared result", reports, wanted], lambda path: _in_project(path, make))
    shutil.copytree(made, folder, dirs_exist_ok=True, symlinks=True)
    study = folder / "results" / wanted["name"] / "study.json"
    for language in wanted["languages"] if reports and not pages else ():
        drawn_elsewhere(StudyFolder.of_file(study).report(language))
    return study


def archived_result() -> Path:
    """The folder of a project with such a study and its archive; not to be changed."""

    def make(folder: Path) -> None:
        make_result(folder)
        done = copied().run(["archive", "shared", "--author", AUTHOR], folder)
        assert done.returncode == 0, done.stderr

    return made_once("archived result", make)


def _in_project(folder: Path, make: Any) -> None:
    from contextlib import chdir

    for name in PROJECT:
        (folder / name).symlink_to(ROOT / name)
    with chdir(folder):
        make(Path())


def drawn_elsewhere(report: Path) -> None:
    """Let a report tell of a drawing program that is not here."""
    data = json.loads((report / "report.json").read_text("utf-8"))
    data["made_with"]["drawn_with"]["matplotlib"] = "0.0"
    write_json(report / "report.json", data)


def plausible(study: Path) -> Path:
    """Make synthetic runs such as could have been trained: counts are whole, losses are those of
    the predictions; and let the study name its files as a project does."""
    record = read_record(study, StudyFile, "")
    relative = {"article": "articles/santos-2024/article.yaml", "devices": "config/devices.yaml"}
    own = record.study.model_copy(update=relative)
    write_json(study, StudyFile(study_hash=content_hash(own), study=own))
    info = read_record(StudyFolder.of_file(study).dataset_info, DatasetInfo, "")
    for path in sorted(study.parent.glob("runs/*/*/*/metrics.json")):
        data = json.loads(path.read_text("utf-8"))
        logits, labels = read_predictions(RunFolder(path.parent).predictions)
        for epoch in data["epochs"]:
            for part, images in (("train", info.train_images), ("test", info.test_images)):
                epoch[f"{part}_accuracy"] = round(epoch[f"{part}_accuracy"] * images) / images
        data["epochs"][-1]["test_loss"] = cross_entropy(logits, labels)
        best = max(data["epochs"], key=lambda epoch: epoch["test_accuracy"])
        data |= {"best_epoch": best["epoch"], "best_test_accuracy": best["test_accuracy"]}
        run = data["run"]
        recipe = run["reading"]
        cost = shipped_network_costs().of(run["model"], recipe["stem"], recipe["input_size"])
        if cost:
            parameters, is_head = cost.parameters, recipe["trainable"] == "head"
            data |= {"parameters": parameters, "macs_per_image": cost.macs_per_image}
            data["trainable_parameters"] = cost.head_parameters if is_head else parameters
        steps = run["epochs"] * -(-info.train_images // run["batch_size"])
        data["first_losses"] = [float(x) for x in np.linspace(2.4, 2.2, min(FIRST_STEPS, steps))]
        data["checksum"] = None
        write_json(path, Metrics.model_validate_json(json.dumps(data)).sealed())
    return study
