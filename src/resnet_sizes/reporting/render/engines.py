"""Choosing what renders the `.qmd`: Quarto, or the embedded engine."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.render import pandoc, quarto

log = logging.getLogger("resnet_sizes")

EngineKind = Literal["quarto", "pandoc"]
EngineChoice = Literal["auto", "quarto", "pandoc"]
Format = Literal["html", "pdf"]


class Renderer(Protocol):
    """Renders `article.qmd` in a folder that holds everything that it names."""

    def __call__(self, folder: Path, format: Format, created: str) -> Path:
        """Write one format into `folder` and return its path. `created` is ISO 8601, UTC."""


@dataclass(frozen=True)
class Engine:
    """An engine that is there, with the versions that the report names."""

    kind: EngineKind
    versions: tuple[tuple[str, str], ...]
    render: Renderer


def choose_engine(choice: EngineChoice) -> Engine:
    """The engine asked for; `auto` takes Quarto where one that we know runs.

    Raises UserError where Quarto is asked for and is missing, too old, or does not run.
    """
    if choice == "pandoc":
        return _embedded()
    try:
        version = quarto.usable_version()
    except quarto.QuartoUnusableError as error:
        if choice == "auto":
            log.info(
                "the embedded engine renders the report: Quarto %s or newer would, but %s",
                quarto.OLDEST,
                error,
            )
            return _embedded()
        raise UserError(
            f"report.engine is quarto, which needs Quarto {quarto.OLDEST} or newer, but {error}. "
            "Install it (conda install -c conda-forge quarto, or https://quarto.org). "
            + quarto.REMEDY
        ) from None
    return Engine("quarto", (("Quarto", version),), quarto.render)


def _embedded() -> Engine:
    return Engine("pandoc", pandoc.versions(), pandoc.render)
