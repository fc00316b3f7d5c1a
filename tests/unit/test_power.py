"""`resnet-sizes study power`: which claims so many seeds can settle, before any training."""

import json
import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from resnet_sizes.cli.app import app
from resnet_sizes.evidence.statistics.tests import seeds_for_width

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


def needed(reading: dict[str, Any]) -> dict[str, int]:
    """The seeds that each claim takes; many where no number would do."""
    return {each["id"]: each["seeds_needed"] or 10**6 for each in reading["claims"]}


def test_the_more_seeds_vary_the_more_of_them_a_claim_takes(tmp_path: Path) -> None:
    overlay = "protocols: [probe-224]\nseeds: [0, 1, 2]"
    by_deviation = [
        needed(as_json(tmp_path, overlay, "--deviation", points)["readings"][0])
        for points in ("0.1", "0.3", "0.4", "0.6")
    ]
    for less, more in pairwise(by_deviation):
        assert all(less[claim] <= more[claim] for claim in less)
    # Half of 300 simulated studies with three seeds find the knee at 0.3 points, nine of ten with
    # five.
    assert 3 < by_deviation[1]["S13"] <= 7
    assert min(by_deviation[0].values()) == 3  # the fewest that a claim accepts


def test_a_printed_increment_takes_what_makes_its_interval_narrow_enough(tmp_path: Path) -> None:
    (reading,) = as_json(tmp_path, "protocols: [probe-224]", "--deviation", "0.3")["readings"]
    # Its deviation by the propagation of errors, from the table's 80.84 and 83.55 percent.
    spread = 0.3 / 80.84 * math.hypot(1, 83.55 / 80.84) * 100
    assert needed(reading)["T11"] == seeds_for_width(spread, 2.0, 0.95, 0.8, 3)


def test_claims_are_told_by_protocol_with_its_own_seeds(tmp_path: Path) -> None:
    found = as_json(tmp_path, "seeds: {probe-224: [0, 1, 2, 3], scratch-32: [0]}")
    probe, scratch = found["readings"]
    assert (probe["protocol"], probe["seeds"]) == ("probe-224", 4)
    assert (scratch["protocol"], scratch["seeds"]) == ("scratch-32", 1)
    for reading in found["readings"]:
        for claim in reading["claims"]:
            wanted = claim["seeds_needed"]
            assert claim["settled"] == (wanted is not None and wanted <= reading["seeds"])
    assert {each["id"] for each in probe["claims"] if each["settled"]} >= {"S1"}
    assert not any(each["settled"] for each in scratch["claims"])
    assert found["deviation_points"] == 0.4  # of articles/santos-2024/article.yaml
    assert not needed(probe).keys() & LOSS_CLAIMS
    assert set(found["not_planned"]) >= LOSS_CLAIMS
    assert {probe["never"][cell] for cell in ("T3", "T6", "T9")} == {"device-not-stated"}


def test_the_table_says_what_a_claim_takes_and_says(tmp_path: Path) -> None:
    done = power(tmp_path, "protocols: [probe-224]\nseeds: [0, 1]", "--deviation", "0.1")
    assert "\nprobe-224, which has 2\n" in done.stdout
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("S1 ")]
    cells = re.split(r"  +", row)
    assert cells[:3] == ["S1", "3", "no"]
    assert cells[3].startswith("Accuracy rises with depth")
    assert "decided with a probability of 80%" in done.stdout
    assert "Left out, since a table has no losses or training errors: S6" in done.stdout
    assert "Decided by no number of seeds: T3 (device-not-stated), T6" in done.stdout


def test_a_study_that_is_no_test_of_the_article_is_told_so(tmp_path: Path) -> None:
    found = as_json(tmp_path, "dataset: {limit: {train: 500}}")
    assert set(found["readings"][0]["never"].values()) == {"subset", "device-not-stated"}
    assert found["readings"][0]["claims"] == []


def test_errors_are_planned_with_the_deviation_of_accuracies(tmp_path: Path) -> None:
    overlay = (REPOSITORY / "config/he-2015.yaml").read_text(encoding="utf-8")
    (reading,) = as_json(tmp_path, overlay)["readings"]
    found = needed(reading)
    # The paper's own deviation, and the interval's half width that the article file gives.
    assert found["T3"] == seeds_for_width(0.16, 0.5, 0.95, 0.8, 5)
    wide = needed(as_json(tmp_path, overlay, "--deviation", "0.2")["readings"][0])
    assert wide["T3"] == wide["T12"] == seeds_for_width(0.2, 0.5, 0.95, 0.8, 5)


@pytest.mark.parametrize("points", ["0", "-1", "90"])
def test_a_deviation_that_cannot_be_is_refused(tmp_path: Path, points: str) -> None:
    done = power(tmp_path, "", "--deviation", points)
    assert done.exit_code == 2
    assert "--deviation" in done.output


def test_an_article_without_a_deviation_or_without_the_models_is_named(tmp_path: Path) -> None:
    article = tmp_path / "own.yaml"
    text = (REPOSITORY / "articles/santos-2024/article.yaml").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^  reference: .*\n", "", text)
    start = text.index("  seed_deviation:")
    article.write_text(text[:start] + text[text.index("table:  ") :], encoding="utf-8")
    done = power(tmp_path, f"article: {article}")
    assert "own.yaml: has no judging.seed_deviation" in str(done.exception)
    own = "models: [resnet18, resnet34]\narticle: {}"
    text = (REPOSITORY / "workflow/example/article.yaml").read_text(encoding="utf-8")
    text = re.sub(r', accuracy: "[0-9.]+"|, accuracy_increment: \S+(?=})', "", text)
    article.write_text(text[: text.index("  - id: T1")] + text[text.index("# What it says and") :])
    done = power(tmp_path, own.format(article))
    assert "prints neither an accuracy nor an error between 0 and 100" in str(done.exception)
    assert "under models" not in str(done.exception)
    done = power(tmp_path, own.format("workflow/example/article.yaml"))
    assert "no losses or training errors: none." in done.stdout
    done = power(tmp_path, "models: [resnet34]")
    assert "its table prints neither an accuracy nor an error between 0 and 100" in str(
        done.exception
    )
