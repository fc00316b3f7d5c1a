"""Both languages of the report say the same, each in its own words."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from figure_studies import made_up
from matplotlib.text import Text
from report_prose import (
    ENGLISH,
    PORTUGUESE,
    body_of,
    check_language,
    foreign_words,
    numerals,
    skeleton,
)
from report_studies import (
    CACHED,
    DEMO,
    LITERAL,
    PARTIAL,
    SHARED,
    TEMPLATES,
    article_text,
    rendered,
    study_with_evidence,
)
from synthetic import own_readings

from resnet_sizes.reporting.figures.curves import draw_losses
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.render.pandoc import read_front_matter
from resnet_sizes.reporting.text.words import TEXTS, Words
from resnet_sizes.schemas.evidence.figures import ModelCurves

STUDIES: dict[str, dict[str, Any]] = {
    "full": {},
    "demo": DEMO,
    "partial": PARTIAL,
    "cached": CACHED,
    "shared": SHARED,
    "literal": LITERAL,
    "own": {
        "protocols": ("own",),
        "readings": {"own": {"weights": "own.pt", "precision": "auto"}},
        "training": {"gradient_accumulation": 2, "compile": "default"},
        "epochs": 1,
    },
}

GAP = re.compile(r"<<\s*(.*?)\s*>>")


def texts_of(language: str) -> dict[str, str]:
    """The texts of a language by dotted key."""

    def flat(found: Any, key: str) -> dict[str, str]:
        if isinstance(found, str):
            return {key: found}
        parts = [flat(part, f"{key}.{name}") for name, part in found.items()]
        return {name: text for part in parts for name, text in part.items()}

    files = [TEMPLATES / language / name for name in TEXTS]
    parts = [flat(yaml.safe_load(file.read_text(encoding="utf-8")), language) for file in files]
    return {key: text for part in parts for key, text in part.items()}


def test_both_languages_have_the_same_texts_with_the_same_gaps() -> None:
    pt, en = ({key[2:]: text for key, text in texts_of(name).items()} for name in ("pt", "en"))
    assert set(pt) == set(en)
    for key, text in pt.items():
        assert sorted(GAP.findall(text)) == sorted(GAP.findall(en[key])), key


def test_both_languages_have_the_same_templates_that_print_the_same() -> None:
    files = {name: sorted(p.name for p in (TEMPLATES / name).iterdir()) for name in ("pt", "en")}
    assert files["pt"] == files["en"]
    for file in files["pt"]:
        if file.endswith(".j2"):
            pt, en = ((TEMPLATES / name / file).read_text("utf-8") for name in ("pt", "en"))
            assert set(GAP.findall(pt)) == set(GAP.findall(en)), file


def test_templates_that_both_languages_share_have_no_words_of_their_own() -> None:
    for file in (TEMPLATES / "shared").glob("*.j2"):
        left = re.sub(r"(?s)<%.*?%>|<<.*?>>|<#.*?#>", "", file.read_text(encoding="utf-8"))
        assert not re.search(r"[^\W_]", left), file


def test_texts_that_are_the_same_in_both_languages_are_names_and_units() -> None:
    pt, en = ({key[2:]: text for key, text in texts_of(name).items()} for name in ("pt", "en"))
    same = {GAP.sub("", text).strip(" \u00a0()×:;,") for key, text in pt.items() if en[key] == text}
    names = {"Adam", "AdamW", "TF32", "BF16", "FP16", "CIFAR-10", "z", "p", "%", "p\u00a0 (Holm"}
    assert same <= {*names, "pixels", "min", "±", "–", "", *"✓◐✗○◇≡"}


def test_the_words_that_give_a_language_away_belong_to_one_alone() -> None:
    assert not ENGLISH & PORTUGUESE
    assert foreign_words("a acurácia of the network", "pt") == {"of", "the", "network"}
    assert foreign_words("the accuracy da rede, without repetição", "en") == {
        "da",
        "rede",
        "repetição",
    }
    assert not foreign_words("Ruhan Ávila da Conceição", "en")


@pytest.mark.parametrize("settings", STUDIES.values(), ids=STUDIES)
def test_every_kind_of_study_is_told_in_both_languages(settings: dict[str, Any]) -> None:
    pt, en = (
        article_text("pt", **settings),
        article_text("en", **settings),
    )  # checked where they are made
    assert 0.7 < len(body_of(en)) / len(body_of(pt)) < 1.1


def test_all_readings_of_the_configuration_are_told_in_both_languages(tmp_path: Path) -> None:
    names = ("probe-224", "probe-224-bn-train", "literal", "scratch-cifar-stem", "finetune-112")
    readings = own_readings(*names)
    settings: dict[str, Any] = {"protocols": names, "readings": readings, "epochs": 2}
    study = study_with_evidence(tmp_path, seeds=(0,), **settings)
    assert rendered(read_inputs(study, study.parent / "evidence"))


@pytest.mark.parametrize(
    ("place", "other"),
    [
        ("toc-title: Contents", "toc-title: Sumário"),
        ("tbl-title: Table", "tbl-title: Tabela"),
        ("## 1 Introduction", "## 1 Introdução"),
        ("| Batch size |", "| Tamanho do lote |"),
        ("Printed increments and", "Acréscimos impressos e"),
        ("Line chart with", "Gráfico de linhas com"),
        ("80.84%", "80,84%"),
        ("These verdicts hold", "Estes vereditos valem"),
        ("the article’s value", r"the article\'s value"),
    ],
)
def test_a_piece_left_in_the_other_language_is_found(place: str, other: str) -> None:
    qmd = article_text("en")
    assert place in qmd
    with pytest.raises(AssertionError):
        check_language(qmd.replace(place, other), "en")


@pytest.mark.parametrize(
    ("place", "other"),
    [
        ("## 1 Introdução", "## 1 Introduction"),
        ("toc-title: Sumário", "toc-title: Contents"),
        ("Gráfico de linhas com", "Line chart with"),
        ("Id. | Rede |", "Id. | Network |"),
        ("80,84%", "80.84%"),
    ],
)
def test_english_left_in_portuguese_is_found(place: str, other: str) -> None:
    qmd = article_text("pt")
    assert place in qmd
    with pytest.raises(AssertionError):
        check_language(qmd.replace(place, other), "pt")


def test_a_number_or_a_table_that_one_language_lacks_is_found() -> None:
    pt, en = article_text("pt"), article_text("en")
    assert numerals(en.replace("83.55%", "83.56%", 1), "en") != numerals(pt, "pt")
    assert skeleton(en.replace("{#tbl-artigo}", "")) != skeleton(pt)
    assert skeleton(en.replace("@tbl-artigo", "the table")) != skeleton(pt)


def test_the_labels_of_figures_are_of_one_language() -> None:
    accuracy = [[0.25, 0.5, 0.75]]
    curves = ModelCurves(
        model="resnet18",
        train_loss=[[1.5, 1.25, 0.5]],
        train_accuracy=accuracy,
        test_accuracy=accuracy,
    )
    labels: dict[str, set[str]] = {}
    for language in ("pt", "en"):
        shown = []
        for context in (made_up(language, curves=[curves]), made_up(language)):
            figure = draw_losses(context)
            figure.draw_without_rendering()  # labels of ticks are made late
            shown += [text.get_text() for text in figure.findobj(Text)]
        labels[language] = {text for text in shown if re.search(r"[^\d\W]", text)}
        assert not foreign_words(" ".join(labels[language]), language)
    assert labels["pt"] & labels["en"] == {"ResNet-18"}
    assert len(labels["pt"]) == len(labels["en"]) == 4


def test_lists_are_joined_as_the_language_does(words_in: Callable[[str], Words]) -> None:
    assert words_in("pt").listed(["a", "b", "c"]) == "a, b e c"
    assert words_in("en").listed(["a", "b", "c"]) == "a, b and c"


def test_the_page_leads_to_the_other_language_only_where_the_study_has_it() -> None:
    def included(qmd: str) -> Any:
        return read_front_matter(qmd)["format"]["html"]["include-before-body"]

    both = ["skip-link.html", "language-link.html"]
    assert included(article_text("pt")) == included(article_text("en")) == both
    one = {"name": "x1", "languages": ("pt",)}
    assert included(article_text("pt", **one)) == ["skip-link.html"]
