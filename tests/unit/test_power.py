"""`resnet-sizes study power`: which claims so many seeds can settle, before any training."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from resnet_sizes.cli.app import app
from resnet_sizes.forecast.power import truth_of
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.study.study import Study

REPOSITORY = Path(__file__).parents[2]
LOSS_CLAIMS = {"S6", "S7", "S8", "S9", "S10", "S12"}


def power(folder: Path, overlay: str, *options: str) -> Result:
    path = folder / "overlay.yaml"
    path.write_text(overlay, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        return CliRunner().invoke(app, ["study", "power", str(path), *options])


def as_json(folder: Path, overlay: str, *options: str) -> dict[str, Any]:
    done = power(folder, overlay, "--format", "json", *options)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def shares(reading: dict[str, Any], claim: str) -> tuple[float, float]:
    """In which share of the studies the claim is supported: now, and with one seed more."""
    (found,) = [each for each in reading["claims"] if each["id"] == claim]
    return found["now"]["supported"], found["one_more"]["supported"]


def test_five_seeds_settle_the_knee_and_three_do_so_half_of_the_time(tmp_path: Path) -> None:
    settings = "protocols: [probe-224]\nseeds: "
    options = ("--deviation", "0.3", "--simulations", "60")
    (three,) = as_json(tmp_path, f"{settings} [0, 1, 2]", *options)["readings"]
    (five,) = as_json(tmp_path, f"{settings} [0, 1, 2, 3, 4]", *options)["readings"]
    # Power of 53 % and of 82 % and more, and two standard errors of 60 studies.
    assert 0.40 <= shares(three, "S13")[0] <= 0.66
    assert shares(five, "S13")[0] >= 0.82
    assert shares(three, "T11")[0] < shares(five, "T11")[0]
    assert shares(three, "S13")[1] > shares(three, "S13")[0]
    # What is true is never told to be false.
    assert all(each["now"]["contradicted"] <= 0.05 for each in five["claims"])


def test_claims_are_told_by_protocol_with_its_own_seeds(tmp_path: Path) -> None:
    overlay = "seeds: {probe-224: [0, 1, 2, 3], scratch-32: [0]}"
    found = as_json(tmp_path, overlay, "--simulations", "4")
    probe, scratch, together = found["readings"]
    assert (probe["protocol"], probe["seeds"]) == ("probe-224", 4)
    assert (scratch["protocol"], scratch["seeds"]) == ("scratch-32", 1)
    assert shares(probe, "S1") == (1, 1)
    assert shares(scratch, "S1") == (0, 0)  # fewer than the claim asks for
    assert together["protocol"] is together["seeds"] is None
    assert found["excluded"] == ["scratch-32"]  # by the article's minutes
    assert shares(together, "S1") == (1, 1)
    assert found["deviation_points"] == 0.4  # of articles/santos-2024/article.yaml
    judged = {claim["id"] for claim in probe["claims"]}
    assert not judged & LOSS_CLAIMS
    assert set(found["not_simulated"]) >= LOSS_CLAIMS
    assert {probe["never"][cell] for cell in ("T3", "T6", "T9")} == {"device-not-stated"}


def test_the_table_says_what_decides_a_claim_and_is_the_same_each_time(tmp_path: Path) -> None:
    overlay = "protocols: [probe-224]\nseeds: [0, 1]"
    done = power(tmp_path, overlay, "--simulations", "4", "--deviation", "0.1")
    again = power(tmp_path, overlay, "--simulations", "4", "--deviation", "0.1")
    assert done.stdout == again.stdout
    assert "probe-224, 2 seeds, and one more; no claim is decided by fewer than 3\n" in done.stdout
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("S1 ")]
    cells = re.split(r"  +", row)
    assert cells[:4] == ["S1", "0 / 0 / 1", "1 / 0 / 0", "one more"]
    assert cells[4].startswith("Accuracy rises with depth")
    assert "what decides it in 80% of the studies or more" in done.stdout
    assert "Not simulated, since the article's table has no losses: S6" in done.stdout
    assert "Decided by no number of seeds: T3 (device-not-stated), T6" in done.stdout


def test_a_study_that_is_no_test_of_the_article_is_told_so(tmp_path: Path) -> None:
    found = as_json(tmp_path, "dataset: {limit: {train: 500}}", "--simulations", "2")
    assert set(found["readings"][0]["never"].values()) == {"subset", "device-not-stated"}
    assert found["readings"][0]["claims"] == []


@pytest.mark.parametrize("points", ["0", "-1", "nan", "90"])
def test_a_deviation_that_cannot_be_is_refused(tmp_path: Path, points: str) -> None:
    done = power(tmp_path, "", "--deviation", points)
    assert isinstance(done.exception, UserError)
    assert "allowed: 0.05 to 25 percentage points" in str(done.exception)


def test_an_article_without_a_deviation_or_without_the_models_is_named(tmp_path: Path) -> None:
    article = tmp_path / "own.yaml"
    text = (REPOSITORY / "articles/santos-2024/article.yaml").read_text(encoding="utf-8")
    start = text.index("  seed_deviation:")
    article.write_text(text[:start] + text[text.index("table:  ") :], encoding="utf-8")
    done = power(tmp_path, f"article: {article}")
    assert "own.yaml: has no judging.seed_deviation" in str(done.exception)
    done = power(tmp_path, "models: [resnet34]")
    assert "its table has none of the study's models" in str(done.exception)


@pytest.mark.parametrize("points", [0.1, 0.3, 1.0])
def test_accuracies_are_drawn_with_the_deviation_that_was_asked_for(points: float) -> None:
    article, images = load_article(REPOSITORY / "articles/santos-2024/article.yaml"), 10_000
    study = Study.model_construct(models=["resnet50"], protocols=["one"], seeds=list(range(200)))
    info = DatasetInfo.model_construct(test_images=images)
    truth = truth_of(article.table, article, points / 100, images)
    runs = truth.runs(study, info, np.random.default_rng(1)).of("one", "resnet50")
    accuracies = [float(run.metrics.final_test_accuracy) * 100 for run in runs]
    assert np.std(accuracies, ddof=1) == pytest.approx(points, rel=0.15)
    assert np.mean(accuracies) == pytest.approx(83.55, abs=0.3 * points)
    if points > 0.2:
        differing = float((runs[0].correct != runs[1].correct).mean())
        assert differing == pytest.approx(0.1, abs=0.02)
