"""Where the files lie that come with the project: rules, configuration, articles, templates."""

import os
from pathlib import Path

_INSTALLED = Path(__file__).parents[1] / "project"

SHIPPED = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[3]
"""The folder that holds `Snakefile`, `workflow/`, `config/`, `report/` and `profiles/`: inside of
an installed package, else the clone in which the package lies."""

OWN_TEMPLATES = "A report/ of your own replaces all of the shipped one: complete or rename it."
"""The remedy where a template is missing."""


def shipped(path: str | Path) -> Path:
    """Where a file or folder of the project lies, `path` being relative to the project's folder.

    One below the working directory goes before the shipped one; of neither, `path` as it is.
    """
    own = Path(path)
    return SHIPPED / own if not exists(own) and exists(SHIPPED / own) else own


def exists(path: str | Path) -> bool:
    """Also where pathlib raises: the name is too long, or its folder may not be entered."""
    return os.path.exists(path)  # noqa: PTH110
