"""What installed packages add to ours: entry points, by group (docs/extending.md)."""

import logging
import sys
from collections.abc import Callable, Container
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from resnet_sizes.io.hashes import file_hash
from resnet_sizes.io.shipped import shipped

log = logging.getLogger("resnet_sizes")

LOADED: dict[str, str] = {}
"""The SHA-256 of the file behind each that is in use, by group and name: it decides results too."""

_installed = cache(entry_points)


def offered(group: str) -> dict[str, str]:
    """The names that packages offer in a group, each with its file's SHA-256; none is loaded."""
    entries = _installed().select(group=f"resnet_sizes.{group}")
    specs = {entry.name: find_spec(entry.module) for entry in entries}
    return {name: file_hash(Path(str(spec.origin))) for name, spec in specs.items() if spec}


def plugins(group: str, there: Container[str], fits: Callable[[str, Any], bool]) -> dict[str, Any]:
    """What packages offer in the group `resnet_sizes.<group>`, by name; what does not fit, fails,
    or has a name that is `there` already, is left out with a warning."""
    found: dict[str, Any] = {}
    for entry in _installed().select(group=f"resnet_sizes.{group}"):
        try:
            if entry.name in there or entry.name in found:
                raise ValueError("the name is taken")
            loaded = entry.load()
            if not fits(entry.name, loaded):
                raise TypeError(f"is not what {shipped('docs/extending.md')} asks for")
            digest = file_hash(Path(str(sys.modules[entry.module].__file__)))
        except (Exception, SystemExit) as error:
            text = "warning: the entry point %s = %s of %s cannot be used (%s: %s)"
            log.warning(text, entry.name, entry.value, entry.group, type(error).__name__, error)
            continue
        found[entry.name] = loaded
        if group in ("columns", "rules"):
            LOADED[f"{group}.{entry.name}"] = digest
    return found
