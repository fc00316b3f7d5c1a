"""`resnet-sizes doctor`: what this machine has of what a study needs."""

import json
from typing import Annotated

import typer

from resnet_sizes.cli.console import result
from resnet_sizes.cli.study import Overlays
from resnet_sizes.study.loading import load_study


def doctor(
    overlays: Overlays = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False,
) -> None:
    """Look at Python, torch, GPUs, memory, disk, locale, the report's engine, Slurm, git, and
    whether each source of the study answers; name a remedy with each problem.

    Starts nothing and writes nothing. Exit status: 0 if nothing is a problem, 1 otherwise.
    """
    study = load_study(overlays or [])

    from resnet_sizes.device_check.installation import look

    found = list(look(study))
    if as_json:
        result(json.dumps([each._asdict() for each in found], indent=2, ensure_ascii=False))
    else:
        width = max(len(each.subject) for each in found)
        for each in found:
            result(f"{each.state:8} {each.subject:{width}} {each.found}")
            if each.remedy:
                result(f"{'':{width + 9}} → {each.remedy}")
    if any(each.state == "problem" for each in found):
        raise typer.Exit(1)
