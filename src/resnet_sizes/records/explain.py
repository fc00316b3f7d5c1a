"""Validation errors in words: the key, what was found, what is allowed."""

import difflib
import types
import typing
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Location = tuple[int | str, ...]


def explain(error: ValidationError, kind: type[BaseModel], data: Any) -> list[str]:
    """One line a problem: `key.path: found …; allowed: …`."""
    return [line for _, line in explain_with_locations(error, kind, data)]


def explain_with_locations(
    error: ValidationError, kind: type[BaseModel], data: Any
) -> list[tuple[Location, str]]:
    """As `explain`, each line with the location of its key, to find the file it stands in."""
    lines: dict[Location, str] = {}
    for problem in error.errors(include_url=False):
        location = tuple(part for part in problem["loc"] if _names_a_key(part))
        key = dotted(location) or "(the whole file)"
        if problem["type"] == "extra_forbidden":
            names = allowed_keys(kind, location[:-1])
            close = difflib.get_close_matches(str(location[-1]), names, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            text = f"{key}: unknown key; allowed here: {', '.join(sorted(names))}.{hint}"
        elif problem["type"] == "missing":
            text = f"{key}: is missing."
        else:
            message = _allowed(problem)
            if problem["type"] == "value_error":
                text = f"{key}: {message}." if location else f"{message}."
            else:
                text = f"{key}: found {_shown(problem['input'])}; allowed: {message}."
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
    message = problem["msg"].removeprefix("Value error, ")
    return message.removeprefix("Input should be ").rstrip(".")


def dotted(location: Location) -> str:
    """`("a", 0, "b")` as `a[0].b`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _names_a_key(part: int | str) -> bool:
    # pydantic puts the branch of a union into the path ("str", "literal['auto']",
    # "function-before[…]"); no file has such keys.
    return isinstance(part, int) or not (
        part in {"str", "int", "float", "bool", "none"}
        or part.endswith("]")
        or part.startswith(("function-", "constrained-"))
    )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


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
