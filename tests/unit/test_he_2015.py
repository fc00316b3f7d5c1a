"""The second shipped article: residual and plain networks by their errors, in English alone."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from report_studies import TEMPLATES, context_of
from synthetic import make_study

from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.sections.article import render_article
from resnet_sizes.reporting.text.printed import plain
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.evidence.verdicts import Verdict
from resnet_sizes.study.loading import load_study

ROOT = Path(__file__).parents[2]
HE = ROOT / "articles/he-2015/article.yaml"
CONFIG = ROOT / "config/he-2015.yaml"

ERRORS = {
    "resnet20": 8.75, "resnet32": 7.51, "resnet44": 7.17, "resnet56": 6.97, "resnet110": 6.61,
    "plain20": 9.2, "plain32": 9.9, "plain44": 11.3, "plain56": 13.6,
}  # fmt: skip
"""In percent: of residual networks those of the article, of plain ones made up."""

SPREAD = (-0.2, -0.1, 0.0, 0.1, 0.2)
"""Of five seeds, with the deviation of 0.16 that the article prints."""


def he_study(folder: Path, **changes: Any) -> Path:
    """A study with the shipped configuration's reading and the article's errors."""
    whole = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    settings: dict[str, Any] = {
        "article": HE,
        "models": list(ERRORS),
        "protocols": ["sgd-64k"],
        "readings": whole["protocol_definitions"],
        "seeds": whole["seeds"],
        "accuracies": {
            name: [(100 - error - off) / 100 for off in SPREAD] for name, error in ERRORS.items()
        },
        "minutes": {name: [10 + place] * 5 for place, name in enumerate(ERRORS)},
        "losses": dict.fromkeys(ERRORS, (2.0, 0.1)),
        "epochs": None,
        "batch_size": 128,
        "learning_rate": 0.1,
        "training": {"iterations": 64000},
        "languages": ["en"],
    }
    return make_study(folder, **settings | changes)


@pytest.fixture(scope="module")
def as_printed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with the article's errors, and its evidence."""
    study = he_study(tmp_path_factory.mktemp("he"))
    verdicts_of(study)
    return study


def verdicts_of(study: Path) -> dict[str, Verdict]:
    found = build_evidence(study, study.parent / "evidence", allow_partial=True)
    return {each.id: each for each in found.verdicts}


def test_the_shipped_study_is_set_up_as_the_article_says() -> None:
    study, setup = load_study([CONFIG], ROOT / "config/config.yaml"), load_article(HE).setup
    training = study.training
    assert (training.iterations, training.epochs) == (setup.iterations, None) == (64_000, None)
    assert (training.batch_size, training.learning_rate) == (setup.batch_size, setup.learning_rate)
    recipe = study.protocol_definitions["sgd-64k"].recipe_for("resnet56")
    assert (recipe.optimizer, recipe.momentum, recipe.weight_decay) == ("sgd", 0.9, 1e-4)
    assert (recipe.milestones, recipe.factor) == ([32_000, 48_000], 0.1)
    warm = study.protocol_definitions["sgd-64k"].recipe_for("resnet110").warmup
    assert warm is not None
    assert (warm.learning_rate, warm.until_train_error) == (0.01, 0.8)
    assert recipe.warmup is None
    assert {*study.models} == {*ERRORS}
    assert study.report.languages == ["en"]


def test_results_as_the_article_s_support_it(as_printed: Path) -> None:
    found = read_inputs(as_printed, as_printed.parent / "evidence").verdicts.verdicts
    verdicts = {each.id: each for each in found}
    names = {name: verdict.verdict for name, verdict in verdicts.items()}
    assert list(names) == [claim.id for claim in load_article(HE).claims]
    # With five seeds 0.2 points between two of the depths cannot be told from chance.
    assert names.pop("S1") == "within-noise"
    by_data = {name: names.pop(name) for name in ("S2", "S3", "S4", "S5", "T3", "T6", "T9", "T12")}
    assert set(by_data.values()) == {"supported"}
    # Layers and parameters, each as printed.
    assert len(names) == 10
    assert set(names.values()) == {"true-by-construction"}
    mean, one = (verdicts[name].basis for name in ("S4", "T12"))
    assert mean is not None
    assert one is not None
    assert mean.prediction is not None
    assert one.prediction is not None
    # t · s · √(1/5 + 1/5) beside t · s · √(1 + 1/5)
    ratio = (mean.prediction.high or 0) - (mean.prediction.low or 0)
    assert ratio / ((one.prediction.high or 0) - (one.prediction.low or 0)) == pytest.approx(
        (2 / 6) ** 0.5, rel=1e-3
    )


def test_plain_networks_that_do_not_get_worse_contradict_it(tmp_path: Path) -> None:
    plain = {"plain20": 9.0, "plain32": 8.0, "plain44": 7.0, "plain56": 6.0}
    better = {
        name: [(100 - error - off) / 100 for off in SPREAD]
        for name, error in (ERRORS | plain).items()
    }
    verdicts = verdicts_of(he_study(tmp_path, accuracies=better))
    assert verdicts["S5"].verdict == "contradicted"
    assert verdicts["S2"].verdict == "contradicted"
    assert verdicts["S3"].verdict == "contradicted"


def test_a_shorter_schedule_is_no_test_of_it(tmp_path: Path) -> None:
    shorter = {"iterations": 50_000}
    verdicts = verdicts_of(he_study(tmp_path, training=shorter))
    assert verdicts["S2"].verdict == "not-comparable"
    assert verdicts["S2"].reasons == ["other-iterations"]


def test_its_report_has_its_columns_and_figure_and_is_in_english(as_printed: Path) -> None:
    context = context_of(read_inputs(as_printed, as_printed.parent / "evidence"), "en")
    text = str(plain(render_article(context, TEMPLATES, choose_engine("pandoc")).text))
    table = (as_printed.parent / "evidence/table.csv").read_text(encoding="utf-8").splitlines()
    assert table[0] == "network,layers,parameters,error,error_sd"
    assert table[-1] == "ResNet-110,110,1.727962,6.61,0.158113883008"
    assert " | Layers | Parameters (millions) | Error |" in text
    assert "| *in the article* | 110 | 1.7 | 6.43% |" in text
    assert "| ResNet-110 | 110 | 1.73 | 6.61% ± 0.16 |" in text
    assert "figure-error.svg" in text
    assert "0.16 percentage points" in text
    # The best of five runs is not held against the interval of one.
    assert "ResNet-110, 6.43% in the article" not in text
    assert "ResNet-56, 6.97% in the article and 6.97% here" in text
    assert "minutes of the article" not in text
