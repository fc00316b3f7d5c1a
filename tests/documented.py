"""What docs/extending.md tells a user to write, so that tests follow it to the letter."""

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
