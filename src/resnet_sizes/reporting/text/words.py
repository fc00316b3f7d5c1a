"""The words of one language: texts chosen by data, lists, names."""

import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from traceback import extract_tb
from typing import Any

from babel.lists import format_list
from jinja2 import StrictUndefined, TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from resnet_sizes.i18n.numbers import LOCALES, Number, rounded
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.shipped import OWN_TEMPLATES
from resnet_sizes.io.yaml import read_yaml
from resnet_sizes.reporting.text.escaping import Safe, escape_markdown
from resnet_sizes.schemas.article.article import OWN_FIGURES
from resnet_sizes.schemas.article.claims import CLAIM_KINDS
from resnet_sizes.schemas.article.columns import COLUMNS
from resnet_sizes.schemas.study.networks import NETWORKS
from resnet_sizes.schemas.study.sources import DataContent

AGAIN = "Correct it, then run the same command again."
TEXTS = ("texts.yaml", "verdicts.yaml")
"""The files of `report/<language>/` that hold texts; their keys are read together."""

SETTINGS = ("contents.", "images-are.", "readings.", "aspects.")
"""Texts that say what a choice of the configuration is, or of what the article leaves one open, and
may hold numbers that belong to it (a convolution of 7×7, the article's Figure 1). They carry their
key, so that these numbers are known."""

_NAMES = r"CIFAR-10|SHA-256|(?:FP|TF|BF|bf|fp)(?:16|32)|(?:IMAGENET1K_)?V[12]"


def without_names(text: str) -> str:
    """The text without the names of networks, number formats and the like that hold a number and
    say nothing by it."""
    labels = sorted((network.label for network in NETWORKS.values()), key=len, reverse=True)
    names = "|".join([*map(re.escape, labels), _NAMES])
    return re.sub(rf"(?<!\w)(?:{names})(?!\w)", " ", text)


def _printable(value: Any) -> Safe:
    """What an expression of a template prints: our own Markdown as it stands, text escaped.

    Numbers are refused, so that none reaches the page without a format.
    """
    if isinstance(value, StrictUndefined):
        str(value)  # raises, with the name that is not defined
    if hasattr(value, "__html__"):
        return Safe(value)
    if isinstance(value, str):
        return escape_markdown(value)
    raise TypeError(f"only text may be printed, not {value!r}: a number by << value(its key) >>")


class Sandbox(SandboxedEnvironment):
    """Templates may be somebody else's: what they are given prints texts and touches no file."""

    def is_safe_callable(self, obj: Any) -> bool:
        """Without the methods of paths, and of records, which read files."""
        module = str(getattr(obj, "__module__", ""))
        return not module.startswith(("pathlib", "pydantic")) and super().is_safe_callable(obj)


def make_environment(finalize: Callable[[Any], Any] | None = _printable, **options: Any) -> Sandbox:
    """A Jinja environment whose marks do not clash with Markdown, Quarto or pandoc.

    Autoescaping only makes macros return `Markup`; `finalize` is what escapes. Without it text is
    escaped for HTML.
    """
    return Sandbox(
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        undefined=StrictUndefined,
        autoescape=True,
        finalize=finalize,
        keep_trailing_newline=True,
        **options,
    )


def rendered(jinja: Sandbox, name: str, folder: Path, own: Path | None = None, **names: Any) -> str:
    """A template below `folder`, filled in. Raises UserError where there is none or it is wrong,
    for whatever fails in a file of an article's `own` folder."""
    try:
        return jinja.get_template(name).render(names)
    except TemplateSyntaxError as error:
        raise UserError(f"{error.filename}, line {error.lineno}: {error.message}") from None
    except SecurityError as error:
        raise UserError(f"{folder}: a template asks for what none may use: {error}") from None
    except Exception as error:
        frames = [each for each in extract_tb(error.__traceback__) if each.filename[-3:] == ".j2"]
        of_own = [each for each in frames if Path(each.filename).parent == own]
        if of_own or isinstance(error, UndefinedError):
            place, is_told = (of_own or frames)[-1], isinstance(error, UserError | TemplateError)
            # In a file of one's own the remedy for ours is none.
            told = re.sub(r" (Run|Add it to): .*", "", str(error), flags=re.DOTALL).rstrip(".")
            told = f"{'' if is_told else f'{type(error).__name__}: '}{told}. {AGAIN}"
            told = f"{place.filename}, line {place.lineno}: {told}".replace("?.", "?")
            raise UserError(told) from None
        if isinstance(error, TemplateNotFound):
            raise UserError(f"{folder}/{error.name}: no such template. {OWN_TEMPLATES}") from None
        raise


class Words:
    """The texts of one language, filled in, and lists."""

    def __init__(self, folder: Path, language: str, own: Path | None = None) -> None:
        """Read `TEXTS` from `folder`, `report/<language>`, and in the place of some of them those
        of an article's `own` folder, which has the words of columns, rules and figures from outside
        as well. Raises UserError where one is missing, and for an own text in nobody's place."""
        self.language = language
        self.folders = [folder] if own is None else [own, folder]
        """Where templates of this language are looked for, the article's own first."""
        self._texts: dict[str, Any] = {}
        self._files: dict[str, str] = {}
        for name in TEXTS:
            texts = read_yaml(folder / name, OWN_TEMPLATES)
            remedy = f"Its keys are those of {folder / name}."
            self._files |= dict.fromkeys(texts, name)
            if own and (path := own / name).is_file():
                texts = _replaced(texts, read_yaml(path, remedy) or {}, (), path, remedy)
            self._texts |= texts
        self._compiled = cache(make_environment().from_string)

    def find(self, key: str) -> Any:
        """What the files have under a dotted key: a text, its forms or parts, or None."""
        found: Any = self._texts
        for part in key.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return found

    def raw(self, key: str) -> str:
        """A text as it stands in the file; empty where there is none."""
        found = self.find(key)
        return found if isinstance(found, str) else ""

    def __call__(self, key: str, **fillings: Any) -> Safe:
        """The text under a dotted key, with its gaps filled. Raises UserError for no such text."""
        found = self.find(key)
        file = self.folders[0] / self._files.get(key.partition(".")[0], TEXTS[0])
        if not isinstance(found, str):
            raise UserError(f"there is no text {key!r}. Add it to: {file}")
        try:
            text = Safe(self._compiled(found).render(**fillings))
        except TemplateError as error:
            raise UserError(f"{file}: {key}: {error}; allowed: {', '.join(fillings)}.") from None
        if key.startswith(SETTINGS) and re.search(r"[0-9]", without_names(found)):
            return Safe(f'[{text}]{{.t data-t="{key}"}}')
        return text

    def plain(self, key: str, **fillings: str) -> str:
        """A text, filled in, that is not Markdown: nothing in it is escaped."""
        return str(self(key, **{name: Safe(text) for name, text in fillings.items()}))

    def counted(self, key: str, count: float, **fillings: Any) -> Safe:
        """The form of a text for a count: `zero` where it has one, `one`, or `other`."""
        form = "zero" if count == 0 else "one" if count == 1 else "other"
        return self(f"{key}.{form if self.find(f'{key}.{form}') else 'other'}", **fillings)

    def about(self, key: str, items: Iterable[str], gap: str = "items", **fillings: Any) -> Safe:
        """The form of a text for a list, which fills its `gap`; empty where the list is."""
        found = list(items)
        if not found:
            return Safe()
        return self.counted(key, len(found), **{gap: self.listed(found)}, **fillings)

    def listed(self, items: Iterable[str]) -> Safe:
        """`a, b e c`; plain text is escaped."""
        return Safe(
            format_list([str(_printable(item)) for item in items], locale=LOCALES[self.language])
        )

    def points(self, number: str, value: Number, digits: int = 2) -> Safe:
        """`number` with its unit, percentage points. What is printed of `value` decides between
        the forms: in Portuguese 1,99 is singular."""
        form = "one" if abs(rounded(value, digits)) < 2 else "other"
        return self(f"points.{form}", number=number)


COLUMN_WORDS = ("columns", "short-columns", "cells")
_ADDED = {"subjects": [*CLAIM_KINDS], "figures": [*OWN_FIGURES]}
_ADDED |= {section: [*COLUMNS] for section in (*COLUMN_WORDS, "figures.forest")}
"""Where the report may lack words: those of columns, rules and figures from outside."""


def _replaced(texts: Any, own: Any, keys: tuple[str, ...], file: Path, remedy: str) -> Any:
    """Texts with an article's own in the places of some."""
    above, name = ".".join(keys[:-1]), keys[-1] if keys else ""
    is_added = name in _ADDED.get(above, []) or above.removeprefix("figures.") in OWN_FIGURES
    if texts is None and (is_added or above == "sentences.comparisons"):
        texts = {} if isinstance(own, dict) else own
    if type(own) is not type(texts) or not isinstance(own, str | dict):
        place = ": ".join([str(file), *keys])
        raise UserError(f"{place}: has no text in the report to take the place of. {remedy}")
    if isinstance(own, str):
        return own
    return texts | {
        key: _replaced(texts.get(key), text, (*keys, key), file, remedy)
        for key, text in own.items()
    }


_CIFAR10: tuple[DataContent, ...] = ("cifar10", "cifar10-reencoded")
_LONGEST_CLASS = 14


def class_label(name: str, content: str, words: Words) -> str:
    """The name of a class of a dataset with this content, in the language of the words.

    CIFAR-10's classes have English names in its files; a user's own classes are called what the
    user called them.
    """
    return (content in _CIFAR10 and words.raw(f"class-names.{name}")) or name


def short_class_label(name: str, content: str, words: Words) -> str:
    """The same where there is little room."""
    label = class_label(name, content, words)
    return label if len(label) <= _LONGEST_CLASS else label[: _LONGEST_CLASS - 1] + "…"
