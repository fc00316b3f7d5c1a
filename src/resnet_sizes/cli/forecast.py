"""`resnet-sizes forecast`: what a study will cost on this device."""

from typing import Annotated, Any

import typer

from resnet_sizes.cli.console import print_records, result, say
from resnet_sizes.cli.study import Overlays
from resnet_sizes.io.files import write_json
from resnet_sizes.io.messages import duration
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.operations import Forecast, RunForecast
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.study.loading import load_study


def forecast(
    overlays: Overlays = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, mps, cuda or cuda:N; otherwise the study's")
    ] = None,
) -> None:
    """Measure a few steps of each kind of run on this device; print minutes and memory.

    It needs neither the images nor the weights, starts nothing and decides no result. What it
    finds goes to results/<name>/forecast.json, from which a cluster's profile takes time limits.
    """
    study = load_study(overlays or [])

    from resnet_sizes.forecast import study as forecasts
    from resnet_sizes.training.devices.gpu_slots import device_slot
    from resnet_sizes.training.devices.select import describe, select_device, set_threads

    counts = forecasts.dataset_counts(study)
    name = device or study.training.device
    kinds = forecasts.kinds_of_runs(study, name, counts)
    found: list[RunForecast] = []
    runs: list[forecasts.Expected] = []
    all_seeds: dict[str, float] = {}
    with device_slot(f"the forecast of {study.name}", name) as slot:
        # What is measured is so in other processes; this one only asks for the device's name.
        set_threads(study.training.threads)
        selected = select_device(slot.torch_name)
        described = describe(selected, slot.gpu)
        slot.monitor(selected.type)
        training = study.training
        length = f"{training.epochs} epochs" if training.epochs else f"{training.iterations} steps"
        say(
            f"{study.name}: {counts.train} training and {counts.test} test images, "
            f"{length}, on {described.name} ({described.kind}, "
            f"{described.threads} threads). Measuring…"
        )
        for kind, expected in forecasts.forecast_study(study, kinds, counts, slot.torch_name):
            say(f"  {kind.protocol}/{kind.model}: {kind.problem or duration(kind.seconds or 0)}")
            found.append(kind)
            if expected:
                runs.append(expected)
                all_seeds[kind.settings_hash] = forecasts.in_turn([expected])
    print_records(
        "One run, of this the features of a frozen network, which runs share; and all its seeds",
        found,
        *("protocol", "model", "precision", "seconds", "feature_seconds", "peak_memory_bytes"),
        seeds=lambda kind: len(study.seeds_of(kind.protocol)),
        all_seeds_seconds=lambda kind: all_seeds.get(kind.settings_hash),
    )
    problems = sum(kind.problem is not None for kind in found)
    left_out = f", without {problems} that could not be measured" if problems else ""
    in_turn = forecasts.in_turn(runs)
    whole = in_turn + forecasts.around(runs)
    result(f"All in turn{left_out}: {duration(in_turn)}")
    if described.memory_bytes:
        memory = described.memory_bytes / 1e9
        say(f"The device has {memory:.1f} GB. Nothing has been started.")
    if runs:
        say(f"With data, evidence and report the study takes about {duration(whole)} in turn.")
    path, seconds = StudyFolder.of(study.name).forecast, whole if runs else None
    about: dict[str, Any] = {"dataset": study.dataset, "device": described, "measured": utc_now()}
    write_json(path, Forecast(**about, runs=found, study_seconds=seconds))
    say(f"{path}: written, for the time limits of a cluster.")
