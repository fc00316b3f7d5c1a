"""Text from outside is printed as it stands, in a paragraph, a table cell, and in code."""

import json
import re
import subprocess
from typing import Any

import pypandoc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_sizes.reporting.text.escaping import Safe, code, escape_markdown, yaml_text
from resnet_sizes.reporting.text.printed import plain

HOSTILE = [
    "<script>alert(1)</script>",
    "#sys.inputs",
    "`code` and ``more``",
    "*bold* _it_ **x** __y__ ~~z~~",
    "$x^2$ and a $ sign",
    "@tbl-x [@key] @someone",
    "\"double\" 'single' -- --- ...",
    "a|b \\ c {.class} {#id} {{< include x >}}",
    "1. not a list",
    "a) nor this",
    "- item",
    "+ item",
    "# heading",
    "::: {.div}",
    ": definition",
    "[link](http://example.org) ![image](x.png)",
    "https://example.org/a_b_c",
    "&amp; &lt;",
    "line\nbreak\n\nparagraph",
    "% title",
    "====",
    "(1) one",
    " - item after a space",
    "<< name >> <% if %>",
    "{{ name }} {% if %} {# x #}",
    '#import "x.typ": * #read("/etc/passwd") #{1+1}',
    "<img src=x onerror=alert(1)> &#60;script&#62;",
    "```{=html}\n<script>x</script>\n```",
    "{{< include /etc/passwd >}} {python} `{python} 1`",
    "$(touch x); rm -rf ~ | tee & 'x' > y",
    "🙂 👩\u200d🔬 é ñ 中文",
    "שלום عالم (1)",
    "نمی\u200cدانم",
    "\u202egnp.exe \u2066x\u2069",
]


def shown(markdown: str) -> list[str]:
    """The text of each paragraph, if pandoc finds nothing but words in them."""
    answer = subprocess.run(
        [pypandoc.get_pandoc_path(), "--from=markdown", "--to=json"],
        input=markdown, capture_output=True, text=True, check=True,
    )  # fmt: skip
    texts = []
    for block in json.loads(answer.stdout)["blocks"]:
        assert block["t"] in ("Para", "Plain"), block
        texts.append("".join(_words(inline) for inline in block["c"]))
    return texts


def _words(inline: dict[str, Any]) -> str:
    if inline["t"] == "Str":
        # After an abbreviation pandoc makes the space one that does not break.
        return str(inline["c"]).replace("\u00a0", " ")
    if inline["t"] == "Code":
        return str(inline["c"][1])
    assert inline["t"] in ("Space", "SoftBreak"), inline
    return " "


def as_shown(text: str) -> str:
    joiners = "\u200c\u200d"  # without them words of Persian and some emoji fall apart
    kept = (c for c in " ".join(text.split()) if c.isprintable() or c in joiners)
    return " ".join("".join(kept).split())


def test_hostile_texts_stay_texts() -> None:
    markdown = "\n\n".join(str(escape_markdown(text)) for text in HOSTILE)
    assert shown(markdown) == [as_shown(text) for text in HOSTILE]


@given(st.lists(st.text("aZ19 .:-_*`<>[](){}#+!|~^$@&\"'=;/%\\\n,é", min_size=1), max_size=60))
@settings(max_examples=40, deadline=None)
def test_any_text_stays_itself(texts: list[str]) -> None:
    kept = [text for text in texts if as_shown(text)]
    markdown = "\n\n".join(str(escape_markdown(text)) for text in kept)
    assert [as_shown(text) for text in shown(markdown)] == [as_shown(text) for text in kept]


@given(st.lists(st.text("a1 `|\\<$*\n", min_size=1), max_size=40))
@settings(max_examples=20, deadline=None)
def test_code_holds_any_text_but_a_bar(texts: list[str]) -> None:
    kept = [text for text in texts if as_shown(text)]
    markdown = "\n\n".join(str(code(text)) for text in kept)
    expected = [as_shown(text).replace("|", "\u00a6") for text in kept]
    assert [as_shown(text) for text in shown(markdown)] == expected


@pytest.mark.parametrize("text", ["a: b", 'say "x"', "back\\slash", "#x", "- y", "{a}"])
def test_a_title_survives_yaml_and_markdown(text: str) -> None:
    document = f"---\ntitle: {yaml_text(text)}\n---\n"
    answer = subprocess.run(
        [pypandoc.get_pandoc_path(), "--from=markdown", "--to=plain", "--standalone"],
        input=document, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert answer.stdout.strip() == text


@pytest.mark.parametrize("text", ['a "double" one', "a 'single' one", "a & b < c"])
def test_patterns_leave_escaped_text_as_it_is(text: str) -> None:
    escaped = escape_markdown(text)
    assert re.sub(r"(\w)", r"\1", escaped) == str(escaped)
    assert plain(f'[{escaped}]{{.v data-k="x"}}') == str(escaped)
    assert plain(Safe(f'[{escaped}]{{.v data-k="x"}}')) == str(escaped)
