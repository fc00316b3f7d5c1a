"""The entries of the bibliography, for the check of the numbers in references and citations."""

import re
from pathlib import Path

FILE = "references.bib"

_DATE = re.compile(r'^\s*(?:year|date)\s*=\s*[{"](.*)[}"],?\s*$', re.MULTILINE)


def read_entries(file: Path) -> dict[str, str]:
    """The text of each entry of a BibTeX file, by its key."""
    parts = re.split(r"(?m)^@\w+\{", file.read_text(encoding="utf-8"))[1:]
    return {key.strip(): entry for key, _, entry in (part.partition(",") for part in parts)}


def date_of(entry: str) -> str:
    """When what an entry names came out, as the entry says it; empty where it does not."""
    return " ".join(_DATE.findall(entry))
