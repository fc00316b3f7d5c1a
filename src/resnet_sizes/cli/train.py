"""`resnet-sizes train`: one run, or the seeds of one reading and model."""

from pathlib import Path
from typing import Annotated

import typer

from resnet_sizes.cli.console import say
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.io.messages import run_command
from resnet_sizes.schemas.paths import RunFolder, StudyFolder, clamp_future_mtimes
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.schemas.run.weights import WeightsInfo


def train(
    run: Annotated[
        list[Path],
        typer.Argument(
            help="results/<name>/runs/<protocol>/<model>/seed-<n>/run.json; several that differ in "
            "their seeds alone share the process, of which those with results stay as they are"
        ),
    ],
    dataset: Annotated[Path, typer.Option(help="results/<name>/data/dataset.safetensors")],
    weights: Annotated[
        Path | None,
        typer.Option(help="results/<name>/weights/<key>.json, where the run starts from a file"),
    ] = None,
    device: Annotated[
        str, typer.Option(help="auto, cpu, mps, cuda, or cuda:N, the N-th that is visible")
    ] = "auto",
    keep_weights: Annotated[
        bool, typer.Option(help="Also write the trained network, with a model card.")
    ] = False,
    time_limit: Annotated[
        float | None,
        typer.Option(help="Minutes after which the run stops itself, with a checkpoint.", min=0),
    ] = None,
    checkpoint_minutes: Annotated[
        float, typer.Option(help="Minutes between checkpoints within an epoch.", min=0)
    ] = 10,
    watchdog_minutes: Annotated[
        float, typer.Option(help="Minutes without a step after which the run is ended.", min=0.01)
    ] = 30,
) -> None:
    """Train one run, or one after the other; results go beside a run file, metrics.json last.

    A run that was stopped or killed goes on from its checkpoint in work/. SIGTERM and Ctrl-C stop
    it after the step under way, with a checkpoint.
    """
    study = StudyFolder.of_run_file(run[0])
    named = study.study if study.study.is_file() else "results/NAME/study.json"
    run_files = [read_record(path, RunFile, run_command(f"study runs {named}")) for path in run]
    for path, other in zip(run, run_files, strict=True):
        if other.model_copy(update={"seed": run_files[0].seed}) != run_files[0]:
            raise UserError(
                f"{path}: differs from {run[0]} in more than its seed; allowed: the seeds of one "
                "reading and model. Train it in a command of its own: resnet-sizes train RUN.json"
            )

    from resnet_sizes.training.job.job import train_runs  # torch comes when a device is held
    from resnet_sizes.training.supervision.launch import RunOptions

    info = read_record(weights, WeightsInfo, run_command(f"fetch {named}")) if weights else None
    options = RunOptions(
        checkpoint_seconds=checkpoint_minutes * 60,
        watchdog_seconds=watchdog_minutes * 60,
        time_limit=None if time_limit is None else time_limit * 60,
        keep_weights=keep_weights,
        study=study,
    )
    wanted = [(each, RunFolder(path.parent)) for each, path in zip(run_files, run, strict=True)]
    for metrics in train_runs(wanted, dataset, device, info, options):
        clamp_future_mtimes(study, [*run, dataset, *filter(None, [weights])])
        computed = metrics.equivalent_training_seconds
        told = f" (computed: {computed:.1f} s without the feature cache)" if computed else ""
        say(
            f"{metrics.run.name}: done, test accuracy {metrics.final_test_accuracy:.4f} "
            f"after {metrics.training_seconds:.1f} s of training{told}"
        )
