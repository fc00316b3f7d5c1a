"""What the tests of the report share."""

import json
from collections.abc import Callable
from typing import Any

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

    return lambda language: Words(TEMPLATES / language / "texts.yaml", language)


@pytest.fixture(scope="session")
def article() -> Article:
    return load_article(ARTICLE)


@pytest.fixture(scope="session")
def article_text(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """The `.qmd` of a synthetic study, made once for each set of settings."""
    from report_studies import in_both_languages, study_with_evidence

    from resnet_sizes.reporting.inputs import read_inputs

    made: dict[str, dict[str, str]] = {}

    def render(language: str = "pt", **settings: Any) -> str:
        key = json.dumps(settings, sort_keys=True, default=str)
        if key not in made:
            study = study_with_evidence(tmp_path_factory.mktemp("study"), **settings)
            made[key] = in_both_languages(read_inputs(study, study.parent / "evidence"))
        return made[key][language]

    return render
