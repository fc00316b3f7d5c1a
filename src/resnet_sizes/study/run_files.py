"""The study → `study.json` and one run file per run."""

import math
from collections.abc import Callable
from pathlib import Path

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record, write_json_if_changed
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.io.messages import run_command
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import (
    CompileMode,
    Precision,
    RunFile,
    RunSettings,
    StudyFile,
    all_run_settings,
    batches_per_epoch,
    read_study,
)
from resnet_sizes.schemas.run.tensors import read_dataset_info
from resnet_sizes.schemas.run.weights import InitialWeights, WeightsInfo, weights_key
from resnet_sizes.schemas.study.study import Study


def write_study(study: Study) -> Path:
    """Write `results/<name>/study.json`; left alone where it holds the same."""
    path = StudyFolder.of(study.name).study
    write_json_if_changed(path, StudyFile(study_hash=content_hash(study), study=study))
    return path


Resolve = Callable[[RunSettings, str], tuple[Precision, CompileMode]]
"""Settings and the value of `training.device` → what `auto` in them means on that device."""


def write_run_files(
    study_path: Path, resolve: Resolve, names: list[str] | None = None
) -> list[Path]:
    """Write the `run.json` of each run of the study, or of those named `protocol/model/seed-n`.

    A file that holds the same already is left alone. Needs `dataset.json` and the
    `weights/<key>.json` of each run, since the identities of data and initial weights are part
    of a run. `resolve` is asked only where settings say `auto`. Raises
    UserError if a file is missing or a name is unknown.
    """
    study, folder = read_study(study_path).study, StudyFolder.of_file(study_path)
    info = read_dataset_info(folder.dataset_info, study.dataset)
    runs = {settings.name: settings for settings in all_run_settings(study)}
    unknown = [name for name in names or [] if name not in runs]
    if unknown:
        raise UserError(
            f"{study_path}: has no run {', '.join(unknown)}; it has: {', '.join(runs)}."
        )
    paths = []
    for settings in [runs[name] for name in names or runs]:
        initial: InitialWeights | None = None
        if key := weights_key(settings.model, settings.reading):
            remedy = run_command(f"fetch {study_path}")
            initial = read_record(folder.weights(key), WeightsInfo, remedy).initial
        run_file = resolved_run(
            settings, study.training.device, resolve, info.identity, initial, info.train_images
        )
        paths.append(folder.run(settings).run)
        write_json_if_changed(paths[-1], run_file)
    return paths


def resolved_run(
    settings: RunSettings,
    device: str,
    resolve: Resolve,
    dataset_identity: str,
    initial_weights: InitialWeights | None,
    train_images: int,
) -> RunFile:
    """The run file of these settings on a device, given as in `training.device`; with so many
    training images in the dataset. Raises UserError where too few of them are trained on."""
    in_epoch = batches_per_epoch(train_images - settings.validation, settings.batch_size)
    if in_epoch < 1:
        raise UserError(
            f"training.validation: is {settings.validation}, of {train_images} training images. "
            "Leave 2 or more to train on"
        )
    steps = settings.iterations or (settings.epochs or 1) * in_epoch
    if (warmup := settings.reading.warmup) and (warmup.steps or 0) >= steps:
        raise UserError(f"warmup.steps: {warmup.steps} is not before the end, {steps}. Change it.")
    precision, mode = settings.reading.precision, settings.compile
    if precision == "auto" or mode == "auto":
        best_precision, best_mode = resolve(settings, device)
        precision = best_precision if precision == "auto" else precision
        mode = best_mode if mode == "auto" else mode
    return RunFile(
        **settings.model_dump(exclude={"epochs"}),
        epochs=settings.epochs or math.ceil((settings.iterations or 1) / in_epoch),
        dataset_identity=dataset_identity,
        precision=precision,
        compile_mode=mode,
        initial_weights=initial_weights,
    )
