"""Runs of others as further seeds: which count, who is named, and what is refused."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from judged_studies import sentence
from pooled_results import (
    OTHER_DEVICE,
    archive_of_others,
    naming,
    pooled_result,
    run,
    taken_over,
)
from shared_results import ROOT, SMALL, make_result, plausible
from synthetic import ARTICLE, make_study
from test_verify import changed_metrics, differing, digest_of, forge_predictions, relisted, verify

from copied_process import copied
from resnet_sizes.evidence.judging.judge import judge
from resnet_sizes.evidence.runs.read import StudyRuns, read_runs
from resnet_sizes.evidence.statistics.sampling import samplings
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.reporting.build import made_with, report_text
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.text.printed import plain
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.article.folder import ArticleFolder
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import StudyFile
from resnet_sizes.study.staleness import write_stale_files

MODELS = SMALL["models"]


@pytest.fixture(scope="module")
def pooled() -> Path:
    """The results of a study with two seeds of ours and two of others; not to be changed."""
    return pooled_result() / "results/shared"


def loaded(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def test_runs_of_others_count_as_further_seeds_but_no_seed_twice(pooled):
    [archive] = loaded(pooled / "evidence/verdicts.json")["pooled"]
    runs = [f"scratch-32/{model}/seed-{{}}" for model in MODELS]
    assert archive["used"] == [each.format(seed) for seed in (2, 3) for each in runs]
    assert archive["left_out"] == {each.format(1): "seed-is-ours" for each in runs}
    values = loaded(pooled / "evidence/values.json")["values"]
    numbers = {key: value["value"] for key, value in values.items()}
    of_model = {
        key: numbers[f"scratch-32.resnet18.{key}"] for key in ("runs", "own_runs", "pooled_runs")
    }
    assert of_model == {"runs": 4, "own_runs": 2, "pooled_runs": 2}
    assert (numbers["pool.own"], numbers["pool.others"]) == (4, 4)
    assert numbers["pool.0.authors"] == ["Ada Lovelace"]
    assert numbers["pool.0.devices"] == [OTHER_DEVICE]
    assert numbers["pool.0.left_out.seed-is-ours"] == 2


def test_times_devices_and_memory_are_those_of_our_runs_alone(pooled):
    record = loaded(pooled / "evidence/values.json")
    for key, value in record["values"].items():
        of_others = any(source["file"].startswith("pool/") for source in value["sources"])
        assert not of_others or not key.endswith(("minutes.mean", "minutes.sd", "peak_memory")), key
    assert record["values"]["hardware.device"]["value"] == ["Synthetic GPU"]
    devices = {run["device"] for file, run in record["runs"].items() if file.startswith("pool/")}
    assert devices == {OTHER_DEVICE}
    points = loaded(pooled / "evidence/figures.json")["points"]
    assert {len(each["minutes"]) for each in points} == {2}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("pt", ("4 nossas, 4 de outros", "Ada Lovelace", "os tempos são só das nossas")),
        ("en", ("4 of ours, 4 of others", "Ada Lovelace", "times are those of ours alone")),
    ],
)
def test_the_report_tells_origins_apart(pooled, monkeypatch, language, said):
    monkeypatch.chdir(pooled.parent.parent)
    inputs, templates = read_inputs(pooled / "study.json", pooled / "evidence"), Path("report")
    article = ArticleFolder(Path(inputs.study.article))
    made = made_with(choose_engine("pandoc"), templates, article)
    text, *_ = report_text(inputs, language, made, templates, Path("nowhere"))
    for words in said:
        assert words in plain(text)


def test_an_archive_of_a_pooled_study_holds_with_the_runs_of_others_in_it(pooled):
    archive = pooled.with_suffix(".zip")
    status, found, _ = verify(archive, ROOT, "--digest", digest_of(archive))
    assert not differing(found)
    assert status == 0
    place = f"pool/{digest_of(archive_of_others())}"
    [said] = [each for each in found["findings"] if each["subject"] == place]
    assert said["outcome"] == "agrees"
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
    assert f"results/shared/{place}/origin.json" in names
    assert (
        f"results/shared/{place}/runs/scratch-32/resnet18/seed-2/predictions.safetensors" in names
    )


def test_a_pooled_run_that_was_forged_with_all_that_follows_is_found_by_its_archive_s_list(
    pooled, tmp_path
):
    shutil.unpack_archive(pooled.with_suffix(".zip"), tmp_path)
    place = f"pool/{digest_of(archive_of_others())}"
    forge_predictions(tmp_path / f"results/shared/{place}/runs/scratch-32/resnet18/seed-2")
    run(tmp_path, "evidence", "shared")
    status, found, _ = verify(relisted(tmp_path), tmp_path)
    assert status == 1
    assert "is not the file that the archive lists" in differing(found)[place]


def test_an_origin_that_keeps_quiet_about_a_run_or_names_somebody_else_is_found(pooled, tmp_path):
    shutil.copytree(pooled.parent.parent, tmp_path / "project", symlinks=True)
    [origin] = (tmp_path / "project/results/shared/pool").glob("*/origin.json")
    pool = origin.parents[1] / "pool.json"
    pool.write_text(pool.read_text("utf-8").replace("Ada Lovelace", "Eve"), "utf-8")
    shutil.rmtree(origin.parent / "runs/scratch-32/resnet18/seed-1")
    _, found, _ = verify(tmp_path / "project/results/shared", tmp_path / "project")
    said = differing(found)[f"pool/{origin.parent.name}"]
    assert "leaves out runs without a word" in said
    assert "has another certificate" in said


def test_compare_takes_our_runs_and_trace_follows_those_of_others(pooled):
    project = pooled.parent.parent
    made = copied().run(["compare", "results/shared", "theirs.zip", "--json"], project)
    [study] = json.loads(made.stdout)["studies"]
    seeds = {(each["first_seeds"], each["second_seeds"]) for each in study["quantities"]}
    assert seeds == {(2, 3)}
    lines = run(project, "trace", "shared", "S1").splitlines()
    assert any("/pool/" in line and " right" in line for line in lines)


def test_an_archive_of_a_pooled_study_can_be_pooled_itself(pooled, tmp_path):
    """Its own runs are taken over; those that were pooled there are not, and nobody is accused."""
    study = make_result(tmp_path, reports=False, seeds=(4, 5))
    shutil.copy(pooled.with_suffix(".zip"), tmp_path / "pooled.zip")
    naming(study, "pooled.zip")
    assert "verified and taken over" in run(tmp_path, "study", "pool", "shared")
    run(tmp_path, "evidence", "shared")
    _, found, _ = verify(study.parent, tmp_path)
    place = f"pool/{digest_of(pooled.with_suffix('.zip'))}"
    [said] = [each for each in found["findings"] if each["subject"] == place]
    assert said["outcome"] == "agrees", said["detail"]
    [archive] = loaded(study.parent / "evidence/verdicts.json")["pooled"]
    runs = [f"scratch-32/{model}/seed-{{}}" for model in MODELS]
    assert archive["used"] == [each.format(seed) for seed in (0, 1) for each in runs]


def test_the_page_of_an_archive_names_whose_runs_were_pooled(pooled):
    with zipfile.ZipFile(pooled.with_suffix(".zip")) as opened:
        page = opened.read("ro-crate-preview.html").decode()
    [row] = [line for line in page.splitlines() if "Execuções de outros" in line]
    for told in ("Ada Lovelace", OTHER_DEVICE, digest_of(archive_of_others())):
        assert told in row


def test_a_study_that_has_not_begun_is_pooled_by_its_overlay_once_its_images_are_there(tmp_path):
    for name in ("config", "articles"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copy(archive_of_others(), tmp_path / "theirs.zip")
    (tmp_path / "own.yaml").write_text("name: own\npool: [theirs.zip]\n")
    done = copied().run(["study", "pool", "own.yaml"], tmp_path)
    assert (tmp_path / "results/own/study.json").is_file()
    assert done.returncode == 1
    assert "snakemake results/own/pool/pool.json --cores all --configfile" in done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_result(tmp_path, reports=False)
    return tmp_path


def refused(project: Path, *archives: Path | str) -> str:
    """What is said of archives that cannot be pooled."""
    naming(project / "results/shared/study.json", *map(str, archives))
    done = copied().run(["study", "pool", "shared"], project)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "error: pool: " in done.stderr
    assert not (project / "results/shared/pool").exists()
    return done.stderr


def test_an_archive_that_does_not_hold_is_refused_with_the_command_that_tells_all(project):
    with zipfile.ZipFile(archive_of_others()) as opened:
        opened.extractall(project / "forged")
    table = project / "forged/results/theirs/evidence/table.csv"
    table.write_text(table.read_text("utf-8").replace("0.", "1."), "utf-8")
    forged = shutil.make_archive(str(project / "forged"), "zip", relisted(project / "forged"))
    said = refused(project, archive_of_others(), "forged.zip")
    assert "does not hold" in said
    assert f"resnet-sizes verify {Path(forged).name}" in said


@pytest.mark.parametrize(
    ("settings", "said"), [({"epochs": 6}, "epochs"), ({"content": "digits"}, "dataset_identity")]
)
def test_an_archive_that_has_nothing_for_the_study_is_refused_with_the_reason(
    tmp_path, settings, said
):
    make_result(tmp_path, reports=False, **settings)
    refusal = refused(tmp_path, archive_of_others())
    assert f"has no run that fits this study; they differ in: {said}. Set them as in its" in refusal
    assert "results/theirs/study.json" in refusal


def test_an_archive_twice_and_no_archive_are_one_clear_error(project):
    (project / "copy.zip").write_bytes(archive_of_others().read_bytes())
    said = refused(project, archive_of_others(), "copy.zip")
    assert "copy.zip is the same archive as" in said
    (project / "text.zip").write_text("no archive")
    naming(project / "results/shared/study.json", "text.zip")
    done = copied().run(["study", "pool", "shared"], project)
    assert done.returncode == 1
    assert "text.zip: is no complete zip archive" in done.stderr


def test_the_archive_of_the_study_itself_is_refused(project):
    with zipfile.ZipFile(archive_of_others()) as opened:
        for name in opened.namelist():
            if name.startswith("results/theirs/runs/"):
                target = project / name.replace("theirs", "shared", 1)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(opened.read(name))
    assert "holds this study's own runs" in refused(project, archive_of_others())


def test_an_archive_of_another_article_is_refused(project):
    (project / "articles").unlink()
    shutil.copytree(ROOT / "articles", project / "articles")
    article = project / "articles/santos-2024/article.yaml"
    title = "title: "
    text = article.read_text("utf-8")
    assert title in text
    article.write_text(text.replace(title, f"{title}Not ", 1), "utf-8")
    assert "is of another article" in refused(project, archive_of_others())


def test_paths_in_the_configuration_are_archives_that_are_there(tmp_path):
    for name in ("config", "articles"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "folder").mkdir()
    for path, said in (
        ("gone.zip", "does not exist"),
        ("folder", "is a folder; allowed: archives"),
    ):
        (tmp_path / "own.yaml").write_text(f"name: own\npool: [{path}]\n")
        done = copied().run(["study", "write", "own.yaml"], tmp_path)
        assert done.returncode == 1
        assert f"pool: '{path}' {said}" in done.stderr
    (tmp_path / "own.yaml").write_text("pool: [a.zip, a.zip]\n")
    done = copied().run(["study", "write", "own.yaml"], tmp_path)
    assert "a.zip stands twice" in done.stderr


def read(study: Path) -> StudyRuns:
    return read_runs(read_record(study, StudyFile, ""), StudyFolder.of_file(study), False)


def studies(folder: Path, **theirs: Any) -> tuple[Path, Path]:
    """Ours with the seeds 0 and 1, and another's with 1, 2 and 3."""
    ours = plausible(make_study(folder / "ours", **SMALL))
    others = {"name": "theirs", "seeds": (1, 2, 3)} | theirs
    return ours, plausible(make_study(folder / "theirs", **SMALL | others))


def test_verdicts_say_how_many_seeds_come_from_each_origin(tmp_path):
    accuracies = {"resnet18": [0.8, 0.81, 0.805], "resnet50": [0.84, 0.843, 0.85], "resnet152": 0.9}
    ours = make_study(tmp_path / "ours", accuracies=accuracies)
    taken_over(ours, make_study(tmp_path / "theirs", accuracies=accuracies, seeds=(3, 4, 5)))
    runs, article = read(ours), load_article(ARTICLE)
    found = {each.id: each for each in judge(article, samplings(runs)).verdicts if each.basis}
    assert found["S1"].basis.origins == found["T1"].basis.origins == [3, 3]
    assert found["S1"].basis.seeds == 6
    for claim in ("S2", "S13", "S17"):  # of times, which are our device's
        assert found[claim].basis.origins == []
        assert found[claim].basis.seeds == 3
    said = sentence(found["S1"])
    assert "6 sementes, 3 nossas e 3 de outra origem" in said.pt
    assert "6 seeds, 3 of ours and 3 of another origin" in said.en
    assert "results of more origins, rather than more seeds" in said.en
    alone = judge(article, samplings(runs.own)).verdicts
    assert {each.id: each.verdict for each in alone}["S1"] == "supported"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"code": {"training_hash": "f" * 64, "git_commit": None, "git_dirty": None}},
            "other-code",
        ),
        ({}, None),
    ],
)
def test_a_run_that_is_not_as_ours_is_left_out_with_its_seed(tmp_path, changes, why):
    ours, theirs = studies(tmp_path)
    place = taken_over(ours, theirs)
    changed_metrics(place / "runs/scratch-32/resnet18/seed-2", **changes)
    [archive] = read(ours).origins
    left_out = archive.left_out
    assert left_out.get("scratch-32/resnet18/seed-2") == why
    assert left_out.get("scratch-32/resnet50/seed-2") == why
    assert len(archive.used) == (2 if why else 4)


def test_a_seed_that_a_network_lacks_there_does_not_count(tmp_path):
    ours, theirs = studies(tmp_path)
    shutil.rmtree(taken_over(ours, theirs) / "runs/scratch-32/resnet50/seed-3")
    [archive] = read(ours).origins
    assert archive.left_out["scratch-32/resnet18/seed-3"] == "incomplete"
    assert len(archive.used) == 2


def test_predictions_that_are_a_copy_of_another_run_s_count_once(tmp_path):
    ours, theirs = studies(tmp_path)
    runs = taken_over(ours, theirs) / "runs/scratch-32/resnet18"
    copied_metrics = loaded(runs / "seed-1/metrics.json")
    shutil.copy(
        ours.parent / "runs/scratch-32/resnet18/seed-0/predictions.safetensors", runs / "seed-2"
    )
    original = loaded(ours.parent / "runs/scratch-32/resnet18/seed-0/metrics.json")
    kept = {
        key: original[key]
        for key in (
            "epochs",
            "predictions_sha256",
            "final_test_accuracy",
            "best_test_accuracy",
            "best_epoch",
        )
    }
    assert copied_metrics
    changed_metrics(runs / "seed-2", **kept)
    [archive] = read(ours).origins
    assert archive.left_out["scratch-32/resnet18/seed-2"] == "same-predictions"
    assert len(read(ours).finished) == 4


def test_a_seed_of_two_archives_is_that_of_the_first(tmp_path):
    ours, theirs = studies(tmp_path)
    taken_over(ours, theirs)
    more = plausible(make_study(tmp_path / "more", **SMALL | {"seeds": (3, 4)}))
    # Trained on another device, so no copy: the draw of synthetic predictions follows the name.
    taken_over(ours, more, "c" * 64, "more.zip")
    first, second = read(ours).origins
    assert (len(first.used), len(second.used)) == (4, 2)
    assert second.left_out["scratch-32/resnet50/seed-3"] == "seed-is-anothers"
    assert read(ours).counts("scratch-32", MODELS) == [2, 2, 1]
    assert [run.settings.seed for run in read(ours).of("scratch-32", "resnet18")] == [0, 1, 2, 3, 4]


def test_a_pool_that_was_not_imported_is_no_pool(tmp_path):
    ours, theirs = studies(tmp_path)
    naming(ours, "theirs.zip")
    with pytest.raises(UserError, match="Run: resnet-sizes study pool"):
        read(ours)
    place = taken_over(ours, theirs)
    naming(ours, "other.zip")
    with pytest.raises(UserError, match="is of other archives"):
        read(ours)
    naming(ours, "theirs.zip")
    (place / "runs/scratch-32/resnet18/seed-2/predictions.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match="resnet-sizes study pool"):
        read(ours)


def test_a_changed_archive_makes_its_import_stale_with_a_word(tmp_path, monkeypatch, caplog):
    ours, theirs = studies(tmp_path)
    taken_over(ours, theirs)
    monkeypatch.chdir(tmp_path / "ours")
    study = read_record(ours, StudyFile, "").study
    pool = str(StudyFolder.of("shared").pool)
    assert pool not in write_stale_files(study, lambda path: "b" * 64)
    assert pool in write_stale_files(study, lambda path: "d" * 64)
    assert "(theirs.zip has changed); it is made again" in caplog.text
    Path(pool).write_text(Path(pool).read_text().replace("theirs.zip", "before.zip"))
    assert pool in write_stale_files(study, lambda path: "b" * 64)
    assert "(theirs.zip is new)" in caplog.text
