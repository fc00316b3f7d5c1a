"""`resnet-sizes archive`: what is in it, what it says of itself, and what others make of it."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
import yaml
from shared_results import AUTHOR, ROOT, archived_result, make_result
from test_verify import relisted

from copied_process import copied
from resnet_sizes.cli.console import result, say, start_logging
from resnet_sizes.schemas.verification import Certificate
from resnet_sizes.sharing.description import crate_metadata
from resnet_sizes.sharing.open_archive import METADATA, PREVIEW
from resnet_sizes.sharing.verify import listed_files


def archive(project: Path, *options: str) -> tuple[int, str, str]:
    done = copied().run(["archive", "shared", *options], project)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def project() -> Path:
    """A project with a finished study and its archive; not to be changed."""
    return archived_result()


@pytest.fixture(scope="module")
def contents(project) -> dict[str, bytes]:
    with zipfile.ZipFile(project / "results/shared.zip") as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_it_holds_all_that_others_need(contents):
    run = "results/shared/runs/scratch-32/resnet18/seed-0"
    assert {
        "Snakefile", "articles/santos-2024/article.yaml", "config/devices.yaml",
        "requirements.lock", "LICENSE",
        "src/resnet_sizes/cli/app.py", "workflow/rules/train.smk", "report/pt/article.qmd.j2",
        "results/shared/study.json", "results/shared/data/dataset.json",
        f"{run}/run.json", f"{run}/metrics.json", f"{run}/predictions.safetensors",
        "results/shared/evidence/verdicts.json", "results/shared/report/pt/report.html",
        "results/shared/report/pt/report.pdf", "CITATION.cff", "zenodo.json", "codecheck.yml",
        "certificate.json", METADATA, PREVIEW,
    } <= set(contents)  # fmt: skip
    assert not [name for name in contents if "__pycache__" in name or "/." in name]
    assert "results/shared/data/dataset.safetensors" not in contents


def test_equal_inputs_give_equal_bytes(project, tmp_path):
    shutil.copytree(project, tmp_path / "copy", symlinks=True)
    first = (project / "results/shared.zip").read_bytes()
    later = time.time() + 1000
    for path in (tmp_path / "copy/results").rglob("*"):
        os.utime(path, (later, later))
    archive(tmp_path / "copy", "--author", AUTHOR, "--out", "again.zip")
    assert (tmp_path / "copy/again.zip").read_bytes() == first


def test_the_crate_names_its_profile_its_run_and_each_file(contents):
    graph = {each["@id"]: each for each in json.loads(contents[METADATA])["@graph"]}
    root, run = graph["./"], graph["#run"]
    profiles = {f"https://w3id.org/ro/wfrun/{name}/0.5" for name in ("process", "workflow")}
    assert profiles == {each["@id"] for each in root["conformsTo"]}
    assert root["mainEntity"] == {"@id": "Snakefile"}
    assert run["instrument"] == {"@id": "Snakefile"}
    assert run["agent"]["@id"] == "https://orcid.org/0000-0002-1825-0097"
    assert {"@id": "results/shared/evidence/verdicts.json"} in run["result"]
    assert {"@id": "articles/santos-2024/article.yaml"} in run["object"]
    listed = {name for name, each in graph.items() if "sha256" in each}
    assert listed == set(contents) - {METADATA, PREVIEW}


def test_a_list_of_files_keeps_names_with_any_letters(contents, tmp_path):
    names = ["Snakefile", "config/meu artigo 50% é#1?.yaml", "config/%20.yaml"]
    certificate = Certificate.model_validate_json(contents["certificate.json"])
    listed = crate_metadata(certificate, dict.fromkeys(names, (1, 'no "digest"\\')))
    (tmp_path / METADATA).write_text(listed, "utf-8")
    assert listed_files(tmp_path / METADATA) == dict.fromkeys(names, 'no "digest"\\')


def test_a_name_that_not_every_system_has_is_refused_before_anything_is_written(project, tmp_path):
    shutil.copytree(project, tmp_path / "copy", symlinks=True)
    (tmp_path / "copy/config").unlink()
    shutil.copytree(ROOT / "config", tmp_path / "copy/config")
    (tmp_path / "copy/config/a:b.yaml").write_text("")
    status, _, error = archive(tmp_path / "copy", "--out", "again.zip")
    assert status == 1
    assert "config/a:b.yaml leads out of the archive" in error
    assert "Rename it" in error


def test_a_name_with_dots_is_kept_whole(monkeypatch, capsys):
    from resnet_sizes.cli.sharing import archive
    from resnet_sizes.sharing import archive as writing

    monkeypatch.setattr(writing, "write_archive", lambda study, target, *_: str(target))
    archive(Path("results/v1.2/study.json"), license="MIT")
    assert "results/v1.2.zip" in capsys.readouterr().out


def test_the_page_shows_who_ran_what_in_the_languages_of_the_study(contents):
    page = contents[PREVIEW].decode()
    assert "Certificado do resultado" in page
    assert "Ada Lovelace" in page
    assert "Synthetic GPU" in page
    assert "de treinamento e" in page
    assert 'href="results/shared/report/pt/report.html"' in page
    assert "Certificate of the result" not in page  # the study has one language
    assert "{{" not in page


def test_citation_deposit_and_codecheck_are_filled_in(contents):
    citation = yaml.safe_load(contents["CITATION.cff"])
    assert citation["authors"] == [
        {
            "given-names": "Ada",
            "family-names": "Lovelace",
            "orcid": "https://orcid.org/0000-0002-1825-0097",
        }
    ]
    assert citation["license"] == "CC-BY-4.0"
    deposit = json.loads(contents["zenodo.json"])["metadata"]
    assert deposit["creators"] == [{"name": "Lovelace, Ada", "orcid": "0000-0002-1825-0097"}]
    check = yaml.safe_load(contents["codecheck.yml"])
    files = [each["file"] for each in check["manifest"]]
    assert "results/shared/evidence/verdicts.json" in files
    assert all(each in contents for each in files)


def test_without_an_author_none_is_made_up(tmp_path):
    make_result(tmp_path)
    status, said, error = archive(tmp_path)
    assert status == 0, error
    assert re.search(r"results/shared\.zip\ndigest: [0-9a-f]{64}$", said.strip())
    assert "No author is named" in error
    with zipfile.ZipFile(tmp_path / "results/shared.zip") as opened:
        assert "não informados" in opened.read(PREVIEW).decode()
        citation = yaml.safe_load(opened.read("CITATION.cff"))
    assert citation["authors"] == [{"name": "Not named"}]


@pytest.mark.long
def test_unpacked_it_is_a_project_that_reports_again(project, tmp_path):
    with zipfile.ZipFile(project / "results/shared.zip") as opened:
        opened.extractall(tmp_path)
    page = tmp_path / "results/shared/report/pt/report.html"
    before = page.read_bytes()
    page.unlink()
    done = subprocess.run(
        [sys.executable, "-c", "from resnet_sizes.cli.app import main; main()", "report", "shared",
         "--engine", "pandoc"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert page.read_bytes() == before


def test_a_study_that_does_not_hold_is_not_archived(tmp_path):
    study = make_result(tmp_path)
    table = study.parent / "evidence/table.csv"
    table.write_text(table.read_text("utf-8").replace("0.", "1."), "utf-8")
    status, _, error = archive(tmp_path)
    assert status == 1
    assert "is not archived, since it does not hold" in error
    assert "resnet-sizes verify" in error
    assert not (tmp_path / "results/shared.zip").exists()


def test_an_article_file_outside_of_the_project_is_refused(tmp_path):
    from resnet_sizes.io.files import read_record, write_json
    from resnet_sizes.io.hashes import content_hash
    from resnet_sizes.schemas.run.run import StudyFile

    path = make_result(tmp_path, reports=False, languages=("pt",))
    study = read_record(path, StudyFile, "").study.model_copy(
        update={"article": str(Path(__file__).parents[2] / "articles/santos-2024/article.yaml")}
    )
    write_json(path, StudyFile(study_hash=content_hash(study), study=study))
    status, _, error = archive(tmp_path)
    assert status == 1
    assert "outside of the project's folder" in error
    assert "Copy it to config/" in error


@pytest.mark.parametrize(
    ("option", "value"),
    [("--author", "<0000>"), ("--author", "Ada <12>"), ("--license", "all rights reserved!")],
)
def test_bad_options_are_one_clear_error(tmp_path, option, value):
    make_result(tmp_path)
    status, _, error = archive(tmp_path, option, value)
    assert status == 1
    assert f"{option}: found {value!r}; allowed:" in error


def test_trace_leads_from_the_claim_to_the_predictions(project):
    done = copied().run(["trace", "shared", "S1"], project)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("1. The article says (articles/santos-2024/article.yaml, S1)")
    counted = [line for line in lines if "predictions.safetensors:" in line]
    assert counted
    metrics = json.loads(
        (project / "results/shared/runs/scratch-32/resnet18/seed-0/metrics.json").read_text()
    )
    right = round(metrics["final_test_accuracy"] * 200)
    assert any(f"resnet18/seed-0/predictions.safetensors: {right} of 200" in x for x in counted)


def test_trace_of_evidence_that_lacks_what_it_names_is_one_clear_error(tmp_path):
    make_result(tmp_path)
    path = tmp_path / "results/shared/evidence/verdicts.json"
    data = json.loads(path.read_text("utf-8")) | {"checksum": None}
    data["verdicts"][0]["values"] = {"resnet18.accuracy": "nowhere"}
    path.write_text(json.dumps(data), "utf-8")
    done = copied().run(["trace", "shared", data["verdicts"][0]["id"]], tmp_path)
    assert done.returncode == 1
    assert "Run: resnet-sizes evidence" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_controls_a_terminal_is_written_out(capsys):
    result("one\ntwo\x1b[2J\x9b\u202e")
    assert capsys.readouterr().out == "one\ntwo\\u001b[2J\\u009b\\u202e\n"
    result("one\ntwo", one_line=True)
    assert capsys.readouterr().out == "one\\ntwo\n"
    start_logging(None)
    say("error: \x1b[2J")
    assert capsys.readouterr().err == "error: \\u001b[2J\n"


def test_trace_of_a_claim_that_there_is_not_names_those_there_are(project):
    done = copied().run(["trace", "shared", "S99"], project)
    assert done.returncode == 1
    assert "allowed: S1, S2" in done.stderr


def test_a_certificate_fills_the_template_and_leaves_the_readers_part_open(project, tmp_path):
    done = copied().run(
        ["certificate", "results/shared.zip", "--checker", AUTHOR, "--out", str(tmp_path)], project
    )
    assert done.returncode == 0, done.stderr
    check = yaml.safe_load((tmp_path / "codecheck.yml").read_text("utf-8"))
    assert check["codechecker"] == [{"name": "Ada Lovelace", "ORCID": "0000-0002-1825-0097"}]
    assert "0 differ" in check["summary"]
    page = (tmp_path / "codecheck-certificate.md").read_text("utf-8")
    assert "- [ ] " in page
    assert "- [x]" not in page


def test_a_certificate_is_not_written_into_the_archive_that_it_is_of(project, tmp_path):
    with zipfile.ZipFile(project / "results/shared.zip") as opened:
        opened.extractall(tmp_path)
    done = copied().run(["certificate", ".", "--checker", "Ada"], tmp_path)
    assert done.returncode == 1
    assert "is the archive's own" in done.stderr


def test_a_result_is_named_by_study_folder_or_archive_alike(project):
    said = []
    for name in ("shared", "results/shared", "results/shared/study.json", "results/shared.zip"):
        done = copied().run(["trace", name, "S3"], project)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert len(set(said)) == 1
    done = copied().run(["compare", "shared", "results/shared.zip"], project)
    assert done.returncode == 0, done.stderr
    done = copied().run(["verify", "nothing"], project)
    assert done.returncode == 1
    assert "Name an archive, or results" in done.stderr


def test_an_orcid_has_its_check_digit(project):
    status, _, error = archive(project, "--author", "Ada Lovelace <0000-0002-1825-0098>")
    assert status == 1
    assert "0000-0002-1825-0098 is no ORCID" in error


def test_a_citation_says_where_the_images_are_others_than_the_article_s(contents):
    title = yaml.safe_load(contents["CITATION.cff"])["title"]
    assert title.startswith("Replication of “")
    assert title.endswith("”: the study shared, on other images")


def test_a_certificate_of_a_folder_says_to_archive_it_first(project):
    done = copied().run(["certificate", "results/shared", "--checker", "Ada"], project)
    assert done.returncode == 1
    assert "resnet-sizes archive" in done.stderr


@pytest.mark.long
def test_the_crate_is_valid_by_its_profile(project, tmp_path):
    """By roc-validator, whose dependencies are not ours: it has an environment of its own. The
    context of RO-Crate 1.1, which it would fetch, came with an older version of `rocrate`."""
    python, wheels = tmp_path / "venv/bin/python", tmp_path / "wheels"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    pip = [python, "-m", "pip", "-q"]
    for wanted in (
        [*pip, "install", "roc-validator==0.13.0"],
        [*pip, "download", "--no-deps", "--dest", wheels, "rocrate==0.11.0"],
    ):
        made = subprocess.run(wanted, capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"no package registry can be reached: {made.stderr[-200:]}")
    context, crate = tmp_path / "context.jsonld", tmp_path / "crate"
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
        context.write_bytes(wheel.read("rocrate/data/ro-crate.jsonld"))
    with zipfile.ZipFile(project / "results/shared.zip") as opened:
        opened.extractall(crate)
    script = Path(__file__).parents[1] / "long/validate_crate.py"

    def validated() -> subprocess.CompletedProcess[str]:
        return subprocess.run([python, script, context, crate], capture_output=True, text=True)

    done = validated()
    assert done.returncode == 0, done.stdout + done.stderr
    metadata = json.loads((crate / METADATA).read_text("utf-8"))
    run = next(each for each in metadata["@graph"] if each["@id"] == "#run")
    del run["instrument"]
    (crate / METADATA).write_text(json.dumps(metadata), "utf-8")
    assert validated().returncode == 1  # it does look


def test_out_is_neither_in_the_study_nor_in_the_place_of_another_file(tmp_path):
    study = make_result(tmp_path)
    before = study.read_bytes()
    (tmp_path / "notes.md").write_text("mine")
    for out, said in (
        ("results/shared/study.json", "inside of the study"),
        ("results/shared/new.zip", "inside of the study"),
        ("notes.md", "is there, and is no archive"),
        ("config", "is there, and is no archive"),
        ("/proc/x.zip", "Name a folder in which files can be made"),
    ):
        status, _, error = archive(tmp_path, "--out", out)
        assert status == 1
        assert said in error
    assert study.read_bytes() == before
    assert (tmp_path / "notes.md").read_text() == "mine"


def test_a_study_that_is_not_finished_says_how_far_it_is(tmp_path):
    study = make_result(tmp_path)
    shutil.rmtree(study.parent / "runs/scratch-32/resnet50/seed-1")
    status, _, error = archive(tmp_path)
    assert status == 1
    assert "1 of 4 runs have not finished, scratch-32/resnet50/seed-1 among them" in error
    assert "resnet-sizes status shared" in error
    assert "resnet-sizes-verify" not in error


def test_a_certificate_of_what_does_not_hold_says_so_and_names_no_folder_of_the_checker(
    project, tmp_path
):
    with zipfile.ZipFile(project / "results/shared.zip") as opened:
        opened.extractall(tmp_path / "forged")
    table = tmp_path / "forged/results/shared/evidence/table.csv"
    table.write_text(table.read_text("utf-8").replace("0.", "1."), "utf-8")
    (tmp_path / "forged/report/pt/_front.qmd.j2").write_text("of another version")
    relisted(tmp_path / "forged")
    done = copied().run(["certificate", "forged", "--checker", AUTHOR, "--out", "made"], tmp_path)
    assert done.returncode == 1
    assert re.search(r"forged: does not hold, .* \(differing: \d+\)", done.stderr)
    assert "resnet-sizes verify forged" in done.stderr
    for written in (tmp_path / "made").iterdir():
        assert str(tmp_path) not in written.read_text("utf-8")
        assert str(ROOT) not in written.read_text("utf-8")
    page = (tmp_path / "made/codecheck-certificate.md").read_text("utf-8")
    assert "another version of the code or templates than here" in page
    assert "differs: `evidence/table.csv`" in page


@pytest.mark.parametrize("name", ["shared", "results/shared", "results/shared/study.json"])
def test_a_certificate_of_a_folder_names_the_archive_that_there_would_be(project, name):
    done = copied().run(["certificate", name, "--checker", "Ada"], project)
    assert done.returncode == 1
    assert "resnet-sizes archive results/shared, then: " in done.stderr
    assert "resnet-sizes certificate results/shared.zip --checker" in done.stderr
    assert "Verifying" not in done.stderr


def test_trace_reads_no_file_that_is_not_the_listed_one(project, tmp_path):
    with zipfile.ZipFile(project / "results/shared.zip") as opened:
        opened.extractall(tmp_path / "theirs")
    path = tmp_path / "theirs/articles/santos-2024/article.yaml"
    path.write_text(path.read_text("utf-8") + "# a comment\n", "utf-8")
    done = copied().run(["trace", "theirs", "S1"], tmp_path)
    assert done.returncode == 1
    assert "theirs: articles/santos-2024/article.yaml has another SHA-256" in done.stderr
    assert "resnet-sizes verify theirs" in done.stderr
