"""`resnet-sizes study`: look at a study, write it and its run files."""

import json
from pathlib import Path
from typing import Annotated

import typer
import yaml

from resnet_sizes.cli.console import result, say
from resnet_sizes.records.errors import UserError
from resnet_sizes.records.study import Study
from resnet_sizes.study.loading import check_files, check_study, load_study
from resnet_sizes.study.plan import write_run_files, write_study
from resnet_sizes.study.support import check_support

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
def write(
    overlays: Overlays = None,
    resolved: Annotated[
        str | None,
        typer.Option(help="The whole configuration as JSON, instead of files (for the workflow)."),
    ] = None,
) -> None:
    """Write results/<name>/study.json."""
    if resolved is not None and overlays:
        raise UserError("Give overlays or --resolved, not both.")
    study = _from_json(resolved) if resolved is not None else load_study(overlays or [])
    check_support(study)
    check_files(study)
    result(str(write_study(study)))


@app.command()
def runs(
    study: Annotated[Path, typer.Argument(help="results/<name>/study.json")],
) -> None:
    """Write a run.json for each run of a study whose dataset is there."""
    paths = write_run_files(study)
    say(f"{len(paths)} run files below {study.parent / 'runs'}")


def _from_json(text: str) -> Study:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"--resolved: is not JSON ({error}). Give configuration files.") from None
    return check_study(data, [])
