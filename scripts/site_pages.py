"""Pages of the site that lie elsewhere in the project, and links to its files.

mkdocs reads docs/. The README, config/README.md and others stay where people look for them in the
project, and are pages of the site all the same; a link to any other file of the project leads to a
copy of it. Links are written as they work in the project.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]

PAGES = {
    "README.md": "index.md",
    "README.pt.md": "pt/index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "config/README.md": "configuration.md",
    "benchmarks/README.md": "benchmarks.md",
    "reference/README.md": "reference.md",
    "tests/fuzz/README.md": "fuzzing.md",
}
"""From a file of the project to its page."""

LINK = re.compile(
    r"""(?P<before>\]\(|<img src=")(?P<target>(?!\w+:)[^)\s"#]+)(?P<anchor>#[^)\s"]*)?"""
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie elsewhere, and each file of the project that a page links to."""
    sources = {f"docs/{page.src_uri}": page.content_string for page in files.documentation_pages()}
    for source, page in PAGES.items():
        sources[source] = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=sources[source]))
    for source, text in sources.items():
        for target in {_target(source, link["target"]) for link in LINK.finditer(text)}:
            place = _place(target)
            known = target in PAGES or target.startswith("docs/") or files.get_file_from_path(place)
            if not known and (ROOT / target).is_file():
                content = (ROOT / target).read_bytes()
                files.append(File.generated(config, place, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between files of the project into links between pages of the site."""
    here = page.file.src_uri
    source = next((own for own, name in PAGES.items() if name == here), f"docs/{here}")

    def link(match: re.Match[str]) -> str:
        target = _target(source, match["target"])
        if (ROOT / target).is_dir():
            target = posixpath.join(target, "README.md")
        place = posixpath.relpath(_place(target), posixpath.dirname(here) or ".")
        return match["before"] + place + (match["anchor"] or "")

    return LINK.sub(link, markdown)


def _target(source: str, link: str) -> str:
    """The file of the project that a link in one of its files leads to."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), link))


def _place(target: str) -> str:
    """Where a file of the project lies in the site."""
    if target.startswith("docs/"):
        return target.removeprefix("docs/")
    return PAGES.get(target, f"files/{target}")
