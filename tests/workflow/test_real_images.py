"""A study on real photographs, from `snakemake` to the report."""

import json

import pytest

OVERLAY = """\
name: jpeg
dataset:
  path: {path}
  content: cifar10-reencoded
  resize: false
  limit: {{train: 1000, test: 250}}
training: {{batch_size: 64, threads: 1}}
"""


@pytest.mark.slow
@pytest.mark.long
def test_a_study_on_an_archive_of_images_gives_a_report_on_the_three_depths(project, cifar10_jpeg):
    overlay = project.overlay("jpeg.yaml", OVERLAY.format(path=cifar10_jpeg))
    project.snakemake("--configfile", "config/folder.yaml", overlay)

    results = project.folder / "results" / "jpeg"
    info = json.loads((results / "data" / "dataset.json").read_text(encoding="utf-8"))
    assert (info["train_images"], info["test_images"]) == (1000, 250)
    assert (info["full_train_images"], info["full_test_images"]) == (50_000, 10_000)
    for model in ("resnet18", "resnet50", "resnet152"):
        metrics = json.loads(
            (results / f"runs/scratch-32/{model}/seed-0/metrics.json").read_text(encoding="utf-8")
        )
        assert len(metrics["epochs"]) == 2
        assert metrics["epochs"][1]["train_loss"] < metrics["epochs"][0]["train_loss"]
        # Chance is 10 %, give or take 1.9: ResNet-18 has learnt something after two epochs.
        if model == "resnet18":
            assert metrics["final_test_accuracy"] > 0.15

    verdicts = json.loads((results / "evidence" / "verdicts.json").read_text(encoding="utf-8"))
    judged = {verdict["verdict"] for verdict in verdicts["verdicts"]}
    # A subset for two epochs is no test of the article, and one seed would not be enough; the
    # article's device is not known.
    assert judged == {"not-comparable", "not-testable", "true-by-construction"}

    report = results / "report" / "pt"
    page = (report / "report.html").read_text(encoding="utf-8")
    assert "Tabela\N{NO-BREAK SPACE}1" in page
    assert (report / "report.pdf").read_bytes().startswith(b"%PDF")
