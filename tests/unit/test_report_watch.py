"""A report that follows a running study."""

import shutil
from pathlib import Path

from report_studies import TEMPLATES
from synthetic import make_study
from typer.testing import CliRunner

from resnet_sizes.cli.app import app
from resnet_sizes.status.run_state import watch_results

SMALL = {"seeds": [0], "epochs": 2, "full": False}
LATE = Path("runs/scratch-32/resnet152/seed-0")


def test_a_study_is_reported_again_after_each_run_until_all_are_finished(tmp_path: Path) -> None:
    study = make_study(tmp_path / "running", missing=["scratch-32/resnet152/seed-0"], **SMALL)
    whole = make_study(tmp_path / "finished", **SMALL)
    seen = []
    for missing, runs in watch_results(study, interval=0.01):
        seen.append((missing, runs))
        if missing:  # a run is finished while the report is made
            for file in ("predictions.safetensors", "metrics.json"):
                shutil.copy(whole.parent / LATE / file, study.parent / LATE / file)
    assert seen == [(1, 3), (0, 3)]


def test_the_command_ends_with_the_last_run_and_leaves_a_partial_report(
    tmp_path: Path, monkeypatch
) -> None:
    study = make_study(tmp_path, **SMALL)
    (tmp_path / "report").symlink_to(TEMPLATES)
    monkeypatch.chdir(tmp_path)
    options = ["--watch", "--format", "html", "--language", "en", "--engine", "pandoc"]
    done = CliRunner().invoke(app, ["report", str(study), *options])
    assert done.exit_code == 0, done.output
    page = study.parent / "partial" / "report" / "en" / "report.html"
    assert "83.55%" in page.read_text(encoding="utf-8")
    assert str(page.relative_to(tmp_path)) in done.output
