"""What is done again after which change: GPU hours are spent only where results change."""

import json
import os
import shutil
import time
import zipfile
from pathlib import Path

import pytest
from made_forecasts import write_forecast
from PIL import Image
from workflow_project import TINY, Project

pytestmark = pytest.mark.slow

LOOP = "src/resnet_sizes/training/engine/loop.py"


@pytest.fixture
def study(finished_tiny_study: Project, tmp_path: Path) -> Project:
    return finished_tiny_study.copy_to(tmp_path / "project")


def test_the_plain_command_goes_from_nothing_to_the_report(finished_tiny_study):
    results = finished_tiny_study.folder / "results" / "tiny"
    for language in ("pt", "en"):
        for name in ("article.qmd", "report.html", "report.pdf"):
            assert (results / "report" / language / name).stat().st_size > 1000
    metrics = json.loads(
        (results / "runs/scratch-32/resnet18/seed-0/metrics.json").read_text(encoding="utf-8")
    )
    assert len(metrics["epochs"]) == 2
    log = (results / "logs/train/scratch-32/resnet18/seed-0.log").read_text(encoding="utf-8")
    assert "epoch 2/2" in log


def test_snakemake_s_own_report_carries_table_figures_and_pages_with_their_captions(study):
    study.snakemake("--configfile", "config/tiny.yaml", "--report", "study.zip")
    with zipfile.ZipFile(study.folder / "study.zip") as archive:
        files = {name.rsplit("/", 1)[-1]: archive.read(name) for name in archive.namelist()}
    page = files["report.html"].decode()
    figures = ("loss", "accuracy", "pareto", "forest", "confusion")
    carried = [f"figure-{name}.svg" for name in figures]
    for name in ("table.csv", "report.pdf", *carried):
        assert name in page
        assert name in files
    # Of another article's figure, and of no file that this study has.
    captions = {*(study.folder / "workflow/captions").glob("*.rst")}
    others = {study.folder / f"workflow/captions/figure-{name}.rst" for name in ("error", "own")}
    for caption in captions - others:
        first = caption.read_text(encoding="utf-8").split(".")[0].split("{{")[0].split("``")[0]
        assert " ".join(first.split()) in " ".join(page.split()), caption


def test_a_second_seed_trains_only_the_new_runs(study):
    config = study.overlay("two.yaml", TINY.replace("seeds: [0]", "seeds: [0, 1]"))
    planned = study.planned(config=config)
    assert planned["train"] == 2
    assert "dataset" not in planned
    assert "fetch" not in planned


def test_comments_words_progress_and_a_forecast_leave_a_finished_study_with_nothing_to_do(study):
    study.edit(LOOP, "import torch\n", "import torch  # the framework\n")
    study.edit(LOOP, '"""The training loop: one run', '"""The loop that trains: one run')
    study.edit(LOOP, "state.Epoch(number + 1)", "state.Epoch(number+1)")
    progress = "src/resnet_sizes/training/supervision/progress.py"
    study.edit(progress, "SILENCE = 60.0", "SILENCE = 90.0")
    write_forecast(study, 60, "cpu", 1)
    assert study.planned() == {}


def test_a_fresh_clone_with_a_model_less_that_keeps_runs_more_often_trains_nothing(study):
    """A clone gives every file the time of the clone; run files and configuration look new."""
    for name in ("config", "articles", "src", "workflow", "Snakefile"):
        path = study.folder / name
        for file in [path] if path.is_file() else path.rglob("*"):
            file.touch()
    often = "{checkpoint_minutes: 1, watchdog_minutes: 5, epochs: 2"
    less = TINY.replace(", resnet34", "").replace("{epochs: 2", often)
    assert set(study.planned(config=study.overlay("less.yaml", less))) == {"evidence", "report"}


def test_a_changed_plot_renders_only_the_report(study):
    figure = study.folder / "src/resnet_sizes/reporting/figures/curves.py"
    figure.write_text(figure.read_text() + "\n\nUNUSED = 1\n")
    assert set(study.planned()) == {"report"}


@pytest.mark.parametrize(
    "changed", ["evidence/statistics/tests.py", "schemas/evidence/verdicts.py"]
)
def test_another_statistic_or_file_trains_nothing_but_makes_evidence_and_report_again(
    study, changed
):
    code = study.folder / "src/resnet_sizes" / changed
    code.write_text(code.read_text() + "\n\nUNUSED = 1\n")
    assert set(study.planned()) == {"evidence", "report"}


def test_a_changed_template_renders_only_the_report(study):
    template = study.folder / "report/assets/report.css"
    template.write_text(template.read_text() + "\n/* changed */\n")
    assert set(study.planned()) == {"report"}


def test_a_changed_loop_trains_every_run(study):
    study.edit(LOOP, "self._scaler.update()", "self._scaler.update(None)")
    planned = study.planned()
    assert planned["train"] == 2
    assert "dataset" not in planned


def test_a_changed_learning_rate_trains_every_run(study):
    config = study.overlay(
        "fast.yaml", TINY.replace("{epochs: 2", "{learning_rate: 5e-3, epochs: 2")
    )
    planned = study.planned(config=config)
    assert planned["train"] == 2
    assert "dataset" not in planned


def test_a_changed_dataset_is_made_again_and_trains_every_run(study):
    config = study.overlay("more.yaml", TINY.replace("train: 100", "train: 120"))
    planned = study.planned(config=config)
    assert planned["dataset"] == 1
    assert planned["train"] == 2


def images_in(folder: Path, shade: int) -> None:
    for part in ("train", "test"):
        for name, value in (("dark", 20), ("bright", shade)):
            (folder / part / name).mkdir(parents=True, exist_ok=True)
            for number in range(4):
                image = Image.new("RGB", (32, 32), (value, value, value + number))
                image.save(folder / part / name / f"{number}.png")


def test_a_changed_image_in_a_linked_folder_makes_the_dataset_again(project):
    folder = project.folder / "images"
    images_in(folder, shade=200)
    (project.folder / "elsewhere").mkdir()
    (folder / "train").rename(project.folder / "elsewhere/train")
    (folder / "train").symlink_to("../elsewhere/train")
    config = project.overlay(
        "own.yaml",
        "name: own\ndataset: {source: image-folder, path: images}\nmodels: [resnet18]\n"
        "seeds: [0]\ntraining: {epochs: 1}\n",
    )
    project.snakemake("--configfile", config, "--until", "dataset")
    (folder / ".DS_Store").write_text("as a file browser leaves it")
    assert "dataset" not in project.planned(config=config)
    times = {path: path.stat() for path in [folder, *folder.rglob("*")]}
    Image.new("RGB", (32, 32), (1, 2, 3)).save(folder / "train/bright/2.png")
    for path, status in times.items():  # as a copy that keeps the times of folders would
        if path.is_dir():
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert project.planned(config=config)["dataset"] == 1


def test_an_archive_decides_by_its_content_not_by_its_time(project):
    images_in(project.folder / "images", shade=200)
    archive = project.folder / "images.tar"
    project.run("tar", "cf", "images.tar", "images")
    config = project.overlay(
        "own.yaml",
        "name: own\ndataset: {source: image-folder, path: images.tar}\nmodels: [resnet18]\n"
        "seeds: [0]\ntraining: {epochs: 1}\n",
    )
    project.snakemake("--configfile", config, "--until", "dataset")
    archive.touch()
    assert "dataset" not in project.planned(config=config)

    images_in(project.folder / "images", shade=210)
    project.run("tar", "cf", "images.tar", "images")
    os.utime(archive, (1_000_000_000, 1_000_000_000))  # newer in content, older in time
    assert project.planned(config=config)["dataset"] == 1


def test_a_dataset_of_an_older_version_trains_nothing(study):
    info = study.folder / "results/tiny/data/dataset.json"
    data, status = json.loads(info.read_bytes()), info.stat()
    for field in ("unordered_identity", "test_images_in_training", "checksum"):
        del data[field]
    info.write_text(json.dumps(data))
    os.utime(info, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert study.planned() == {}

    # Somebody has made the identity of the official images: only datasets are made again.
    record = "src/resnet_sizes/data/official_cifar10.json"
    study.edit(record, '"unordered_identity": null', f'"unordered_identity": "{"0" * 64}"')
    assert study.planned()["dataset"] == 1
    results = study.folder / "results/tiny/runs"
    before = {path: path.read_bytes() for path in results.rglob("metrics.json")}
    study.snakemake("--configfile", "config/tiny.yaml", "--until", "train")
    assert json.loads(info.read_bytes())["test_images_in_training"] == 0
    assert {path: path.read_bytes() for path in results.rglob("metrics.json")} == before


def test_a_deleted_result_trains_only_that_run(study):
    (study.folder / "results/tiny/runs/scratch-32/resnet34/seed-0/metrics.json").unlink()
    assert study.planned()["train"] == 1


@pytest.fixture(scope="module")
def made_again(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A run of the same study in another clone, whose clock is put back by an hour before it."""
    project = Project.create(tmp_path_factory.mktemp("again") / "project")
    one = project.overlay("one.yaml", TINY.replace(", resnet34", ""))
    project.snakemake("--configfile", one, "--until", "run")
    made_before = [
        *project.folder.glob("results/tiny/**/*.json"),
        *project.folder.glob("results/tiny/data/*"),
    ]
    an_hour_on = time.time() + 3600
    for path in made_before:
        os.utime(path, (an_hour_on, an_hour_on))
    project.snakemake("--configfile", one, "--until", "evidence")
    return project


def test_the_same_study_twice_gives_equal_results(finished_tiny_study, made_again):
    run = "results/tiny/runs/scratch-32/resnet18/seed-0"
    first, second = finished_tiny_study.folder / run, made_again.folder / run
    predictions = "predictions.safetensors"
    assert (first / predictions).read_bytes() == (second / predictions).read_bytes()
    assert without_times(first) == without_times(second)


def test_a_clock_that_is_put_back_costs_no_result(made_again):
    assert set(made_again.planned(config="config/one.yaml")) == {"report"}


def without_times(run: Path) -> dict:
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    for epoch in metrics["epochs"]:
        del epoch["training_seconds"], epoch["evaluation_seconds"]
    # How often a run looks for others depends on how long it takes, and whom it sees on the rest.
    for key in ("training_seconds", "peak_memory_bytes", "started", "finished", "checksum"):
        del metrics[key]
    del metrics["sharing"]
    return metrics


def test_a_failed_run_leaves_the_others_and_a_partial_report_names_it(study):
    shutil.rmtree(study.folder / "results/tiny/runs/scratch-32/resnet34")
    study.edit(
        "src/resnet_sizes/training/engine/networks.py",
        "network: nn.Module = NETWORKS[model]",
        'if model == "resnet34":\n        raise RuntimeError("no such kernel")\n'
        "    network: nn.Module = NETWORKS[model]",
    )
    done = study.snakemake("--configfile", "config/tiny.yaml", check=False)
    assert done.returncode != 0
    assert "no such kernel" in done.stdout
    assert "resnet-sizes report --partial tiny" in done.stdout
    runs = study.folder / "results/tiny/runs/scratch-32"
    assert (runs / "resnet18/seed-0/metrics.json").is_file()

    one = ("--language", "pt", "--format", "html")
    study.command("report", "--partial", "results/tiny/study.json", *one)
    page = (study.folder / "results/tiny/partial/report/pt/report.html").read_text(encoding="utf-8")
    assert "scratch-32/resnet34/seed-0" in page
