"""Files of the user's own that are run: looked at before, and named where they fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb

from resnet_sizes.io.errors import Stopped, UserError
from resnet_sizes.io.messages import did_you_mean, shown_text

CORRECT_IT = "This file is your own: correct it, then run snakemake again."


def missing_in(file: Path, function: str) -> str | None:
    """What keeps a file from giving a function, as far as can be seen without running it."""
    try:
        names = compile(text := file.read_bytes(), str(file), "exec", dont_inherit=True).co_names
    except (SyntaxError, ValueError, RecursionError) as error:
        return f"{failure(error, file)}."
    hint = did_you_mean(function, list(names))
    is_there = function in names or b"import *" in text
    return None if is_there else f"{file} has no {function!r} at its top level.{hint}"


def failure(error: BaseException, file: Path) -> str:
    """File, the last line of it that an error went through, if any, and Python's own words."""
    lines = [each.lineno for each in extract_tb(error.__traceback__) if each.filename == str(file)]
    where = f"{file}, line {lines[-1]}" if lines else str(file)
    return f"{where}: {type(error).__name__}: {shown_text(str(error), 400)}"


@contextmanager
def explained(file: Path | None, key: str, wanted: str | None = None) -> Iterator[None]:
    """Raise UserError for what fails in a file of the user's own, if there is one, which stands
    under `key` in the configuration; `wanted` says what it has to give."""
    try:
        yield
    except (Exception, SystemExit) as error:
        told = failure(error, file) if file else ""
        of_disk = isinstance(error, OSError) and ", line " not in told
        if not file or of_disk or isinstance(error, UserError | Stopped):
            raise
        asked = " ".join(f"{CORRECT_IT} {wanted or ''}".split())
        raise UserError(f"{key}: {told}. {asked}") from error
