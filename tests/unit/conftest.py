"""What the tests of the report share."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from synthetic import LEDGER

from resnet_sizes.records.ledger import Ledger
from resnet_sizes.records.ledger_file import load_ledger
from resnet_sizes.reporting.words import Words


@pytest.fixture(scope="session")
def words() -> Words:
    from report_studies import TEMPLATES

    return Words(TEMPLATES / "pt" / "texts.yaml", "pt")


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    return load_ledger(LEDGER)


@pytest.fixture(scope="session")
def article(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """The `.qmd` of a synthetic study, made once for each set of settings."""
    from report_studies import TEMPLATES, study_with_evidence

    from resnet_sizes.reporting.engines import choose_engine
    from resnet_sizes.reporting.inputs import read_inputs
    from resnet_sizes.reporting.printed import plain
    from resnet_sizes.reporting.render import render_article

    made: dict[str, str] = {}

    def render(**settings: Any) -> str:
        key = json.dumps(settings, sort_keys=True, default=str)
        if key not in made:
            study = study_with_evidence(tmp_path_factory.mktemp("study"), **settings)
            inputs = read_inputs(study, study.parent / "evidence")
            rendered = render_article(inputs, TEMPLATES, "pt", choose_engine("pandoc"))
            made[key] = plain(rendered.text)  # as a reader sees it
        return made[key]

    return render
