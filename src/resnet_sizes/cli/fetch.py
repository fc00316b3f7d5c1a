"""`resnet-sizes fetch`: everything that needs the network, before any job that does not."""

from pathlib import Path
from typing import Annotated

import typer

from resnet_sizes.cli.console import result, say
from resnet_sizes.records.files import read_record
from resnet_sizes.records.run import StudyFile


def fetch(
    study: Annotated[Path, typer.Argument(help="results/<name>/study.json")],
) -> None:
    """Make sure that the study's images are on this machine; print where."""
    resolved = read_record(
        study, StudyFile, "Make it with: resnet-sizes study write [OVERLAY…]"
    ).study

    from resnet_sizes.data.fetch import fetch as fetch_source

    path = fetch_source(resolved)
    if path is None:
        say(f"{resolved.dataset.source}: comes with an installed library, nothing to fetch")
    else:
        say(f"{resolved.dataset.source}: is here")
        result(str(path))
