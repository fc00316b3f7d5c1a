"""No result is stale without a word: what is missing, old or of other settings is made again."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from workflow_project import TINY, Project

pytestmark = pytest.mark.slow

RESULTS = "results/tiny"
RUNS = f"{RESULTS}/runs"
RUN = f"{RUNS}/scratch-32/resnet18/seed-0"
OWN_IMAGES = "{source: image-folder, path: images}"
ONE_RUN = {"train": 1, "evidence": 1, "report": 2}


@pytest.fixture
def study(finished_tiny_study: Project, tmp_path: Path) -> Project:
    return finished_tiny_study.copy_to(tmp_path / "project")


@pytest.mark.parametrize(
    ("lost", "made_again"),
    [
        (f"{RESULTS}/report/pt/figure-loss.png", {"report": 1}),
        (f"{RESULTS}/evidence/verdicts.json", {"evidence": 1, "report": 2}),
        (f"{RUN}/predictions.safetensors", ONE_RUN),
        (f"{RESULTS}/study.json", {"evidence": 1, "report": 2}),
        (f"{RUN}/run.json", {"run": 1} | ONE_RUN),
        (f"{RESULTS}/data/dataset.json", {"dataset": 1, "run": 2} | ONE_RUN | {"train": 2}),
    ],
)
def test_a_lost_file_of_a_finished_study_is_made_again(study, lost, made_again):
    (study.folder / lost).unlink()
    assert study.planned() == made_again


def test_a_report_older_than_its_results_is_named_when_evidence_fails_and_then_made_again(study):
    (study.folder / RUN / "metrics.json").touch()
    (study.folder / RESULTS / "evidence/verdicts.json").unlink()
    command, build = "src/resnet_sizes/cli/evidence.py", "    verdicts = build_evidence("
    study.edit(command, build, f"    1 / 0\n{build}")
    done = study.snakemake("--configfile", "config/tiny.yaml", check=False)
    assert done.returncode != 0
    page = f"{RESULTS}/report/pt/report.html"
    assert f"Older than the results, and not made again: {page}" in done.stdout
    study.edit(command, "    1 / 0\n", "")
    assert study.planned() == {"evidence": 1, "report": 2}


def test_settings_are_compared_where_snakemake_s_records_are_lost(study):
    shutil.rmtree(study.folder / ".snakemake")
    assert study.planned() == {}
    longer = study.overlay("longer.yaml", TINY.replace("epochs: 2", "epochs: 3"))
    two_seeds = study.overlay("two.yaml", TINY.replace("seeds: [0]", "seeds: [0, 1]"))

    said = study.plan("--configfile", longer).stdout
    assert f"{RUN}/run.json: is not of the study as it is now (other epochs)" in said
    assert study.planned(config=longer) == {"run": 2, "train": 2, "evidence": 1, "report": 2}
    # A plan alone changes nothing.
    assert study.planned() == {}
    assert study.planned(config=two_seeds)["train"] == 2

    study.edit("src/resnet_sizes/evidence/build.py", "allow_partial)", "bool(allow_partial))")
    assert study.planned() == {"evidence": 1, "report": 2}
    loop = "src/resnet_sizes/training/engine/loop.py"
    study.edit(loop, "self._scaler.update()", "self._scaler.update(None)")
    assert study.planned() == {"run": 2, "train": 2, "evidence": 1, "report": 2}


def test_changed_images_are_noticed_where_snakemake_s_records_are_lost(study):
    digits = np.random.default_rng(0).integers(0, 256, (2, 2, 4, 32, 32, 3), dtype=np.uint8)
    for part, of_part in zip(("train", "test"), digits, strict=True):
        for name, images in zip(("dark", "bright"), of_part, strict=True):
            folder = study.folder / "images" / part / name
            folder.mkdir(parents=True)
            for number, image in enumerate(images):
                Image.fromarray(image).save(folder / f"{number}.png")
    own = TINY.replace("{source: digits, limit: {train: 100, test: 50}}", OWN_IMAGES)
    config = study.overlay("own.yaml", own.replace("name: tiny", "name: own"))
    study.snakemake("--configfile", config, "--until", "dataset")
    shutil.rmtree(study.folder / ".snakemake")
    assert "dataset" not in study.planned(config=config)

    first = study.folder / "images/train/dark/0.png"
    first.write_bytes((study.folder / "images/train/dark/1.png").read_bytes())
    os.utime(first, (1, 1))  # as one that was unpacked long ago
    assert study.planned(config=config)["dataset"] == 1


def test_results_put_back_from_a_copy_are_compared_though_snakemake_s_records_are_newer(study):
    shutil.copytree(study.folder / RESULTS, study.folder / "backup")
    longer = study.overlay("longer.yaml", TINY.replace("epochs: 2", "epochs: 3"))
    study.snakemake("--configfile", longer, "--until", "run")
    # Snakemake knows what it made: run files of three epochs, for the same list of stale files.
    shutil.rmtree(study.folder / RESULTS)
    shutil.copytree(study.folder / "backup", study.folder / RESULTS)
    assert study.planned(config=longer)["train"] == 2
    assert study.planned(config=longer)["run"] == 2


def metrics_of(study: Project) -> dict[str, bytes]:
    found = (study.folder / RESULTS / "runs").rglob("metrics.json")
    return {str(path): path.read_bytes() for path in found}


def test_results_stay_where_a_repeated_job_would_find_the_same(study):
    before = metrics_of(study)
    for path in (study.folder / RESULTS).rglob("*"):
        os.utime(path)  # as a copy does
    # Another decoder, which may give other pixels. It gives the same.
    study.edit("src/resnet_sizes/data/sources/digits.py", "np.rint(grey *", "np.rint(1 * grey *")
    assert study.planned()["train"] == 2

    done = study.snakemake(
        "--configfile", "config/tiny.yaml", "--until", "train", "--forcerun", "run"
    )
    assert metrics_of(study) == before
    assert done.stdout.count("data, settings and code are those of its results of") == 2


@pytest.mark.parametrize("asked", ["by deleting it", "by --forcerun"])
def test_a_run_that_somebody_wants_repeated_is_trained(study, asked):
    metrics = study.folder / RUN / "metrics.json"
    finished = json.loads(metrics.read_bytes())["finished"]
    one = study.overlay("one.yaml", TINY.replace(", resnet34", ""))
    options = ["--configfile", one, "--until", "train"]
    if asked == "by deleting it":
        metrics.unlink()
    else:
        options += ["--forcerun", "train"]
        # As it stays after a kill.
        shutil.copytree(
            metrics.parent, study.folder / f"work/kept/tiny/{Path(RUN).relative_to(RUNS)}"
        )
    done = study.snakemake(*options)
    # It was not asked for, and shows the earlier results.
    assert "Report: " not in done.stdout
    assert f"not made again: {RESULTS}/report/pt/report.html" in done.stdout
    assert json.loads(metrics.read_bytes())["finished"] > finished


def test_results_of_an_interrupted_repetition_stay(study):
    metrics = study.folder / RUN / "metrics.json"
    before = metrics.read_bytes()
    (study.folder / RESULTS / "data/dataset.json").unlink()
    command, run_file = "src/resnet_sizes/cli/train.py", "    run_files = [read_record"
    study.edit(command, run_file, f"    1 / 0\n{run_file}")
    done = study.snakemake("--configfile", "config/tiny.yaml", "--until", "train", check=False)
    assert done.returncode != 0
    assert not metrics.exists()  # Snakemake deletes what the job was about to make

    study.edit(command, "    1 / 0\n", "")
    study.snakemake("--configfile", "config/tiny.yaml", "--until", "train")
    assert metrics.read_bytes() == before


def test_overlays_behind_two_options_are_refused_with_the_form_that_works(study):
    two = ("--configfile", "config/tiny.yaml", "--configfile=config/tiny.yaml")
    said = study.plan(*two, check=False)
    assert said.returncode != 0
    assert "--configfile is given more than once" in said.stdout
    both = ("config/tiny.yaml", "config/tiny.yaml")
    assert "Nothing to be done" in study.plan("--configfile", *both).stdout


def test_another_working_directory_is_refused_with_the_command_that_works(study, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    overlay = study.folder / "config/tiny.yaml"
    command = ("--configfile", str(overlay), "--directory", str(elsewhere))
    said = study.plan(*command, check=False)
    assert said.returncode != 0
    assert f"cd {study.folder}" in said.stdout
    assert not (elsewhere / "results").exists()


def test_archives_of_others_are_inputs_whose_change_is_noticed(study):
    """Their times do not matter, as with other files of a user's own."""
    archive = study.folder / "others.zip"
    archive.write_bytes(b"first")
    config = study.overlay("pooled.yaml", f"{TINY}pool: [others.zip]\n")
    assert study.planned(config=config) == {"pool": 1, "evidence": 1, "report": 2}
    said = study.snakemake("--configfile", config, check=False)
    assert said.returncode != 0
    assert "others.zip: is no complete zip archive" in said.stdout
    # As an import leaves it.
    sha256 = hashlib.sha256(b"first").hexdigest()
    origin = {"path": "others.zip", "sha256": sha256, "digest": "a" * 64, "left_out": []}
    texts = ("title", "study", "license", "started", "finished", "verified_by")
    lists = ("authors", "devices", "training_code", "not_compared")
    origin["certificate"] = {
        **dict.fromkeys(texts, "x"),
        **{name: [] for name in lists},
        **{"study_hash": sha256, "preview_sha256": sha256, "versions": {}, "checked": {}},
        **{"code_is_current": True, "runs": 1},
    }
    pool = study.folder / RESULTS / "pool/pool.json"
    pool.parent.mkdir()
    pool.write_text(json.dumps({"schema_version": 1, "origins": [origin]}))
    assert "has changed" not in study.plan("--configfile", config).stdout
    archive.write_bytes(b"second")
    said = study.plan("--configfile", config).stdout
    assert f"{pool.relative_to(study.folder)}: is not of the study as it is now" in said
    assert "(others.zip has changed)" in said
    archive.unlink()
    said = study.plan("--configfile", config, check=False)
    assert said.returncode != 0
    assert "pool: 'others.zip' does not exist" in said.stdout
    # Without a pool nothing is left of it.
    assert study.planned() == {"evidence": 1, "report": 2}


@pytest.mark.long
def test_runs_of_another_s_archive_are_seeds_of_ours_from_one_command(study, tmp_path):
    theirs = study.copy_to(tmp_path / "theirs")
    other = theirs.overlay("other.yaml", TINY.replace("tiny", "other").replace("[0]", "[0, 7]"))
    theirs.snakemake("--configfile", other)
    theirs.run("resnet-sizes", "archive", "other", "--author", "Ada Lovelace")
    shutil.copy(theirs.folder / "results/other.zip", study.folder)
    config = study.overlay("pooled.yaml", f"{TINY}pool: [other.zip]\n")
    study.snakemake("--configfile", config)
    verdicts = json.loads((study.folder / RESULTS / "evidence/verdicts.json").read_bytes())
    [archive] = verdicts["pooled"]
    assert archive["used"] == [f"scratch-32/{model}/seed-7" for model in ("resnet18", "resnet34")]
    assert set(archive["left_out"].values()) == {"seed-is-ours"}
    page = (study.folder / RESULTS / "report/en/report.html").read_text("utf-8")
    assert "Runs of others" in page
    assert study.planned(config=config) == {}
    assert study.run("resnet-sizes", "verify", "tiny").returncode == 0
    study.run("resnet-sizes", "archive", "tiny")
    study.run("resnet-sizes", "verify", "results/tiny.zip")
