"""Nothing that the article says is forgotten, and nothing is judged that it does not say."""

from pathlib import Path
from typing import Any, get_args

import yaml
from synthetic import ARTICLE

from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.article.claims.base import Place

STATEMENTS: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("article_statements.yaml").read_text(encoding="utf-8")
)
NAMED = {name for found in STATEMENTS.values() for each in found for name in each["ids"]}


def test_every_statement_of_the_article_is_held_by_the_article_file() -> None:
    article = load_article(ARTICLE)
    known = {item.id for item in (*article.claims, *article.untestable, *article.stated)}
    stated = {f"setup.{name}" for name, value in article.setup if value is not None}
    for section, statements in STATEMENTS.items():
        for each in statements:
            assert each["ids"], (section, each["says"])
            assert set(each["ids"]) <= known | stated, (section, each["says"])


def test_every_entry_of_the_article_file_is_a_statement_of_the_article() -> None:
    article = load_article(ARTICLE)
    for item in (*article.claims, *article.untestable, *article.stated):
        assert item.id in NAMED, item.id
    # The division of the images is CIFAR-10's own, as the file says.
    stated = {name for name, value in article.setup if value is not None}
    assert {f"setup.{name}" for name in stated - {"train_images", "test_images"}} <= NAMED


def test_an_entry_has_its_place_where_the_article_says_it() -> None:
    article = load_article(ARTICLE)
    assert set(STATEMENTS) == set(get_args(Place)) - {"table"}
    for item in (*article.claims, *article.untestable):
        sections = {
            section
            for section, found in STATEMENTS.items()
            if any(item.id in each["ids"] for each in found)
        }
        # What the table prints, the text says as well.
        assert item.place in sections or item.place == "table", item.id


def test_what_no_data_can_test_has_a_reason_and_no_verdict() -> None:
    article = load_article(ARTICLE)
    assert [item.id for item in article.untestable] == [f"U{number}" for number in range(1, 9)]
    for item in article.untestable:
        assert item.reason.pt != item.reason.en
        assert item.reason.pt.endswith("."), item.id
        assert item.reason.en.endswith("."), item.id
