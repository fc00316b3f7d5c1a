"""What a report says of an article of one's own: its images, its training, what it left open."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from report_studies import TEMPLATES
from synthetic import make_study
from test_article_folders import own_article, written
from test_second_article import ARTICLE as SECOND
from test_second_article import RESULTS, evidence_of
from typer.testing import CliRunner

from resnet_sizes.cli.app import app
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.article.article import ANSWERED

DECLARED = RESULTS | {"content": "article"}


def changed(setup: dict[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
    """The second article on images that the program does not know."""
    content = yaml.safe_load(SECOND)
    content["setup"] |= {"data": "CIFAR-100", "train_images": 50_000, "test_images": 10_000}
    content["setup"] |= setup or {}
    for claim in content["claims"]:
        if "needs" in claim:
            claim["needs"]["data"] = ["article"]
    return content | keys


def refusal(path: Path) -> str:
    """How `audit`, which comes before any run, refuses an article file."""
    error = CliRunner().invoke(app, ["audit", str(path)]).exception
    assert isinstance(error, UserError)
    return str(error)


def verdicts_on(folder: Path, **results: Any) -> dict[str, str]:
    study = make_study(folder, article=own_article(folder / "own", changed()), **results)
    return {each["id"]: each["verdict"] for each in evidence_of(study)["verdicts"]}


def test_images_of_the_user_are_the_article_s_only_where_that_is_declared(tmp_path: Path) -> None:
    assert verdicts_on(tmp_path / "1", **DECLARED)["S1"] == "supported"
    for content in ("other", "cifar10", "digits"):
        found = verdicts_on(tmp_path / content, **RESULTS | {"content": content})
        assert [found[name] for name in ("S1", "S2", "T1")] == ["not-comparable"] * 3


def test_a_claim_cannot_be_tested_on_any_images_whatever(tmp_path: Path) -> None:
    content = changed()
    content["claims"][0]["needs"]["data"] = ["other"]
    said = refusal(own_article(tmp_path, content))
    assert "claims" in said
    assert "allowed: 'cifar10', 'cifar10-reencoded', 'digits' or 'article'" in said


@pytest.mark.parametrize("language", ["pt", "en"])
def test_the_report_calls_images_by_the_article_s_name(tmp_path: Path, language: str) -> None:
    path = own_article(tmp_path / "own", changed())
    text = written(tmp_path / "same", path, language, **DECLARED)
    assert text.count("CIFAR-100") >= 2  # the introduction, and the table of methods
    assert {"en": "declared by whoever made", "pt": "Quem fez o estudo declara"}[language] in text
    text = written(tmp_path / "other", path, language, **RESULTS | {"content": "other"})
    assert {"en": "the images, however, are", "pt": "as imagens, porém, são"}[language] in text


STATED = {
    "optimiser": {"pt": "SGD com Nesterov", "en": "SGD with Nesterov"},
    "momentum": 0.9,
    "weight_decay": 0.0005,
    "schedule": {"pt": "dividida por 5 na época 60", "en": "divided by 5 at epoch 60"},
    "validation": 5000,
}


def test_what_the_article_says_of_training_stands_beside_what_was_done(tmp_path: Path) -> None:
    content = changed(STATED)
    content["article"]["quoted"] = {"pt": "De segunda mão.", "en": "Second-hand, of a text."}
    path = own_article(tmp_path / "own", content)
    reading = {"scratch-32": {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.0}}
    rows = written(tmp_path, path, "en", **DECLARED, readings=reading).splitlines()
    assert "| Momentum | 0.9 | 0.9 |" in rows
    departs = "this reading departs from what the article says"
    assert f"| Weight decay | 0.0005 | 0: {departs} |" in rows
    course = "| Course of the learning rate | divided by 5 at epoch 60 |"
    assert f"{course} constant learning rate |" in rows
    held = "none; all training images were trained on"
    assert f"| Images held out for validation | 5,000 | {held} |" in rows
    assert "| Data augmentation | – | no data augmentation |" in rows
    assert "- Second-hand, of a text." in rows
    others = "the number of images held out for validation and the weight decay"
    assert f"- Not as in the article: {others}." in rows


def choice(**keys: Any) -> dict[str, Any]:
    return {"id": "nesterov", "text": {"pt": "se houve", "en": "whether so"}} | keys


def test_an_open_choice_without_an_answer_is_refused_before_any_run(tmp_path: Path) -> None:
    said = refusal(own_article(tmp_path, changed(open_choices=[choice()])))
    assert "open_choices" in said
    assert "nesterov" in said
    assert all(name in said for name in ANSWERED)
    twice = [choice(id="gpu"), choice(id="gpu")]
    assert "gpu stands twice" in refusal(own_article(tmp_path, changed(open_choices=twice)))


def test_an_open_choice_may_bring_its_own_answer(tmp_path: Path) -> None:
    words = {"aspect": {"pt": "Nesterov", "en": "Nesterov"}, "answer": {"pt": "não", "en": "no"}}
    path = own_article(tmp_path / "own", changed(open_choices=[choice(**words)]))
    rows = written(tmp_path, path, "en", **DECLARED).splitlines()
    assert "| Nesterov | does not say whether so | no |" in rows


def test_every_open_choice_with_an_answer_is_in_the_templates_and_the_docs() -> None:
    template = (TEMPLATES / "shared" / "recipes.j2").read_text(encoding="utf-8")
    docs = (TEMPLATES.parent / "docs" / "articles.md").read_text(encoding="utf-8")
    answers = template.split("set answers = {")[1].split("}")[0]
    assert [line.split('"')[1] for line in answers.splitlines() if '"' in line] == [*ANSWERED]
    assert all(f"`{name}`" in docs for name in ANSWERED)
