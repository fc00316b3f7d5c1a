"""Networks with and without shortcuts, as of He et al. (2015), on real photographs and a schedule
that two cores finish: from `snakemake` to the report of that article."""

import json

import pytest

OVERLAY = """\
name: he-2015-jpeg
dataset:
  source: image-folder
  path: {path}
  content: cifar10-reencoded
training: {{threads: 1, device: cpu}}
"""

MODELS = ("resnet20", "plain20", "resnet56", "plain56")


@pytest.mark.slow
@pytest.mark.long
def test_deeper_networks_learn_with_shortcuts_and_hardly_without(project, cifar10_jpeg):
    overlay = project.overlay("jpeg.yaml", OVERLAY.format(path=cifar10_jpeg))
    project.snakemake("--configfile", "config/he-2015-short.yaml", overlay)

    results = project.folder / "results" / "he-2015-jpeg"
    found = {
        model: json.loads(
            (results / f"runs/sgd-short/{model}/seed-0/metrics.json").read_text(encoding="utf-8")
        )
        for model in MODELS
    }
    for model, metrics in found.items():
        # 4,500 images in batches of 64: 71 steps an epoch, and a part of the second.
        assert len(metrics["epochs"]) == 2
        assert metrics["run"]["iterations"] == 120
        assert metrics["parameters"] == (269_722 if model.endswith("20") else 853_018)
        first, last = (epoch["train_loss"] for epoch in metrics["epochs"])
        assert last < first
        for epoch in metrics["epochs"]:
            right = epoch["validation_accuracy"] * 500
            assert right == pytest.approx(round(right))
        log = (results / f"runs/sgd-short/{model}/seed-0/log.jsonl").read_text(encoding="utf-8")
        assert [json.loads(line)["epoch"] for line in log.splitlines()] == [1, 2]
    # Chance is 10 %, give or take 0.9.
    assert found["resnet20"]["final_test_accuracy"] > 0.2
    assert found["resnet56"]["final_test_accuracy"] > found["plain56"]["final_test_accuracy"]

    verdicts = json.loads((results / "evidence" / "verdicts.json").read_text(encoding="utf-8"))
    judged = {verdict["verdict"] for verdict in verdicts["verdicts"]}
    assert judged <= {"not-comparable", "not-run", "not-testable", "not-enough-runs",
                      "true-by-construction"}  # fmt: skip
    page = (results / "report" / "en" / "report.html").read_text(encoding="utf-8")
    assert "Plain-56" in page
    assert "iterations" in page
