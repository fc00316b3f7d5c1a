"""`resnet-sizes archive`: a finished study as one file for others."""

import re
from pathlib import Path
from typing import Annotated

import typer

from resnet_sizes.cli.console import result, say
from resnet_sizes.cli.study import StudyPath
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.verification import Person


def archive(
    study: StudyPath,
    author: Annotated[
        list[str] | None,
        typer.Option(
            help='Who answers for it, as "Ada Lovelace" or "Ada Lovelace <0000-0002-1825-0097>" '
            "with an ORCID; may be given several times.",
            show_default=False,
        ),
    ] = None,
    license: Annotated[str, typer.Option(help="SPDX identifier of its licence.")] = "CC-BY-4.0",
    out: Annotated[
        Path | None, typer.Option(help="Otherwise results/<name>.zip.", show_default=False)
    ] = None,
) -> None:
    """Verify a finished study, and write it as one zip: runs, evidence, reports and code.

    It is a Workflow Run RO-Crate and opens in a browser (ro-crate-preview.html). Prints its path
    and its digest: publish the digest elsewhere, so that others can tell the file from a forged
    one (resnet-sizes verify FILE --digest DIGEST).
    """
    people = [person(text, "--author") for text in author or []]
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]*", license):
        raise UserError(f"--license: found {license!r}; allowed: an SPDX identifier as CC-BY-4.0.")

    from resnet_sizes.sharing.archive import write_archive

    target = out or Path(f"{study.parent}.zip")
    say("Verifying the study; this takes some seconds.")
    digest = write_archive(study, target, people, license)
    if not people:
        say("No author is named in it: to name one, run it again with --author.")
    result(str(target))
    result(f"digest: {digest}")


def person(text: str, option: str) -> Person:
    """A name, perhaps with an ORCID. Raises UserError, which names the option."""
    found = re.fullmatch(
        r"\s*([^<>]*\S)\s*(?:<(?:https?://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])>)?\s*", text
    )
    if not found:
        raise UserError(
            f'{option}: found {text!r}; allowed: "Ada Lovelace", or with an ORCID '
            '"Ada Lovelace <0000-0002-1825-0097>".'
        )
    digits = (found[2] or "").replace("-", "")[:15]
    total = sum(int(digit) << 15 - place for place, digit in enumerate(digits))
    if found[2] and found[2][-1] != "0123456789X"[(12 - total) % 11]:  # ISO 7064, MOD 11-2
        raise UserError(f"{option}: {found[2]} is no ORCID: its last digit does not fit the rest.")
    return Person(name=found[1], orcid=found[2])
