"""Choosing what renders the `.qmd`: Quarto, or the embedded engine."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.render import pandoc, quarto
from resnet_sizes.schemas.study.study import EngineChoice, ReportFormat

log = logging.getLogger("resnet_sizes")

EngineKind = Literal["quarto", "pandoc"]


@dataclass(frozen=True)
class Engine:
    """An engine that is there, with the versions that the report names."""

    kind: EngineKind
    versions: tuple[tuple[str, str], ...]
    render: Callable[[Path, ReportFormat, str], Path]
    """Writes a format of `article.qmd` into the folder that holds it and all that it names, and
    returns the path; the last argument is the date of creation (ISO 8601, UTC)."""


def choose_engine(choice: EngineChoice, formats: Iterable[ReportFormat] = ()) -> Engine:
    """The engine asked for; `auto` takes Quarto where one that we know runs. Its versions have
    pandoc's, where pandoc makes one of the formats.

    Raises UserError where Quarto is asked for and is missing, too old, or does not run.
    """
    try:
        if choice != "pandoc":
            others = pandoc.versions()[:1] if {*formats} & {*pandoc.MANUSCRIPTS} else ()
            versions = (("Quarto", quarto.usable_version()), *others)
            return Engine("quarto", versions, quarto.render)
    except quarto.QuartoUnusableError as error:
        needed = f"Quarto {quarto.OLDEST} or newer"
        if choice == "quarto":
            raise UserError(
                f"report.engine is quarto, which needs {needed}, but {error}. Install it (conda "
                "install -c conda-forge quarto, or https://quarto.org). " + quarto.REMEDY
            ) from None
        log.info("the embedded engine renders the report: %s would, but %s", needed, error)
    return Engine("pandoc", pandoc.versions(), pandoc.render)
