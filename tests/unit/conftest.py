"""What the tests of the report share."""

from collections.abc import Callable

import pytest
from synthetic import ARTICLE

from resnet_sizes.reporting.text.words import Words
from resnet_sizes.schemas.article.article import Article, load_article


@pytest.fixture(scope="session")
def words(words_in: Callable[[str], Words]) -> Words:
    return words_in("pt")


@pytest.fixture(scope="session")
def words_in() -> Callable[[str], Words]:
    """The words of a language."""
    from report_studies import TEMPLATES

    return lambda language: Words(TEMPLATES / language, language)


@pytest.fixture(scope="session")
def article() -> Article:
    return load_article(ARTICLE)
