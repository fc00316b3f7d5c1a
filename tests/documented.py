"""What pages of docs/ tell a user to write, so that tests follow them to the letter."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def blocks(heading: str, kind: str, page: str = "docs/extending.md") -> list[str]:
    """The blocks of code of one kind below a heading, in their order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    [section] = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    found = re.findall(rf"^```{kind}\n(.*?)^```$", section, re.M | re.S)
    assert found, f"{page}: {heading} has no block of {kind}"
    return [str(each) for each in found]


def files(page: str) -> dict[str, str]:
    """The files that a page tells to write, by path: each stands in a block below a paragraph that
    names it and ends with a colon."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"((?:[^\n]+\n)*[^\n]+):\n\n```\w*\n(.*?)^```$", text, re.M | re.S)
    named = ((re.search(r"`((?:articles|config)/[^`*<]+)`", above), text) for above, text in found)
    return {path[1]: text for path, text in named if path}


def write_files(page: str, folder: Path, *beginnings: str) -> None:
    """Write those of a page whose paths have one of these beginnings."""
    written = [path for path in files(page) if path.startswith(beginnings)]
    assert written, f"{page}: tells to write nothing at {beginnings}"
    for path in written:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(files(page)[path], encoding="utf-8")
