"""The package, loaded once for copies of a process that work in projects with the same sources."""

import gc
import os
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
PACKAGE = "resnet_sizes"

_loaded: dict[str, tuple[int, int]] = {}


def load(modules: Iterable[str]) -> None:
    """Load libraries and modules of this repository's package, once."""
    if _loaded:
        return
    _loaded.update(_sources(SOURCE))
    sys.path.insert(0, str(SOURCE))
    for name in modules:
        import_module(name)
    sys.path.remove(str(SOURCE))
    # A copy would go through all of it in each full collection, and so copy its memory too.
    gc.collect()
    gc.freeze()


def work_in(folder: str, environment: dict[str, str]) -> None:
    """In a copy: become a process of a project, with its own sources where they are others."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:1] = environment["PYTHONPATH"].split(os.pathsep)
    source = Path(sys.path[0])
    if _sources(source) == _loaded:
        package = sys.modules[PACKAGE]
        package.__file__ = str(source / PACKAGE / "__init__.py")
        package.__path__ = [str(source / PACKAGE)]
        return
    for name in list(sys.modules):
        if name.split(".")[0] == PACKAGE:
            del sys.modules[name]


def _sources(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of each file of the package; a project's copy keeps both."""
    found = {}
    for path in folder.rglob("*"):
        if path.suffix != ".pyc" and path.is_file():
            status = path.stat()
            found[str(path.relative_to(folder))] = (status.st_size, status.st_mtime_ns)
    return found
