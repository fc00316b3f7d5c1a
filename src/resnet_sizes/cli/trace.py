"""`resnet-sizes trace`: from a sentence of the report to the predictions."""

from contextlib import chdir
from pathlib import Path
from typing import Annotated

import typer

from resnet_sizes.cli.console import result


def trace(
    path: Annotated[Path, typer.Argument(help="A study's name or folder, or an archive.")],
    claim: Annotated[str, typer.Argument(help="The claim's id in the article file, as S3.")],
) -> None:
    """Follow a verdict to the numbers, files and predictions that it rests on, counted again."""
    from resnet_sizes.sharing.open_archive import opened
    from resnet_sizes.sharing.trace import trace as follow

    with opened(path) as found, chdir(found.root):
        for line in follow(found.study_file, claim):
            result(line)
