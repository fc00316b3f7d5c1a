"""The figures in the report: captions, descriptions, and the sentences that refer to them."""

import re
from typing import Any

import pytest
from report_prose import body_of, first_page
from report_studies import CACHED, DEMO, LITERAL, PARTIAL, article_of

from resnet_sizes.schemas.evidence.figures import FIGURE_NAMES

STUDIES: dict[str, dict[str, Any]] = {
    "full": {},
    "demo": DEMO,
    "partial": PARTIAL,
    "cached": CACHED,
    "literal": LITERAL,
    "one model": {"models": ("resnet50",)},
    "perfect": {"accuracies": dict.fromkeys(("resnet18", "resnet50", "resnet152"), 1.0)},
    "falling": {"accuracies": {"resnet18": 0.86, "resnet50": 0.81, "resnet152": 0.8}},
}


FIRST = "forest"
"""The figure of the first page."""


def figure_of(body: str, name: str) -> tuple[str, str, str]:
    """Caption, description and text of a figure. That of the first page has no caption."""
    identifier = "" if name == FIRST else f"#fig-{name} "
    found = re.search(
        rf'!\[([^\]]*)\]\(figure-{name}\.svg\)\{{{identifier}fig-alt="([^"]*)" width=100%\}}'
        r"\n\n(.*)",
        body,
    )
    assert found is not None, name
    caption, alt, text = found.groups()
    assert bool(caption) == (name != FIRST)
    return caption, alt, text


@pytest.mark.parametrize("study", STUDIES)
def test_each_figure_has_a_caption_a_description_and_a_sentence(study: str) -> None:
    body = article_of(**STUDIES[study])
    for name in FIGURE_NAMES:
        caption, alt, text = figure_of(body, name)
        assert (f"@fig-{name}" in text) == (name != FIRST)
        assert len(alt) > 80
        assert alt != caption
        assert not re.search(r"[a-z]{3}\.[A-Z]|\. \.|,,|;;|<<|>>|True", f"{alt} {text}")
    numbered = re.findall(r"\{#fig-([a-z]+) ", body)
    assert numbered == [name for name in FIGURE_NAMES if name != FIRST]  # 1 is the article's
    assert f"](figure-{FIRST}.svg)" in first_page(body)


def test_the_descriptions_say_what_the_figures_show() -> None:
    body = article_of()
    _, alt, text = figure_of(body, "pareto")
    assert "ResNet-18, 41 min e 80,84%" in alt
    assert "todas as redes" in text
    assert text.split(". ", 1)[1] in alt
    _, alt, text = figure_of(body, "accuracy")
    assert "81,84% no treinamento e 80,84% no teste na ResNet-18" in text
    _, alt, text = figure_of(body, "confusion")
    assert "“class-5” são tomadas por “class-6”" in text
    assert "A classe menos reconhecida é" in alt
    _, alt, text = figure_of(body, "forest")
    assert "80,84% no artigo e 80,84% aqui" in alt


def test_who_is_on_the_front_is_said_by_rule() -> None:
    _, _, text = figure_of(article_of(**STUDIES["falling"]), "pareto")
    assert "apenas a ResNet-18: nenhuma outra rede" in text
    some = {"resnet18": 0.80, "resnet50": 0.79, "resnet152": 0.85}
    _, _, text = figure_of(article_of(accuracies=some), "pareto")
    assert "as redes ResNet-18 e ResNet-152; fora dela, toda rede é superada" in text
    _, _, text = figure_of(article_of(models=("resnet50",)), "pareto")
    assert "só a ResNet-50 tem resultado" in text


@pytest.mark.parametrize(
    ("resnet50", "resnet152", "sentence"),
    [
        (
            0.8355,
            0.8594,
            "Os 5 valores do artigo que têm intervalo de predição ao lado estão, todos,",
        ),
        (0.70, 0.75, "ao lado, só 1 está dentro do seu."),
        (0.8355, 0.75, "ao lado, 3 estão dentro do seu."),
    ],
)
def test_it_is_said_how_many_printed_values_lie_inside_their_intervals(
    resnet50: float, resnet152: float, sentence: str
) -> None:
    accuracies = {"resnet18": 0.8084, "resnet50": resnet50, "resnet152": resnet152}
    _, _, text = figure_of(article_of(accuracies=accuracies), "forest")
    assert sentence in text


def test_computed_times_are_said_to_be_so() -> None:
    captions = [
        figure_of(article_of(**STUDIES[name]), "pareto")[0]
        for name in ("full", "cached", "literal")
    ]
    assert "calculados" not in captions[0]
    assert "os tempos são calculados" in captions[1]
    assert "os tempos com asterisco são calculados" in captions[2]
    assert "(leitura probe-224)" in captions[1]


def test_spreads_are_named_where_there_are_several_seeds() -> None:
    several, one = article_of(), article_of(seeds=(0,))
    assert "faixas" in figure_of(several, "accuracy")[0]
    assert "intervalo de predição" in figure_of(several, "forest")[2]
    for name in FIGURE_NAMES[1:]:
        assert not re.search("faixas|barras|sementes|intervalo", figure_of(one, name)[0])
    assert "não dá intervalo de predição" in figure_of(one, "forest")[2]


def test_without_a_printed_value_beside_ours_there_is_no_forest_plot() -> None:
    choices = {
        "models": ("resnet34",),
        "accuracies": {"resnet34": 0.8},
        "minutes": {"resnet34": 70},
        "losses": {"resnet34": (1.9, 0.8)},
    }
    body = article_of(**choices)
    assert "figure-forest" not in body
    assert "![" not in first_page(body)
    assert "{#fig-confusion" in body


def test_the_article_has_no_figure_without_a_file() -> None:
    body = body_of("---\n---\n" + article_of())
    named = set(re.findall(r"\]\((figure-[a-z]+\.svg)\)", body))
    assert named == {f"figure-{name}.svg" for name in FIGURE_NAMES}
