"""`resnet-sizes trace`: from a sentence of the report to the predictions."""

from typing import Annotated

import typer

from resnet_sizes.cli.console import result
from resnet_sizes.cli.study import StudyPath


def trace(
    study: StudyPath,
    claim: Annotated[str, typer.Argument(help="The claim's id in the article file, as S3.")],
) -> None:
    """Follow a verdict to the numbers, files and predictions that it rests on, counted again."""
    from resnet_sizes.sharing.trace import trace as follow

    for line in follow(study, claim):
        result(line)
