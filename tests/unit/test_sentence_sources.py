"""The sentence with the numbers of a verdict leads to the runs that it was judged from."""

import json
from typing import Any

import pytest
from report_studies import TEMPLATES, context_of, study_with_evidence
from synthetic import ARTICLE, MODELS

from resnet_sizes.reporting.inputs import Inputs, read_inputs
from resnet_sizes.reporting.sections.metadata import after_body_html
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.schemas.paths import StudyFolder


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    study = study_with_evidence(tmp_path_factory.mktemp("study"), seeds=(0, 1, 2))
    return read_inputs(study, StudyFolder.of_file(study).evidence)


@pytest.fixture(scope="module")
def report(inputs: Inputs) -> ReportContext:
    return context_of(inputs)


def sources(report: ReportContext, claim: str) -> set[tuple[str, str]]:
    value = report.record.values[f"verdict.scratch-32.{claim}.sentence.{report.language}"]
    return {(source.file, source.field) for source in value.sources}


def of_runs(file: str, *fields: str, models: tuple[str, ...] = MODELS) -> set[tuple[str, str]]:
    return {
        (f"runs/scratch-32/{model}/seed-{seed}/{file}", field)
        for model in models
        for seed in range(3)
        for field in fields
    }


@pytest.mark.parametrize("language", ["pt", "en"])
def test_every_sentence_names_itself_first_and_runs_that_the_page_knows(
    inputs: Inputs, language: str
) -> None:
    values = context_of(inputs, language).record
    keys = [key for key in values.values if key.endswith(f".sentence.{language}")]
    assert len(keys) >= 14
    for key in keys:
        first, *rest = values.values[key].sources
        assert first.file == "evidence/verdicts.json"
        assert first.field.endswith("].basis")
        runs = [values.runs[source.file] for source in rest if source.file in values.runs]
        assert {run.seed for run in runs} == {0, 1, 2}, key


def test_an_order_of_accuracies_comes_from_metrics_and_predictions(report: ReportContext) -> None:
    found = {pair for pair in sources(report, "S1") if pair[0] != "evidence/verdicts.json"}
    assert found == of_runs("metrics.json", "final_test_accuracy") | of_runs(
        "predictions.safetensors", "logits", "labels"
    )


def test_ratios_of_times_come_from_times_operations_and_the_article(report: ReportContext) -> None:
    found = sources(report, "S2")
    assert of_runs("metrics.json", "training_seconds") <= found
    # Every run of a network has the same number of operations; the first one's is taken.
    for model in MODELS:
        assert (f"runs/scratch-32/{model}/seed-0/metrics.json", "macs_per_image") in found
    assert {(str(ARTICLE), f"table[{row}].minutes") for row in range(3)} <= found


def test_a_printed_number_comes_from_the_runs_and_the_article(report: ReportContext) -> None:
    found = sources(report, "S3")
    models = ("resnet18", "resnet50")
    assert of_runs("metrics.json", "final_test_accuracy", models=models) <= found
    assert (str(ARTICLE), "table[1].accuracy_increment") in found
    assert not [file for file, _ in found if "resnet152" in file]


def test_losses_come_from_no_predictions(report: ReportContext) -> None:
    assert not [file for file, _ in sources(report, "S7") if file.endswith(".safetensors")]


def told(report: ReportContext, *keys: str) -> Any:
    page = after_body_html(report, keys, TEMPLATES / "assets")
    data = page.partition(">")[2].partition("</script>")[0]
    return json.loads(data)["values"]


def test_the_panel_of_a_long_text_has_a_short_title(report: ReportContext) -> None:
    sentence, identity = "verdict.scratch-32.S1.sentence.pt", "data.identity"
    found = told(report, sentence, identity, "study.epochs", "study.name")
    whole = found[sentence]["value"]
    title = found[sentence]["title"]
    assert title.endswith(" …")
    assert len(title) <= 60
    assert whole.startswith(title.removesuffix(" …") + " ")
    assert found[identity]["title"] == f"{found[identity]['value'][:16]}…"
    assert "title" not in found["study.epochs"]
    assert "title" not in found["study.name"]


def test_the_origins_file_knows_the_runs_behind_a_sentence(report: ReportContext) -> None:
    key = "verdict.scratch-32.S7.sentence.pt"
    page = after_body_html(report, [key], TEMPLATES / "assets")
    data = json.loads(page.partition(">")[2].partition("</script>")[0])
    assert set(data["runs"]) == {file for file, _ in of_runs("metrics.json", "x")}
    assert all(run["device"] == "Synthetic GPU" for run in data["runs"].values())
