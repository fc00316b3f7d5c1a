"""The form of the `.qmd`: what it uses of Quarto, its language, and no code left over."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_prose import body_of, first_page
from report_studies import (
    CACHED,
    DEMO,
    LITERAL,
    PARTIAL,
    SHARED,
    TEMPLATES,
    article_text,
    context_of,
    study_with_evidence,
)

from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.render.pandoc import read_front_matter
from resnet_sizes.reporting.sections.article import render_article
from resnet_sizes.reporting.text.printed import plain


def test_text_of_the_configuration_and_of_the_machine_is_escaped(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    inputs = read_inputs(study, study.parent / "evidence")
    hostile = '<script>x</script> #sys `a` *b* $c$ @tbl-x "q" | {{< include y >}}'
    device = inputs.record.values["hardware.device"].model_copy(update={"value": hostile})
    values = inputs.record.model_copy(
        update={"values": inputs.record.values | {"hardware.device": device}}
    )
    changed = replace(inputs, record=values)
    qmd = plain(render_article(context_of(changed), TEMPLATES, choose_engine("pandoc")).text)
    assert "<script>" not in qmd
    assert "{{<" not in qmd
    assert r"\<script\>x\</script\> \#sys \`a\` \*b\* \$c\$ \@tbl-x \"q\" \|" in qmd


# What the .qmd may use of Quarto: each is in the documentation of the version that we ask for.
DIV = re.compile(
    r"::: (\{\.(autoria|aviso|resumo|nota)\}|\{#resumo \.resumo\}"
    r"|\{\.(papel|provas)\}|\{#confira-\w+ \.prova verdict=\"[^\"]+\" commands=\"[^\"]+\"\}"
    r"|\{#(qdr|tbl-quadro)-[a-z0-9-]+\}|\{#refs\})"
)

ATTRIBUTES = re.compile(
    r"\{(#(tbl|fig|qdr)-[a-z0-9-]+( fig-alt=\"[^\"]*\" width=100%)?|#[a-z0-9-]+|\.[a-z]+"
    r"|#confira-[^}]+|#resumo \.resumo|fig-alt=\"[^\"]*\" width=100%|lang=\"[A-Za-z-]+\")\}"
)


@pytest.mark.parametrize("language", ["pt", "en"])
@pytest.mark.parametrize(
    "settings",
    [{}, DEMO, PARTIAL, CACHED, LITERAL, SHARED],
    ids=["full", "demo", "partial", "cached", "literal", "shared"],
)
def test_the_qmd_keeps_to_the_syntax_that_both_engines_know(
    settings: dict[str, Any], language: str
) -> None:
    qmd = article_text(language, **settings)
    read_front_matter(qmd)  # raises for a key that the embedded engine would ignore
    body = re.sub(r"(?s)```\n.*?\n```", "", body_of(qmd))
    assert "{{<" not in body
    assert not re.search(r"(?m)^```", body)
    assert not re.search(r"<[a-z/!]", body)  # no HTML
    assert "$" not in body  # no mathematics: Quarto would fetch a script for it
    opened = re.findall(r"(?m)^:::+ .*$", body)
    assert all(DIV.fullmatch(line) or line == ":::: {.referencias}" for line in opened)
    assert len(re.findall(r"(?m)^:::+$", body)) == len(opened)
    for found in re.findall(r"(?<!\\)\{[^}]*\}", body):
        assert ATTRIBUTES.fullmatch(found), found
    # Only the picture of the first page has neither caption nor id.
    assert re.findall(r"!\[\]\((.*?)\)", body) == re.findall(r"\((.*?)\)\{fig-alt", body)
    assert re.findall(r"!\[\]\((.*?)\)", first_page(body)) == ["figure-forest.svg"]
    assert body.count("![](") == 1
    ids = re.findall(r"\{#((?:tbl|fig|qdr)-[a-z0-9-]+)", body)
    assert len(ids) == len(set(ids))
    references = re.findall(r"(?<![\[\\;-])@((?:tbl|fig|qdr)-[a-z0-9-]+)", body)
    assert set(references) <= set(ids)


def test_every_table_but_the_summary_s_has_an_id() -> None:
    # A caption there would make it Tabela 1, which is the article's.
    body = body_of(article_text(**CACHED)).partition("\n## 1")[2]
    tables = len(re.findall(r"(?m)^\|:--", body))
    assert tables == len(re.findall(r"\{#(?:tbl|qdr)-", body))
