"""Words for error messages: pydantic's findings, remedies, values, and text from strangers."""

import difflib
import re
import reprlib
import types
import typing
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Location = tuple[int | str, ...]

MOST_LINES = 30
"""The most problems listed for one file; the rest appear when the command runs again."""
_LONGEST = 80
_LONGEST_MESSAGE = 2000

_ALLOWED = {
    "string_pattern_mismatch": "text of the form {pattern}",
    "string_type": "text, and a number in quotes",
    "too_short": "a list of at least {min_length}",
    "model_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
}
"""Where pydantic's own words would puzzle a reader: its type of error → what is allowed."""


REPEAT_RUN = "Delete it and run snakemake again: this run is then repeated."
"""The remedy for results that cannot be used."""


def looked_in() -> str:
    """Where relative paths were looked for, and what is wrong with that, if anything."""
    here = Path.cwd()
    if (here / "config" / "config.yaml").is_file():
        return f"looked in {here}"
    return (
        f"looked in {here}; commands are run in the project's folder, which holds the Snakefile: a "
        "clone, or what resnet-sizes init DIR lays out"
    )


def run_command(command: str) -> str:
    """The remedy that consists in a command of `resnet-sizes`."""
    return f"Run: resnet-sizes {command}"


def explain(error: ValidationError, kind: type[BaseModel]) -> dict[Location, str]:
    """One line per problem, `key.path: found …; allowed: …`, by the location of its key, which
    tells the file it stands in."""
    lines: dict[Location, str] = {}
    problems = error.errors(include_url=False)
    for position, problem in enumerate(problems):
        if len(lines) == MOST_LINES:
            lines[()] = f"… and {len(problems) - position} more problem(s)."
            break
        location = _location(problem)
        key = dotted(location) or "(the whole file)"
        if problem["type"] == "extra_forbidden":
            names = _allowed_keys(kind, location[:-1])
            hint = did_you_mean(location[-1], names)
            text = f"{key}: unknown key; allowed here: {', '.join(sorted(names))}.{hint}"
        elif problem["type"] == "missing":
            text = f"{key}: is missing."
        elif problem["type"] == "value_error":  # the records' own, which quote what they found
            text = f"{key}: {_message(problem)}." if location else f"{_message(problem)}."
            text = text.replace("?.", "?")
        else:
            text = f"{key}: found {shown(problem['input'])}; allowed: {_message(problem)}."
        if location in lines and "; allowed: " in text:  # the next branch of a union
            text = f"{lines[location].rstrip('.')} or {text.split('; allowed: ')[1]}"
        lines[location] = text
    return lines


def _message(problem: ErrorDetails) -> str:
    if problem["type"] in _ALLOWED:
        return _ALLOWED[problem["type"]].format(**problem.get("ctx", {}))
    message = without_secrets(problem["msg"].removeprefix("Value error, ")[:_LONGEST_MESSAGE])
    return message.removeprefix("Input should be ").rstrip(".")


def _location(problem: ErrorDetails) -> Location:
    *above, last = problem["loc"] or ("str",)
    # An unknown key may be called anything.
    is_key = problem["type"] == "extra_forbidden" or _names_a_key(last)
    return (*(part for part in above if _names_a_key(part)), *([last] if is_key else []))


def _names_a_key(part: int | str) -> bool:
    # pydantic puts the branch of a union into the path ("str", "literal['auto']",
    # "function-before[…]"); no file has such keys.
    return isinstance(part, int) or not (
        part in {"str", "int", "float", "bool", "none"}
        or part.endswith("]")
        or part.startswith(("function-", "constrained-"))
    )


def _allowed_keys(kind: type[BaseModel], location: Location) -> list[str]:
    """The keys that the record at `location` inside `kind` may have."""
    current: Any = kind
    for part in location:
        if fields := getattr(current, "model_fields", None):
            current = getattr(fields.get(str(part)), "annotation", None)
        else:  # a list or a mapping: step to the type of its items
            current = (typing.get_args(current) or (None,))[-1]
        if typing.get_origin(current) in (typing.Union, types.UnionType):
            current = next(m for m in typing.get_args(current) if m is not type(None))
    return list(getattr(current, "model_fields", ()))


def dotted(location: Location) -> str:
    """`("a", 0, "b")` as `a[0].b`."""
    text = ""
    for part in location:
        name = f"[{part}]" if isinstance(part, int) else shown_text(part)
        text += f".{name}" if text and not isinstance(part, int) else name
    return text


def did_you_mean(found: Any, names: list[str]) -> str:
    """A sentence that names the nearest of `names`, with a space before; or nothing."""
    close = difflib.get_close_matches(str(found)[:_LONGEST], names, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def shown(value: Any) -> str:
    """A value for a message: short, printable, without the secrets of an address."""
    text = without_secrets(_Bounded().repr(value))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "…"


class _Bounded(reprlib.Repr):
    """As `repr`, but quick for values that hold themselves, or the same thing a billion times."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = 8

    def repr_str(self, value: str, level: int) -> str:
        """The beginning; the base class would leave out the middle."""
        return repr(value[: 2 * _LONGEST])

    def repr_int(self, value: int, level: int) -> str:
        """Python refuses to print numbers of thousands of digits."""
        if value.bit_length() > 512:
            return f"a number of {value.bit_length()} bits"
        return repr(value)


def shown_text(text: str, most: int = 2 * _LONGEST) -> str:
    """Text for a message as it stands, but of at most `most` characters, without the secrets of
    addresses and without characters that control a terminal."""
    text = without_secrets(text[:1000])
    visible = text if text.isprintable() else ascii(text)[1:-1]
    return visible if len(visible) <= most else visible[: most - 1] + "…"


_USER = re.compile(r"(?<=//)[^/\s]*@")
# urllib3's messages hold the path alone: "Max retries exceeded with url: /file?token=x".
_QUERY = re.compile(r"((?://|url: /)[^\s?'\"]*)\?[^\s'\")\]>]*")


def without_secrets(text: str) -> str:
    """The text, with names, passwords and queries of the addresses in it left out.

    `https://user:password@host/file?token=x` becomes `https://…@host/file?…`. The text may hold
    several addresses and other words, as messages of libraries do.
    """
    return _QUERY.sub(r"\1?…", _USER.sub("…@", text))


def without_folders(text: str) -> str:
    """The text as it may be published: files of this machine by their last names alone."""
    return re.sub(r"(?<![\w:/.])/(?:[^/\s()]+/)+", "", text.replace(f"{Path.cwd()}/", ""))


def duration(seconds: float) -> str:
    """`0.35 s`, `12 s`, `3 min 20 s`, `2 h 05 min`, `3 d 4 h`."""
    if seconds < 10:
        return f"{seconds:.2g} s"
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
