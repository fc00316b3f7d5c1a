"""`resnet-sizes study`: look at a study, write it and its run files."""

from pathlib import Path
from typing import Annotated

import typer
import yaml

from resnet_sizes.cli.console import result, say
from resnet_sizes.schemas.paths import StudyFolder, clamp_future_mtimes
from resnet_sizes.schemas.run.run import CompileMode, Precision, RunSettings
from resnet_sizes.study.loading import check_files, load_study
from resnet_sizes.study.run_files import write_run_files, write_study

app = typer.Typer(no_args_is_help=True, help="Look at a study, write it and its run files.")

Overlays = Annotated[
    list[Path] | None,
    typer.Argument(help="Overlays over config/config.yaml, in order.", show_default=False),
]


@app.command()
def show(overlays: Overlays = None) -> None:
    """Print the resolved and checked study as YAML."""
    study = load_study(overlays or [])
    result(yaml.safe_dump(study.model_dump(mode="json"), sort_keys=False, allow_unicode=True))


@app.command()
def write(overlays: Overlays = None) -> None:
    """Write results/<name>/study.json."""
    study = load_study(overlays or [])
    check_files(study)
    result(str(write_study(study)))


@app.command()
def runs(
    study: Annotated[Path, typer.Argument(help="results/<name>/study.json")],
    names: Annotated[
        list[str] | None,
        typer.Argument(help="protocol/model/seed-n; otherwise all runs.", show_default=False),
    ] = None,
) -> None:
    """Write the run.json of each run of a study whose dataset is there."""
    paths = write_run_files(study, _resolve, names)
    folder = StudyFolder.of_file(study)
    clamp_future_mtimes(folder, [folder.dataset_info])
    say(f"{len(paths)} run file(s) below {study.parent / 'runs'}")


def _resolve(settings: RunSettings, device_name: str) -> tuple[Precision, CompileMode]:
    # torch takes seconds to load, and most studies leave nothing to the device.
    from resnet_sizes.training.capabilities import resolve_auto

    return resolve_auto(settings, device_name)
