"""`resnet-sizes verify`: results that hold, and every way in which they may not."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from shared_results import ROOT, archived_result, drawn_elsewhere, make_result
from synthetic import own_readings

from copied_process import copied
from made_once import made_once
from resnet_sizes.io.code_hash import training_code_hash
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import MAX_JSON_BYTES, read_record, write_json
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.reporting.build import made_with
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.schemas.article.folder import ArticleFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import StudyFile
from resnet_sizes.schemas.run.tensors import (
    predictions_hash,
    read_predictions,
    write_predictions,
)
from resnet_sizes.schemas.run.weights import WeightsInfo
from resnet_sizes.schemas.study.study import REPORT_FILES
from resnet_sizes.sharing.open_archive import METADATA, PREVIEW, UNLISTED, Opened, check_files
from resnet_sizes.sharing.plausibility import cross_entropy

RUN = "runs/scratch-32/resnet18/seed-0"


def verify(path: Path, project: Path, *options: str) -> tuple[int, dict, str]:
    """The exit status, what is said as JSON, and the error."""
    done = copied().run(["verify", str(path), "--json", *options], project)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def differing(found: dict) -> dict[str, str]:
    return {
        each["subject"]: each["detail"]
        for each in found["findings"]
        if each["outcome"] == "differs"
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_result(tmp_path)
    return tmp_path


@pytest.fixture
def with_pages(tmp_path: Path) -> Path:
    """A project whose pages and figures are compared too, byte by byte."""
    make_result(tmp_path, pages=True)
    return tmp_path


@pytest.fixture(scope="module")
def archive() -> Path:
    """An archive in its project, not to be changed."""
    return archived_result() / "results" / "shared.zip"


@pytest.fixture
def unpacked(archive: Path, tmp_path: Path) -> Path:
    made = made_once("unpacked archive", lambda folder: shutil.unpack_archive(archive, folder))
    return shutil.copytree(made, tmp_path / "unpacked")


def digest_of(archive: Path) -> str:
    with zipfile.ZipFile(archive) as opened:
        return hashlib.sha256(opened.read(METADATA)).hexdigest()


def relisted(unpacked: Path) -> Path:
    """Whoever forges an archive makes its list of files and its certificate fit again."""
    content = (unpacked / METADATA).read_bytes()
    before, metadata = hashlib.sha256(content).hexdigest(), json.loads(content)
    for entity in metadata["@graph"]:
        if "sha256" in entity:
            content = (unpacked / entity["@id"]).read_bytes()
            entity["sha256"] = hashlib.sha256(content).hexdigest()
            entity["contentSize"] = str(len(content))
    text = json.dumps(metadata)
    (unpacked / METADATA).write_text(text, "utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    page = (unpacked / PREVIEW).read_text("utf-8")
    (unpacked / PREVIEW).write_text(page.replace(before, digest), "utf-8")
    return unpacked


def changed_metrics(run: Path, /, **changes: object) -> None:
    """Other numbers in a run's results, with a checksum that fits them."""
    path = run / "metrics.json"
    data = json.loads(path.read_text("utf-8")) | changes | {"checksum": None}
    write_json(path, Metrics.model_validate_json(json.dumps(data)).sealed())


def test_a_finished_study_holds(with_pages):
    status, found, error = verify(with_pages / "results/shared", with_pages)
    assert not differing(found)
    assert status == 0, error
    agreeing = {each["subject"] for each in found["findings"] if each["outcome"] == "agrees"}
    assert {
        "evidence/values.json", "evidence/verdicts.json", "evidence/table.csv", RUN,
        "report/pt/article.qmd", "report/pt/report.html", "report/pt/report.pdf",
    } <= agreeing  # fmt: skip


def test_manuscripts_are_in_the_archive_and_are_made_again(with_pages):
    formats = [f"--format={each}" for each in REPORT_FILES]
    done = copied().run(["report", "results/shared/study.json", *formats], with_pages)
    assert done.returncode == 0, done.stderr
    done = copied().run(["archive", "shared"], with_pages)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(with_pages / "results/shared.zip") as opened:
        names = set(opened.namelist())
        graph = {each["@id"]: each for each in json.loads(opened.read(METADATA))["@graph"]}
        preview = opened.read(PREVIEW).decode()
    report = "results/shared/report/pt"
    assert {f"{report}/{file}" for file in REPORT_FILES.values()} <= names
    assert graph[f"{report}/report.xml"]["encodingFormat"] == "application/xml"
    assert f'href="{report}/report.docx"' in preview
    status, found, error = verify(with_pages / "results/shared.zip", with_pages)
    assert status == 0, (error, differing(found))
    agreeing = {each["subject"] for each in found["findings"] if each["outcome"] == "agrees"}
    assert {f"report/pt/{file}" for file in REPORT_FILES.values()} <= agreeing
    flip(with_pages / report / "report.docx")
    status, found, _ = verify(with_pages / "results/shared", with_pages)
    assert status == 1
    assert list(differing(found)) == ["report/pt/report.docx"]


def test_an_archive_holds_wherever_it_is_and_with_its_digest(archive, tmp_path):
    (tmp_path / "report").symlink_to(Path(__file__).parents[2] / "report")
    status, found, error = verify(archive, tmp_path, "--digest", digest_of(archive))
    assert not differing(found)
    assert status == 0, error
    [digest] = [each for each in found["findings"] if each["subject"] == "digest"]
    assert digest["outcome"] == "agrees"
    assert found["digest"] == digest_of(archive)


def test_without_a_digest_the_file_is_not_said_to_be_the_one_that_was_sent(archive, tmp_path):
    (tmp_path / "report").symlink_to(Path(__file__).parents[2] / "report")
    _, found, _ = verify(archive, tmp_path)
    [digest] = [each for each in found["findings"] if each["subject"] == "digest"]
    assert digest["outcome"] == "not-compared"
    assert digest_of(archive) in digest["detail"]


def test_a_byte_flipped_in_any_file_of_an_archive_is_found(archive, unpacked):
    """By the list of files; a flip in the zip itself is found by its CRC."""
    names = {
        path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()
    }
    assert len(names) > 200
    result = Opened(Path(), Path("results/shared/study.json"), True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(unpacked)
        digest = digest_of(archive)
        contents = {name: flip(Path(name)) for name in names - UNLISTED}
        assert contents.keys() <= differing_files(result, digest)
        for name, content in contents.items():
            Path(name).write_bytes(content)
        for name in UNLISTED:
            content = flip(Path(name))
            assert differing_files(result, digest), name
            Path(name).write_bytes(content)
        assert not differing_files(result, digest)


def flip(path: Path) -> bytes:
    """Change a bit in the middle of a file; what it held before."""
    content = path.read_bytes()
    middle = len(content) // 2
    flipped = (
        content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        if content
        else b"\0"
    )
    path.write_bytes(flipped)
    return content


def differing_files(result: Opened, digest: str) -> set[str]:
    """The files of an archive that are not those of its list; the list, where it cannot be read."""
    try:
        return {each.subject for each in check_files(result, digest) if each.outcome == "differs"}
    except UserError:
        return {METADATA}


def test_a_flipped_byte_within_the_zip_is_named(archive, tmp_path):
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        member = opened.getinfo("results/shared/evidence/values.json")
    content[member.header_offset + 200] ^= 1
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(content)
    status, _, error = verify(damaged, tmp_path)
    assert status == 1
    assert "is no complete zip archive" in error
    assert "values.json" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("extra", ["results/shared/extra.json", ".hidden"])
def test_a_file_that_nobody_listed_is_found(unpacked, extra):
    (unpacked / extra).write_text("{}")
    status, found, _ = verify(unpacked, unpacked)
    assert status == 1
    assert "not in the archive's list" in differing(found)[extra]


def test_a_missing_file_is_found(unpacked):
    (unpacked / "results/shared/evidence/table.csv").unlink()
    status, found, _ = verify(unpacked, unpacked)
    assert status == 1
    assert "not there" in differing(found)["results/shared/evidence/table.csv"]


def forge_accuracy(run: Path) -> None:
    data = json.loads((run / "metrics.json").read_text("utf-8"))
    epochs = data["epochs"]
    epochs[-1]["test_accuracy"] += 0.05
    changed_metrics(
        run,
        epochs=epochs,
        final_test_accuracy=epochs[-1]["test_accuracy"],
        best_test_accuracy=epochs[-1]["test_accuracy"],
        best_epoch=5,
    )


def test_a_forged_accuracy_with_all_checksums_made_again_is_found_by_the_predictions(unpacked):
    forge_accuracy(unpacked / "results/shared" / RUN)
    relisted(unpacked)
    status, found, _ = verify(unpacked, unpacked)
    assert status == 1
    assert "gives an accuracy of" in differing(found)[RUN]


def forge_predictions(run: Path) -> None:
    """Better predictions, with the loss, the accuracy and the hashes that they give."""
    logits, labels = read_predictions(run / "predictions.safetensors")
    logits = logits.copy()
    wrong = np.flatnonzero(logits.argmax(1) != labels)[:10]
    logits[wrong] = 0
    logits[wrong, labels[wrong]] = 4.5
    write_predictions(run / "predictions.safetensors", logits, labels)
    data = json.loads((run / "metrics.json").read_text("utf-8"))
    epochs = data["epochs"]
    epochs[-1]["test_accuracy"] = float((logits.argmax(1) == labels).mean())
    epochs[-1]["test_loss"] = cross_entropy(logits, labels)
    best = max(epochs, key=lambda epoch: epoch["test_accuracy"])
    changed_metrics(
        run,
        epochs=epochs,
        final_test_accuracy=epochs[-1]["test_accuracy"],
        best_test_accuracy=best["test_accuracy"],
        best_epoch=best["epoch"],
        predictions_sha256=predictions_hash(logits, labels),
    )


def test_a_certificate_that_the_runs_do_not_give_is_found_with_all_that_shows_it(unpacked):
    path = unpacked / "certificate.json"
    data = json.loads(path.read_text("utf-8"))
    data["devices"][0] |= {"name": "Another GPU", "runs": 1000}
    shown = "<h1>All of it was verified</h1>"
    data["preview_sha256"] = hashlib.sha256(shown.encode()).hexdigest()
    path.write_text(json.dumps(data), "utf-8")
    (unpacked / PREVIEW).write_text(shown, "utf-8")
    for name in ("CITATION.cff", "zenodo.json", "codecheck.yml"):
        (unpacked / name).write_text((unpacked / name).read_text("utf-8") + "\n", "utf-8")
    status, found, _ = verify(relisted(unpacked), unpacked)
    assert status == 1
    wrong = differing(found)
    assert set(wrong) == {
        "certificate.json",
        "CITATION.cff",
        "zenodo.json",
        "codecheck.yml",
        PREVIEW,
    }
    assert "'Another GPU' is claimed, 'Synthetic GPU' comes out" in wrong["certificate.json"]


def test_times_and_people_that_the_list_of_files_tells_are_those_of_the_certificate(unpacked):
    metadata = json.loads((unpacked / METADATA).read_text("utf-8"))
    for entity in metadata["@graph"]:
        if entity["@id"] == "#run":
            entity["startTime"] = "2020-01-01T00:00:00Z"
        if entity["@type"] == "Person":
            entity["name"] = "Eve"
    (unpacked / METADATA).write_text(json.dumps(metadata), "utf-8")
    status, found, _ = verify(relisted(unpacked), unpacked)
    assert status == 1
    assert "startTime: '2020-01-01T00:00:00Z' is claimed" in differing(found)[METADATA]
    assert "'Eve' is claimed" in differing(found)[METADATA]


def test_a_card_and_a_record_of_weights_that_are_another_run_s_are_found(tmp_path):
    probe = {"protocols": ["probe-224"], "readings": own_readings("probe-224")}
    study = make_result(tmp_path, reports=False, **probe)
    run = study.parent / "runs/probe-224/resnet18/seed-0"
    _, found, _ = verify(study.parent, tmp_path)
    said = differing(found)["runs/probe-224/resnet18/seed-0/metrics.json"]
    assert "its initial weights are not those of weights/resnet18-V1.json" in said
    metrics = read_record(run / "metrics.json", Metrics, "")
    assert metrics.run.initial_weights
    record = WeightsInfo(
        key="resnet18-V1", model="resnet18", path="a", bytes=1, initial=metrics.run.initial_weights
    )
    write_json(study.parent / "weights/resnet18-V1.json", record)
    (run / "model-card.md").write_text("- Test accuracy: 0.9999", "utf-8")
    _, found, _ = verify(study.parent, tmp_path)
    said = differing(found)["runs/probe-224/resnet18/seed-0/metrics.json"]
    assert "model-card.md is not of this run" in said
    assert "initial weights" not in said


def test_what_an_archive_of_other_code_says_of_itself_in_words_is_not_compared(unpacked):
    template = unpacked / "report/archive/CITATION.cff.j2"
    template.write_text(template.read_text("utf-8") + "\n", "utf-8")
    status, found, _ = verify(relisted(unpacked), ROOT)
    assert status == 0, differing(found)
    [said] = [each for each in found["findings"] if "CITATION.cff" in each["detail"]]
    assert said["outcome"] == "not-compared"


ATTACK = "cycler.__init__.__globals__.os.popen('touch executed').read()"


@pytest.mark.parametrize(
    "command",
    [
        ["verify", "."],
        ["verify", "shared"],
        ["certificate", ".", "--checker", "Ada Lovelace", "--out", "../certificate"],
        ["compare", ".", ".", "--page", "../page.html"],
        ["trace", ".", "S3"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_nothing_of_an_archive_is_executed_in_the_folder_that_it_was_unpacked_to(unpacked, command):
    """Whoever made it can have its templates, its prose and its list of files fit together."""
    prose = next((unpacked / "articles/santos-2024/prose/pt").glob("*.j2"))
    for template in (*(unpacked / "report").rglob("*.j2"), prose):
        is_ours = ".qmd." in template.name or template.parent.name == "shared"
        attack = f"<< {ATTACK} >>" if is_ours else f"{{{{ {ATTACK} }}}}"
        template.write_text(attack + template.read_text("utf-8"), "utf-8")
    blocks = unpacked / "report/assets/blocks.lua"
    blocks.write_text("os.execute('touch executed')\n" + blocks.read_text("utf-8"), "utf-8")
    path = unpacked / "results/shared/report/pt/report.json"
    data = json.loads(path.read_text("utf-8"))
    own = ArticleFolder(unpacked / "articles/santos-2024/article.yaml")
    here = made_with(choose_engine("pandoc"), unpacked / "report", own)
    path.write_text(json.dumps(data | {"made_with": here.model_dump()}), "utf-8")
    done = copied().run(command, relisted(unpacked))
    assert "Traceback" not in done.stderr
    assert not (unpacked / "executed").exists()
    if "--page" in command or "--out" in command:  # of our own templates
        assert done.returncode == 0, done.stderr


def test_forged_predictions_do_not_fit_the_evidence_and_are_found(unpacked):
    forge_predictions(unpacked / "results/shared" / RUN)
    status, found, _ = verify(relisted(unpacked), unpacked)
    assert status == 1
    wrong = differing(found)
    assert "resnet18" in wrong["evidence/values.json"]
    assert "report/pt/article.qmd" in wrong


def test_predictions_forged_with_all_that_follows_are_found_by_the_digest_alone(archive, unpacked):
    project = unpacked
    forge_predictions(project / "results/shared" / RUN)
    options = ["--engine", "pandoc", "--format", "html"]
    for command in (["evidence", "shared"], ["report", "shared", *options]):
        done = copied().run(command, project)
        assert done.returncode == 0, done.stderr
    drawn_elsewhere(project / "results/shared/report/pt")
    relisted(project)
    status, found, _ = verify(project, project)
    assert status == 0, differing(found)  # nothing in it contradicts the rest
    status, found, _ = verify(project, project, "--digest", digest_of(archive))
    assert status == 1
    assert list(differing(found)) == ["digest"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"training_seconds": 1e-3}, "add up to"),
        ({"finished": "2025-01-01T08:00:01Z"}, "apart"),
        ({"best_epoch": 1}, "best epoch"),
        ({"macs_per_image": 10**15}, "multiply-accumulates"),
        ({"macs_per_image": 1}, "macs_per_image: is 1; of this network 37016576"),
        ({"parameters": 11_181_643}, "parameters: is 11181643; of this network 11181642"),
        ({"trainable_parameters": 11_181_643}, "it trains 11181643 of 11181642 parameters"),
        ({"peak_memory_bytes": 0}, "peak_memory_bytes of 0"),
        ({"started": "2999-01-01T08:00:00Z", "finished": "2999-01-01T20:00:00Z"}, "is not yet"),
        ({"started": "2025-01-02T08:00:00Z", "finished": "2025-01-01T08:00:00Z"}, "-86400 s apart"),
        ({"first_losses": [2.4]}, "losses of 1 first steps"),
        (
            {
                "first_losses": [],
                "code": {
                    "training_hash": training_code_hash(), "git_commit": None, "git_dirty": None,
                },
            },
            "losses of 0 first steps",
        ),
    ],
)  # fmt: skip
def test_numbers_that_no_training_gives_are_found(project, changes, reason):
    changed_metrics(project / "results/shared" / RUN, **changes)
    status, found, _ = verify(project / "results/shared", project)
    assert status == 1
    assert reason in differing(found)[f"{RUN}/metrics.json"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("started", "yesterday"),
        ("finished", "2025-01-01T08:00:00"),
        ("finished", "20250101T080000Z"),
        ("macs_per_image", 10**400),
        ("training_seconds", 1e308),
        ("first_losses", [1e308]),
        ("first_losses", [1e39, 0.0]),
        ("first_losses", [2.4, -5.0]),
    ],
)
def test_numbers_that_nobody_could_compute_with_are_no_results(project, field, value):
    path = project / "results/shared" / RUN / "metrics.json"
    data = json.loads(path.read_text("utf-8")) | {field: value, "checksum": None}
    with pytest.raises(ValidationError, match=field):
        Metrics.model_validate_json(json.dumps(data))


def test_files_that_are_anything_at_all_are_findings_and_stop_nothing(unpacked):
    results, deep = unpacked / "results/shared", "[" * 200_000
    contents = {
        f"{RUN}/log.jsonl": '{"epoch": 1}\n',
        "evidence/audit.json": deep,
        "evidence/figures.json": '{"curves": 1%s}' % ("0" * 400),
        "evidence/verdicts.json": "[]",
        "report/pt/report.json": deep,
    }
    for name, content in contents.items():
        (results / name).write_text(content)
    for name in ("LICENSE", "Snakefile", "pipe", "config/demo.yaml"):
        (unpacked / name).unlink(missing_ok=True)
    (unpacked / "LICENSE").symlink_to("nowhere")
    (unpacked / "Snakefile").symlink_to("config")
    os.mkfifo(unpacked / "pipe")
    shutil.copy(ROOT / "config/demo.yaml", unpacked.parent)
    (unpacked / "config/demo.yaml").symlink_to(unpacked.parent / "demo.yaml")
    (unpacked / "agrees\x1b[2J\n").write_text("")
    status, found, error = verify(unpacked, unpacked)
    assert status == 1
    assert "Traceback" not in error
    assert {
        "LICENSE", "Snakefile", "pipe", "config/demo.yaml", "agrees\\x1b[2J\\n",
        f"{RUN}/metrics.json", *(name for name in contents if "log" not in name),
    } <= set(differing(found))  # fmt: skip


def test_a_loss_that_is_not_that_of_the_predictions_is_found(project):
    run = project / "results/shared" / RUN
    epochs = json.loads((run / "metrics.json").read_text("utf-8"))["epochs"]
    epochs[-1]["test_loss"] *= 0.9
    changed_metrics(run, epochs=epochs)
    _, found, _ = verify(project / "results/shared", project)
    assert "test loss" in differing(found)[f"{RUN}/metrics.json"]


def test_an_accuracy_that_is_no_whole_number_of_images_is_found(project):
    run = project / "results/shared" / RUN
    epochs = json.loads((run / "metrics.json").read_text("utf-8"))["epochs"]
    epochs[0]["train_accuracy"] += 0.0012345
    changed_metrics(run, epochs=epochs)
    _, found, _ = verify(project / "results/shared", project)
    assert "no whole number" in differing(found)[f"{RUN}/metrics.json"]


def test_a_page_with_forged_numbers_is_found_though_other_programs_drew_its_figures(project):
    page = project / "results/shared/report/pt/report.html"
    text = page.read_text("utf-8")
    number = re.search(r'data-k="scratch-32.resnet50.accuracy.mean"[^>]*>([\d,]+)', text)
    assert number
    page.write_text(text.replace(number[1], "99,99"), "utf-8")
    status, found, _ = verify(project / "results/shared", project)
    assert status == 1
    assert "99,99 has no source" in differing(found)["report/pt/report.html"]


def test_a_page_that_nobody_can_read_is_a_finding(project):
    (project / "results/shared/report/pt/report.html").write_text("<svg", "utf-8")
    status, found, error = verify(project / "results/shared", project)
    assert status == 1
    assert "Traceback" not in error
    assert "report/pt" in differing(found)


def test_a_report_that_says_something_else_than_its_evidence_is_found(with_pages):
    changes = {
        "article.qmd": ("ResNet-50", "ResNet-51"),
        "report.html": ("ResNet-50", "ResNet-51"),
        "figure-loss.svg": ("</svg>", " </svg>"),
    }
    for file, (old, new) in changes.items():
        path = with_pages / "results/shared/report/pt" / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")
    status, found, _ = verify(with_pages / "results/shared", with_pages)
    assert status == 1
    assert set(differing(found)) == {f"report/pt/{file}" for file in changes}


def test_pages_of_other_versions_are_compared_by_their_text(project):
    status, found, _ = verify(project / "results/shared", project)
    assert status == 0, differing(found)
    [page] = [each for each in found["findings"] if each["subject"] == "report/pt"]
    assert page["outcome"] == "not-compared"
    assert "matplotlib 0.0" in page["detail"]


@pytest.mark.parametrize("made_with", [None, {"code": "0" * 64}])
def test_values_and_verdicts_of_a_report_of_other_code_are_compared(project, made_with):
    path = project / "results/shared/report/pt/report.json"
    data = json.loads(path.read_text("utf-8"))
    if made_with:
        data["made_with"] |= made_with
    else:
        del data["made_with"]
    data["verdicts"][0]["verdict"] = "supported"
    data["values"]["scratch-32.resnet50.accuracy.mean"]["value"] = 0.999
    path.write_text(json.dumps(data), "utf-8")
    status, found, _ = verify(project / "results/shared", project)
    assert status == 1
    [(subject, detail)] = differing(found).items()
    assert subject == "report/pt/report.json"
    assert f"{data['verdicts'][0]['id']}: 'supported' is claimed" in detail
    assert "0.999 is claimed" in detail


def test_a_forged_value_is_named_with_what_comes_out(project):
    path = project / "results/shared/evidence/values.json"
    data = json.loads(path.read_text("utf-8"))
    key = "scratch-32.resnet50.accuracy.mean"
    data["values"][key]["value"] = 0.999
    path.write_text(json.dumps(data), "utf-8")
    _, found, _ = verify(project / "results/shared", project)
    assert f"values.{key}.value: 0.999 is claimed, 0.8" in differing(found)["evidence/values.json"]


def zipped(path: Path, *members: tuple[str | zipfile.ZipInfo, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def link() -> zipfile.ZipInfo:
    member = zipfile.ZipInfo("link")
    member.external_attr = 0o120777 << 16
    return member


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([("something.txt", "no result")], "no archive of a result"),
        ([("../outside", "x")], "leads out of the archive"),
        ([("/outside", "x")], "leads out of the archive"),
        ([("a", "x"), ("A", "y")], "twice"),
        ([(link(), "/etc/passwd")], "link"),
        ([("caf\u00e9", "x"), ("cafe\u0301", "y")], "twice"),
        ([("CON", "x")], "is no name on Windows"),
        ([("a /b", "x")], "is no name on Windows"),
        ([("a/b.", "x")], "is no name on Windows"),
        ([("aux.txt", "x")], "is no name on Windows"),
        ([(METADATA, "{}"), (".", "x")], "is no name of a file"),
        ([(METADATA, "{}"), ("a\x1b[2J", "x")], "cannot be printed"),
        ([(METADATA, "{}"), ("a", "x"), ("a/b", "y")], "cannot be read (File exists)"),
        ([(METADATA, "{}"), ("n" * 300, "x")], "cannot be read (File name too long)"),
        ([(METADATA, "{}")], "holds no files results/<name>/study.json"),
        ([(METADATA, "{"), ("results/x/study.json", "{}")], "no list of files"),
        ([(METADATA, '{"@graph": [1]}'), ("results/x/study.json", "{}")], "no list of files"),
        ([(METADATA, '{"@graph": []}'), ("results/x/study.json", "{}")], "not a valid StudyFile"),
    ],
)
def test_another_zip_is_one_clear_error(tmp_path, members, reason):
    status, _, error = verify(zipped(tmp_path / "some.zip", *members), tmp_path)
    assert status == 1
    assert reason in error
    assert f"{tmp_path / 'some.zip'}: " in error
    assert not re.search("Traceback|object has no|resnet-sizes-verify-|snakemake", error)
    assert not (tmp_path.parent / "outside").exists()


def test_half_an_archive_is_one_clear_error(archive, tmp_path):
    half = tmp_path / "half.zip"
    half.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    status, _, error = verify(half, tmp_path)
    assert status == 1
    assert "no complete zip archive" in error
    assert "Traceback" not in error


def test_an_archive_of_a_newer_schema_is_one_clear_error(unpacked):
    path = unpacked / "results/shared/study.json"
    path.write_text(path.read_text("utf-8").replace('"schema_version": 1', '"schema_version": 2'))
    status, _, error = verify(relisted(unpacked), unpacked)
    assert status == 1
    assert "study.json: was made by a newer version of resnet-sizes" in error
    assert "pip install -U resnet-sizes" in error
    assert "Traceback" not in error


def test_what_is_no_result_is_one_clear_error(tmp_path):
    for path in (tmp_path, tmp_path / "nothing.zip"):
        status, _, error = verify(path, tmp_path)
        assert status == 1
        assert "Name an archive" in error


def test_steps_are_not_trained_again_without_the_images(project):
    status, _, error = verify(project / "results/shared/study.json", project, "--replay", "3")
    assert status == 1
    assert "--dataset: " in error
    assert f"{project}/results/shared/data/dataset.safetensors is no file" in error


def test_it_works_without_torch(project, tmp_path):
    """Importing torch is an error in this process."""
    script = (
        "import sys\n"
        "class Without:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('torch', 'torchvision'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Without())\n"
        "from resnet_sizes.cli.app import main\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "verify", "results/shared"],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all that was compared agrees" in done.stderr


def test_nothing_is_written(project):
    def state() -> dict[str, int]:
        return {
            str(path): path.stat().st_mtime_ns
            for path in project.rglob("*")
            if path.is_file() and not path.is_symlink()
        }

    before = state()
    verify(project / "results/shared", project)
    assert state() == before


def test_a_study_without_evidence_says_what_to_run(project):
    shutil.rmtree(project / "results/shared/evidence")
    status, found, _ = verify(project / "results/shared", project)
    assert status == 1
    assert "Run: resnet-sizes evidence" in differing(found)["evidence"]


def test_an_archive_reads_no_file_of_whoever_checks_it(unpacked):
    """Its study may name any path."""
    path = unpacked / "results/shared/study.json"
    record = read_record(path, StudyFile, "")
    own = Path(__file__).parents[2] / "articles/santos-2024/article.yaml"
    study = record.study.model_copy(update={"article": str(own)})
    write_json(path, StudyFile(study_hash=content_hash(study), study=study))
    status, found, _ = verify(relisted(unpacked), unpacked)
    assert status == 1
    assert "is not there" in differing(found)[own.as_posix()]


def not_compared(found: dict) -> dict[str, str]:
    return {
        each["subject"]: each["detail"]
        for each in found["findings"]
        if each["outcome"] == "not-compared"
    }


def listing(unpacked: Path, contents: dict[str, str | None]) -> Path:
    """Files added to an archive and its list, or, of None, taken out of both."""
    metadata = json.loads((unpacked / METADATA).read_text("utf-8"))
    gone = {name for name, content in contents.items() if content is None}
    metadata["@graph"] = [each for each in metadata["@graph"] if each["@id"] not in gone]
    for name, content in contents.items():
        path = unpacked / name
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
        metadata["@graph"].append({"@id": name, "@type": "File", "sha256": ""})
    (unpacked / METADATA).write_text(json.dumps(metadata), "utf-8")
    return relisted(unpacked)


def test_files_that_the_study_does_not_make_and_formats_that_are_missing_are_named(unpacked):
    top = "results/shared"
    added = [f"{top}/report/en/report.html", f"{top}/report/pt/extra.html", "FORGED-REPORT.html"]
    contents = dict.fromkeys([*added, f"{top}/evidence/summary.json"], "All supported.")
    listing(unpacked, contents | {f"{top}/report/pt/report.html": None})
    _, found, _ = verify(unpacked, unpacked)
    said = not_compared(found)
    names = {name.removeprefix(f"{top}/") for name in contents}
    assert names == {name for name, detail in said.items() if detail == "is no part of the study"}
    assert said["report/pt/report.html"] == "is missing; the study asks for it"


def test_an_article_and_a_table_of_gpus_that_are_not_those_here_are_named(unpacked):
    for name in ("articles/santos-2024/article.yaml", "config/devices.yaml"):
        path = unpacked / name
        path.write_text(path.read_text("utf-8") + "\n# Changed.\n", "utf-8")
    status, found, _ = verify(relisted(unpacked), ROOT)
    assert status == 0, differing(found)
    said = not_compared(found)
    assert "differs from the article file that is here" in said["articles/santos-2024/article.yaml"]
    assert "differs from the table of GPUs that is here" in said["config/devices.yaml"]


def test_a_report_that_tells_of_other_code_than_its_archive_lists_is_found(unpacked):
    report = unpacked / "results/shared/report/pt"
    data = json.loads((report / "report.json").read_text("utf-8"))
    data["made_with"]["code"] = "0" * 64
    (report / "report.json").write_text(json.dumps(data), "utf-8")
    (report / "article.qmd").write_text("All supported; 99.9 %", "utf-8")
    page = "<html><body><main><p>All supported; 99.9 %</p></main></body></html>"
    (report / "report.html").write_text(page, "utf-8")
    status, found, _ = verify(relisted(unpacked), unpacked)
    assert status == 1
    assert "tells of other code than the archive lists" in differing(found)["report/pt"]
    assert "has no source: All supported" in differing(found)["report/pt/report.html"]


def test_a_page_that_runs_what_no_template_has_is_found(project):
    page = project / "results/shared/report/pt/report.html"
    attacks = (
        '<script>alert("a")</script><p onclick="alert(2)"><a href="javascript:alert(3)">x</a></p>'
    )
    page.write_text(page.read_text("utf-8").replace("</main>", f"{attacks}</main>"), "utf-8")
    status, found, _ = verify(project / "results/shared", project)
    assert status == 1
    said = differing(found)["report/pt/report.html"]
    for attack in ('alert("a")', "alert(2)", "javascript:alert(3)"):
        assert f"runs what no template has: {attack}" in said


def test_a_forged_number_in_the_page_of_an_older_version_is_found(tmp_path):
    [reference] = sorted((ROOT / "reference").glob("*.zip"))
    shutil.unpack_archive(reference, tmp_path)
    page = tmp_path / "results" / reference.stem / "report/pt/report.html"
    text = page.read_text("utf-8")
    assert "68,86" in text
    page.write_text(text.replace("68,86", "88,86"), "utf-8")
    status, found, _ = verify(relisted(tmp_path), ROOT)
    assert status == 1
    [(subject, detail)] = differing(found).items()
    assert subject == "report/pt/report.html"
    assert "88,86 has no source" in detail


def test_the_result_of_an_older_version_is_said_to_hold_in_words(tmp_path):
    [reference] = sorted((ROOT / "reference").glob("*.zip"))
    done = copied().run(["verify", str(reference)], ROOT)
    assert done.returncode == 0, done.stdout
    [said] = [line for line in done.stdout.splitlines() if "another version" in line]
    assert "which is no fault: numbers and verdicts were made again" in said
    with zipfile.ZipFile(reference) as opened:
        files = len(opened.namelist()) - len(UNLISTED)
    assert int(re.findall(r"^files +(\d+)", done.stdout, re.MULTILINE)[0]) >= files
    assert "holds: all that was compared agrees" in done.stderr


def test_a_study_that_names_its_article_by_where_it_was_holds_and_is_archived(tmp_path):
    study = make_result(tmp_path, reports=False)
    record = read_record(study, StudyFile, "")
    older = record.study.model_copy(update={"article": "config/article.yaml"})
    write_json(study, StudyFile(study_hash=content_hash(older), study=older))
    options = ["--engine", "pandoc", "--format", "html"]
    for command in (["evidence", "shared"], ["report", "shared", *options], ["archive", "shared"]):
        done = copied().run(command, tmp_path)
        assert done.returncode == 0, done.stderr
    status, found, _ = verify(tmp_path / "results/shared.zip", tmp_path)
    assert status == 0, differing(found)
    with zipfile.ZipFile(tmp_path / "results/shared.zip") as opened:
        assert "articles/santos-2024/article.yaml" in opened.namelist()


def test_an_archive_without_a_run_in_order_is_told_of_without_remedies_for_its_owner(
    unpacked, tmp_path
):
    for run in (unpacked / "results/shared/runs").glob("*/*/*"):
        forge_accuracy(run)
    relisted(unpacked)
    forged = Path(shutil.make_archive(str(tmp_path / "forged"), "zip", unpacked))
    status, found, error = verify(forged, tmp_path)
    assert status == 1
    said = differing(found)["runs"]
    assert "gives an accuracy of" in said
    assert "Ask whoever made it" in said
    for word in ("snakemake", "Delete", "resnet-sizes-verify-"):
        assert word not in json.dumps(found) + error


@pytest.mark.parametrize("digest", ["abc", "0" * 63, "g" * 64])
def test_a_digest_that_is_none_is_refused(archive, tmp_path, digest):
    status, _, error = verify(archive, tmp_path, "--digest", digest)
    assert status == 1
    assert "allowed: 64 hex digits" in error
    assert "Traceback" not in error


def test_a_record_that_fills_the_memory_is_not_read(unpacked, tmp_path):
    bomb = '{"@graph": [' + "{}," * 3_000_000 + "{}]}"
    path = zipped(tmp_path / "bomb.zip", (METADATA, bomb), ("results/x/study.json", "{}"))
    status, _, error = verify(path, tmp_path)
    assert status == 1
    assert f"{path}: {METADATA}: holds more than" in error
    results = unpacked / "results/shared"
    large = ["evidence/audit.json", "report/pt/report.json", f"{RUN}/log.jsonl"]
    for name in large:
        (results / name).write_text("[" + " " * MAX_JSON_BYTES + "]")
    _, found, _ = verify(relisted(unpacked), unpacked)
    wrong = differing(found)
    assert "has more than" in wrong["evidence/audit.json"]
    assert "has more than" in wrong["report/pt/report.json"]
    assert "log.jsonl" in wrong[f"{RUN}/metrics.json"]


def test_the_images_are_looked_for_first_and_said_how_to_make(project):
    (project / "results/shared/data").mkdir(exist_ok=True)
    for named in ("shared", "results/shared", "results/shared.zip"):
        status, _, error = verify(Path(named), project, "--replay", "3")
        assert status == 1
        command = "snakemake results/shared/data/dataset.safetensors --cores 1 --configfile"
        assert f"{command} CONFIG.yaml" in error
    overlay = ROOT / "config/demo.yaml"
    status, _, error = verify(Path("demo"), project, "--replay", "3")
    assert overlay.is_file()
    assert "--configfile config/demo.yaml" in error
