"""Text that pandoc's Markdown prints as it stands.

Whatever comes from a configuration, a dataset or a machine passes through here before it
enters the `.qmd`: no character of it can become markup in Markdown, HTML, or Typst. What
pandoc then writes as HTML or Typst it escapes itself.
"""

import json
import re
from typing import Any, SupportsIndex

from markupsafe import Markup

# Every ASCII punctuation mark may be escaped by a backslash in pandoc's Markdown; escaped are
# those that can mean something inside a line, so that the `.qmd` stays readable.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~^$@&\"'])")
# Doubled, these become a dash, an ellipsis, or a fenced div.
_DOUBLED = re.compile(r"([-.:=])(?=\1)|(?<=([-.:=]))\2")
# At the start of a line, these begin a list, a definition, or a title block.
_START = re.compile(r"^([-+:%=!(]|(?:\d+|[A-Za-z]+)(?=[.)](?:\s|$)))")
_SPACE = re.compile(r"[^\S\u00a0]+")  # a no-break space is meant


# Of the characters that nobody sees: the no-break space, and the two that join or part letters
# of Persian, of Indian scripts and of emoji. Those that turn the direction of a line are not.
_KEPT = "\u00a0\u200c\u200d"


class Safe(Markup):
    """Markdown of our own, or escaped text: printed by the templates as it stands."""

    def __getitem__(self, key: SupportsIndex | slice) -> str:  # type: ignore[override]
        """A piece as plain text, since it may begin or end inside an escape.

        Until Python 3.12 `re.sub` puts its result together by a method of such a piece, and
        Markup's would escape it for HTML: quotes became `&#34;` on the page.
        """
        return str(self)[key]


def escape_markdown(text: str) -> Safe:
    """Escape `text` for the inside of a paragraph, a table cell or a caption.

    Control characters vanish and white space becomes single spaces, so that no text can
    start a block or a table row.
    """
    # A space in front would hide the start of a block from the pattern for it.
    escaped = _SPECIAL.sub(r"\\\1", _visible(text).strip())
    escaped = _DOUBLED.sub(lambda found: "\\" + found.group(), escaped)
    return Safe(_START.sub(_escape_start, escaped))


def unescaped(markdown: str) -> str:
    """The text that a reader sees of escaped text."""
    return re.sub(r"\\(.)", r"\1", markdown)


def _escape_start(found: re.Match[str]) -> str:
    mark = found.group()
    return f"{mark}\\" if mark[0].isalnum() else f"\\{mark}"


def _visible(text: str) -> str:
    return "".join(c for c in _SPACE.sub(" ", text) if c.isprintable() or c in _KEPT)


def code(text: str) -> Safe:
    """Inline code that holds `text` as it stands, whatever backticks it has."""
    visible = code_text(text)
    longest = max((len(run) for run in re.findall(r"`+", visible)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if visible.startswith("`") or visible.endswith("`") else ""
    return Safe(f"{fence}{padding}{visible}{padding}{fence}")


def code_text(text: str) -> str:
    """What a reader sees of a text as code."""
    # A bar would end the cell of a table, code or not.
    return _visible(text).replace("|", "\u00a6")


def yaml_text(text: str) -> Safe:
    """A double-quoted YAML scalar whose content pandoc reads as the plain `text`."""
    markdown = str(escape_markdown(text)).replace("\\", "\\\\").replace('"', '\\"')
    return Safe(f'"{markdown}"')


# `</script>` would end the element, and `<!--<script>` makes its own end tag a part of it. Inside
# JSON these characters stand only in texts, which may have them as numbers. The last two end a
# line where a script is read as JavaScript.
_ESCAPES = str.maketrans({mark: f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"})


def script_json(data: Any, **style: Any) -> str:
    """`data` as JSON that no text in it can end or swallow; `style` is that of `json.dumps`."""
    return json.dumps(data, ensure_ascii=False, **style).translate(_ESCAPES)
