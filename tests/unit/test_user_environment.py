"""What a user's shell and home hold decides nothing that is published, and breaks no command."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from report_studies import DEMO, study_with_evidence

import resnet_sizes
from copied_process import copied
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.training.devices.select import select_device
from resnet_sizes.training.job.results import code

ROOT = Path(__file__).parents[2]

ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
"""A locale whose letters are not UTF-8, which every machine has."""

NOTEBOOK = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
"""As in every process that Jupyter and Colab start."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A working directory with the project's configuration and templates."""
    home = tmp_path / "project"
    home.mkdir()
    for name in ("config", "articles", "report"):
        (home / name).symlink_to(ROOT / name)
    return home


def command(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`resnet-sizes` in a new Python, which alone reads the environment as a user's does."""
    return subprocess.run(
        [sys.executable, "-m", "resnet_sizes", *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def images_in(folder: Path, *names: str) -> None:
    for red, part in enumerate(("train", "test")):
        for green, name in enumerate(names):
            place = folder / part / name
            place.mkdir(parents=True)
            for blue in range(2):
                Image.new("RGB", (32, 32), (red, green, blue)).save(place / f"{blue}.png")


def test_settings_of_matplotlib_and_a_locale_without_utf8_change_no_byte_of_the_report(
    project: Path, tmp_path: Path
) -> None:
    study = study_with_evidence(project, **DEMO)
    arguments = ["report", str(study), "--language", "pt", "--language", "pt", "--format", "html"]
    plain = copied().run(arguments, project)
    assert plain.returncode == 0, plain.stderr
    assert plain.stdout.count("report.html") == 1  # once, though asked for twice
    made = study.parent / "report" / "pt"
    before = {path.name: path.read_bytes() for path in made.iterdir()}
    assert "Sumário" in before["report.html"].decode()

    shutil.rmtree(made)
    for folder, key in ((tmp_path, "text.usetex: True"), (project, "axes.facecolor: red")):
        (folder / "matplotlibrc").write_text(f"{key}\nsvg.fonttype: path\nfont.size: 30\n")
    done = command(project, *arguments, MATPLOTLIBRC=str(tmp_path), **NOTEBOOK, **ASCII)
    assert done.returncode == 0, done.stderr
    after = {path.name: path.read_bytes() for path in made.iterdir()}
    assert [name for name in before if after[name] != before[name]] == []


def test_class_names_are_those_of_the_folders_whatever_the_locale(project: Path) -> None:
    images_in(project / "images", "pássaro", "猫")
    (project / "own.yaml").write_text("name: own\ndataset: {source: image-folder, path: images}\n")
    for arguments in (["study", "write", "own.yaml"], ["data", "results/own/study.json"]):
        done = command(project, *arguments, **ASCII)
        assert done.returncode == 0, done.stderr
    info = json.loads((project / "results/own/data/dataset.json").read_text("utf-8"))
    assert info["class_names"] == ["pássaro", "猫"]


SNAKEMAKE_CHECKS = """
from pathlib import Path
from resnet_sizes.study.loading import check_files, load_study
check_files(load_study([Path("own.yaml")]))
"""


def test_a_name_that_snakemake_cannot_find_in_a_locale_has_a_remedy_that_works(
    project: Path,
) -> None:
    images_in(project / "imágens", "a", "b")
    own = "name: own\ndataset: {source: image-folder, path: imágens}\n"
    (project / "own.yaml").write_text(own, encoding="utf-8")

    def checked(**environment: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-c", SNAKEMAKE_CHECKS]
        variables = os.environ | ASCII | environment
        return subprocess.run(program, cwd=project, env=variables, capture_output=True, text=True)

    assert "run: export PYTHONUTF8=1" in checked().stderr
    done = checked(PYTHONUTF8="1")
    assert done.returncode == 0, done.stderr


def test_names_that_a_terminal_has_no_letters_for_are_printed_all_the_same(project: Path) -> None:
    (project / "own.yaml").write_text("article: 猫.yaml\n", encoding="utf-8")
    done = command(project, "study", "show", "own.yaml", PYTHONIOENCODING="latin-1")
    assert done.returncode == 0, done.stderr
    assert r"article: \u732b.yaml" in done.stdout


def test_names_that_are_no_utf8_have_a_hash_of_their_own() -> None:
    name = os.fsdecode(b"caf\xe9.png")
    assert content_hash([name]) != content_hash(["café.png"]) == content_hash(["café.png"])


def test_the_commit_is_that_of_a_repository_that_tracks_the_code_and_of_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    thesis, other = tmp_path / "thesis", tmp_path / "other"
    monkeypatch.setattr(resnet_sizes, "__file__", str(thesis / "code" / "__init__.py"))

    def git(folder: Path, *arguments: str) -> str:
        names = ("-c", "user.name=A", "-c", "user.email=a@b.c")
        done = subprocess.run(
            ["git", *names, *arguments], cwd=folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    for folder in (thesis, other):
        (folder / "code").mkdir(parents=True)
        git(folder, "init")
        (folder / "thesis.tex").write_text("To be written.")
        (folder / "code" / "__init__.py").write_text("")
        git(folder, "add", "thesis.tex")
        git(folder, "commit", "-m", "Begin")
    assert (code().git_commit, code().git_dirty) == (None, None)
    git(thesis, "add", "code")
    git(thesis, "commit", "-m", "Add the code")
    found = code()
    assert (found.git_commit, found.git_dirty) == (git(thesis, "rev-parse", "HEAD"), False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["study", "show", "config/demo.yaml"],
        ["evidence", "results/demo/study.json"],
        ["status", "demo"],
    ],
    ids=" ".join,
)
def test_a_command_that_is_typed_elsewhere_names_the_folder_to_type_it_in(
    arguments: list[str], tmp_path: Path
) -> None:
    done = copied().run(arguments, tmp_path)
    assert done.returncode == 1
    assert f"looked in {tmp_path}; commands are run in the project's folder, which" in done.stderr


def test_what_lies_in_the_place_of_a_folder_is_to_be_moved(project: Path) -> None:
    (project / "results").write_text("")
    done = copied().run(["study", "write", "config/demo.yaml"], project)
    assert done.returncode == 1
    assert "Move what lies there, or in place of a folder above it, to another name" in done.stderr
    (project / "results").unlink()
    assert copied().run(["study", "write", "config/demo.yaml"], project).returncode == 0


def test_a_study_is_looked_for_in_the_folder_that_is_named(project: Path) -> None:
    assert copied().run(["study", "write", "config/demo.yaml"], project).returncode == 0
    for folder, named in ((project, "results/demo"), (project / "results", "demo")):
        assert copied().run(["status", named], folder).stdout.startswith("demo: 0 of 3 runs done")
    done = copied().run(["status", "results/none"], project)
    assert "error: results/none/study.json: no such file" in done.stderr


def test_a_run_file_that_is_missing_names_the_study_that_writes_it(project: Path) -> None:
    assert copied().run(["study", "write", "config/demo.yaml"], project).returncode == 0
    run = "results/demo/runs/scratch-32/resnet18/seed-0/run.json"
    done = copied().run(["train", run, "--dataset", "x"], project)
    assert f"Run: resnet-sizes study runs {project}/results/demo/study.json" in done.stderr
    done = copied().run(["train", "/run.json", "--dataset", "x"], project)
    assert "Run: resnet-sizes study runs results/NAME/study.json" in done.stderr


def test_a_device_that_trains_nothing_is_refused_and_no_forecast_is_written(project: Path) -> None:
    done = copied().run(["forecast", "config/demo.yaml", "--device", "meta"], project)
    assert done.returncode == 1
    assert "--device: found 'meta'; allowed: auto, cpu, mps, cuda, cuda:N." in done.stderr
    assert not (project / "results").exists()
    for device in ("cpu:1", "cuda:x", "tpu", ""):
        with pytest.raises(UserError, match=f"--device: found '{device}'; allowed"):
            select_device(device)
