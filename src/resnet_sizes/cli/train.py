"""`resnet-sizes train`: one run."""

from pathlib import Path
from typing import Annotated

import typer

from resnet_sizes.cli.console import say
from resnet_sizes.records.files import read_record
from resnet_sizes.records.layout import RunFolder
from resnet_sizes.records.metrics import Metrics
from resnet_sizes.records.run import RunFile
from resnet_sizes.records.weights import WeightsInfo

FETCH = "Make it with: resnet-sizes fetch STUDY"


def train(
    run: Annotated[
        Path, typer.Argument(help="results/<name>/runs/<protocol>/<model>/seed-<n>/run.json")
    ],
    dataset: Annotated[Path, typer.Option(help="results/<name>/data/dataset.safetensors")],
    weights: Annotated[
        Path | None,
        typer.Option(help="results/<name>/weights/<key>.json, where the run starts from a file"),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, mps, cuda or cuda:N")] = "auto",
) -> None:
    """Train one run; its results go beside its run file, metrics.json last."""
    run_file = read_record(run, RunFile, "Make it with: resnet-sizes study runs STUDY")

    from resnet_sizes.training.run import train_run

    info = None if weights is None else read_record(weights, WeightsInfo, FETCH)
    metrics = train_run(run_file, dataset, RunFolder(run.parent), device, info)
    say(
        f"{run_file.name}: done, test accuracy {metrics.final_test_accuracy:.4f} "
        f"after {metrics.training_seconds:.1f} s of training{_without_cache(metrics)}"
    )


def _without_cache(metrics: Metrics) -> str:
    seconds = metrics.equivalent_training_seconds
    return "" if seconds is None else f" (computed: {seconds:.1f} s without the feature cache)"
