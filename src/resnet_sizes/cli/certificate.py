"""`resnet-sizes certificate`: what a reader checked, in CODECHECK's form."""

from pathlib import Path
from typing import Annotated

import typer

from resnet_sizes.cli.archive import person
from resnet_sizes.cli.console import result, say


def certificate(
    path: Annotated[Path, typer.Argument(help="An archive, or the folder it was unpacked to.")],
    checker: Annotated[
        str, typer.Option(help='Who checks, as "Ada Lovelace <0000-0002-1825-0097>".')
    ],
    digest: Annotated[
        str | None, typer.Option(help="The digest that was published with the archive.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder for both files.")] = Path(),
) -> None:
    """Verify an archive and fill CODECHECK's template: codecheck.yml, and a list to tick off.

    What a program can say is filled in. What only a reader can say is left to be ticked.
    """
    from resnet_sizes.sharing.codecheck import write_certificate

    named = person(checker, "--checker")
    say("Verifying the archive; this takes some seconds.")
    for written in write_certificate(path, named, digest, out):
        result(str(written))
