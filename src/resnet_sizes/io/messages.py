"""Validation errors in words: the key, what was found, what is allowed."""

import difflib
import re
import reprlib
import types
import typing
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Location = tuple[int | str, ...]

MOST_LINES = 30
"""Problems that are told of one file; who mends thirty runs the command again."""
_LONGEST = 80
_LONGEST_MESSAGE = 2000


def explain(error: ValidationError, kind: type[BaseModel], data: Any) -> list[str]:
    """One line a problem: `key.path: found …; allowed: …`."""
    return [line for _, line in explain_with_locations(error, kind, data)]


def explain_with_locations(
    error: ValidationError, kind: type[BaseModel], data: Any
) -> list[tuple[Location, str]]:
    """As `explain`, each line with the location of its key, to find the file it stands in."""
    lines: dict[Location, str] = {}
    problems = error.errors(include_url=False)
    for position, problem in enumerate(problems):
        if len(lines) == MOST_LINES:
            lines[()] = f"… and {len(problems) - position} more problem(s)."
            break
        location = _location(problem)
        key = dotted(location) or "(the whole file)"
        if problem["type"] == "extra_forbidden":
            names = allowed_keys(kind, location[:-1])
            hint = did_you_mean(location[-1], names)
            text = f"{key}: unknown key; allowed here: {', '.join(sorted(names))}.{hint}"
        elif problem["type"] == "missing":
            text = f"{key}: is missing."
        else:
            message = _allowed(problem)
            if problem["type"] == "value_error":
                text = f"{key}: {message}." if location else f"{message}."
            else:
                text = f"{key}: found {shown(problem['input'])}; allowed: {message}."
        if location in lines and "; allowed: " in text:  # the next branch of a union
            text = f"{lines[location].rstrip('.')} or {text.split('; allowed: ')[1]}"
        lines[location] = text
    return list(lines.items())


def _allowed(problem: ErrorDetails) -> str:
    context = problem.get("ctx", {})
    kind = problem["type"]
    if kind == "string_pattern_mismatch":
        return f"text of the form {context['pattern']}"
    if kind == "too_short":
        return f"a list of at least {context['min_length']}"
    if kind in ("model_type", "dict_type"):
        return "a mapping of keys to values"
    # The records' own messages quote what they found.
    message = without_secrets(problem["msg"].removeprefix("Value error, ")[:_LONGEST_MESSAGE])
    return message.removeprefix("Input should be ").rstrip(".")


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


def shown_text(text: str) -> str:
    """Text for a message as it stands, but short and without characters that steer a terminal."""
    text = without_secrets(text[:1000])
    visible = text if text.isprintable() else ascii(text)[1:-1]
    return visible if len(visible) <= 2 * _LONGEST else visible[: 2 * _LONGEST - 1] + "…"


class _Bounded(reprlib.Repr):
    """As `repr`, but quick for values that hold themselves, or the same thing a billion times."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = 8

    def repr_str(self, value: str, level: int) -> str:
        """The beginning; the middle is what the base class would leave out."""
        return repr(value[: 2 * _LONGEST])

    def repr_int(self, value: int, level: int) -> str:
        """Python refuses to print numbers of thousands of digits."""
        if value.bit_length() > 512:
            return f"a number of {value.bit_length()} bits"
        return repr(value)


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


def allowed_keys(kind: type[BaseModel], location: Location) -> list[str]:
    """The keys that the record at `location` inside `kind` may have."""
    current: Any = kind
    for part in location:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(part))
            current = field.annotation if field else None
        else:  # a list or a mapping: step to the type of its items
            current = (typing.get_args(current) or (None,))[-1]
        current = _without_none(current)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return list(current.model_fields)
    return []


def _without_none(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [m for m in typing.get_args(annotation) if m is not type(None)]
        return members[0] if members else None
    return annotation


_USER = re.compile(r"(?<=//)[^/\s]*@")
# urllib3 tells of the path alone: "Max retries exceeded with url: /file?token=x".
_QUERY = re.compile(r"((?://|url: /)[^\s?'\"]*)\?[^\s'\")\]>]*")


def without_secrets(text: str) -> str:
    """The text, with names, passwords and queries of the addresses in it left out.

    `https://user:password@host/file?token=x` becomes `https://…@host/file?…`. The text may hold
    several addresses and other words, as messages of libraries do.
    """
    return _QUERY.sub(r"\1?…", _USER.sub("…@", text))
