"""Characters that no font of the embedded engine has.

Typst refuses a PDF/UA in which a letter cannot be seen. A class may be named in any script, or
with an emoji, and that is no reason to have no report: such a character is printed as `�`, and
the page, whose browser has more fonts, holds it as it is.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_log = logging.getLogger(__name__)

_UNSEEN = re.compile(r'the text `"((?:[^"\\]|\\.)+)"` could not be displayed')
_CODE = re.compile(r"\\u\{([0-9a-f]+)\}")
_JOINERS = "\u200c\u200d\ufe0f"
REPLACEMENT = "\ufffd"


def undisplayable(said: str) -> set[str]:
    """The characters that Typst's errors say no font has; none if it says something else."""
    texts = (
        _CODE.sub(lambda found: chr(int(found[1], 16)), text) for text in _UNSEEN.findall(said)
    )
    return {character for text in texts for character in text if not character.isascii()}


@contextmanager
def replaced(missing: set[str], sources: Sequence[Path]) -> Iterator[None]:
    """Let the sources hold `�` in place of these characters for a while; say so to whoever
    renders the report."""
    _log.info(
        "The PDF has no letters for %s; it prints %s instead. The page has them.",
        ", ".join(f"U+{ord(character):04X}" for character in sorted(missing)),
        REPLACEMENT,
    )
    before = {source: source.read_text(encoding="utf-8") for source in sources}
    try:
        for source, text in before.items():
            source.write_text(without(text, missing), encoding="utf-8")
        yield
    finally:
        for source, text in before.items():
            source.write_text(text, encoding="utf-8")


def without(text: str, missing: set[str]) -> str:
    """The text with `�` in place of these characters."""
    return text.translate(
        {ord(character): "" if character in _JOINERS else REPLACEMENT for character in missing}
    )
