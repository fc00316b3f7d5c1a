"""An article's own prose and bibliography, looked at before anything is trained for a report."""

import re
from pathlib import Path
from typing import get_args

from jinja2 import TemplateSyntaxError, meta

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_bytes
from resnet_sizes.io.messages import did_you_mean
from resnet_sizes.io.shipped import shipped
from resnet_sizes.reporting.text.words import AGAIN, COLUMN_WORDS, Words, make_environment
from resnet_sizes.schemas.article.article import OWN_FIGURES, Article, load_article
from resnet_sizes.schemas.article.folder import ArticleFolder
from resnet_sizes.schemas.study.protocol import Language

_REFERENCE = re.compile(r"(?<![\w\\@])@\{?(\w+(?:[:.#$%&+?<>~/-]+\w+)*)")
"""A citation, or a reference to a figure or table, as pandoc reads it."""
_ENTRY = re.compile(r"(?im)^[^%@\n]*@\s*(?!comment|string|preamble)\w+\s*\{\s*([^\s,{}]+)\s*,")
_NO_MARKDOWN = re.compile(r"<[<%#].*?[>%#]>|`[^`\n]*`", re.DOTALL)
_FLOAT = re.compile(r"\{#((?:fig|tbl)-[\w-]+)")


def check_article(path: Path) -> Article:
    """An article file. Raises UserError where it, or what lies beside it, makes no report."""
    article = load_article(path)
    check_prose(article, ArticleFolder(path), shipped("report"))
    return article


def check_prose(article: Article, folder: ArticleFolder, templates: Path) -> None:
    """Raise UserError for files beside an article that nothing reads, or that the report could not
    be made of, for words that it lacks, and for references to what is in no bibliography and no
    template: pandoc would not say who asked."""
    shared, effect = templates / "assets" / "references.bib", article.judging.seed_deviation
    bibliography = [_read(path)[0] for path in (folder.references, shared) if path.is_file()]
    keys = _ENTRY.findall("\n".join(bibliography))
    cited = [(f"{folder.file}: article.reference", article.article.reference or "")]
    cited += [(f"{folder.file}: judging.seed_deviation", (effect and effect.reference) or "")]
    files = [(path, [*get_args(Language)]) for path in _seen(folder.folder / "prose")]
    for language in folder.languages or article.languages:
        words = Words(templates / language, language, folder.prose(language))
        needed = [f"{part}.{name}" for part in COLUMN_WORDS for name in article.columns]
        if article.figure in OWN_FIGURES:
            needed += [f"figures.{article.figure}.{part}" for part in ("caption", "alt", "text")]
        for key in needed if language in article.languages else []:
            words(key)
        own = {path: _read(path) for path in _seen(folder.prose(language)) if path.is_file()}
        names = [path.name for path in (templates / language).iterdir()]
        names += [name for _, named in own.values() for name in named]
        files += [(path, names) for path in own]
        there = "".join(_read(path)[0] for path in [*templates.glob("*/*.j2"), *own])
        # Of some tables a template ends the id by the reading's place.
        floats = (f"fig-{article.figure}", *_FLOAT.findall(there))
        for path, (text, _) in own.items():
            markdown = _NO_MARKDOWN.sub(lambda it: "\n" * it[0].count("\n"), text)
            for number, line in enumerate(markdown.splitlines(), 1):
                found = [key for key in _REFERENCE.findall(line) if not key.startswith(floats)]
                cited += [(f"{path}, line {number}", key) for key in found]
    for path, names in files:
        if path.name not in names:
            hint = f"allowed: {', '.join(sorted(names))}.{did_you_mean(path.name, names)}"
            raise UserError(f"{path}: nothing reads it; {hint} Rename it, and run it again.")
    for place, key in cited:
        if key and key not in keys:
            hint = f"nor in {shared}, and no float of the report.{did_you_mean(key, keys)}"
            problem = f"{key!r} is no key in {folder.references}, {hint}"
            raise UserError(f"{place}: {problem} Add the entry, or leave the reference out.")


def _seen(folder: Path) -> list[Path]:
    """What lies in a folder, without what editors and systems leave there."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in paths if not path.name.startswith((".", "#")) and "~" not in path.name]


def _read(path: Path) -> tuple[str, list[str]]:
    """The text of a file, and the templates that it names where it is one."""
    content = read_bytes(path, AGAIN)
    try:
        text = content.decode()
        # Comments of YAML may hold a template's marks.
        source = re.sub(r"(?m)^ *#.*", "", text) if path.suffix != ".bib" else ""
        named = meta.find_referenced_templates(make_environment().parse(source))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}, line {line}: is not UTF-8. Save it as UTF-8. {AGAIN}") from None
    except TemplateSyntaxError as error:
        raise UserError(f"{path}, line {error.lineno}: {error.message}. {AGAIN}") from None
    return text, [name for name in named if name]
