"""`resnet-sizes doctor` says what a machine has and what to do where something is missing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from local_server import Answer, serve
from pretend_gpus import PretendGpus, outside_of_jobs, uuid

PROJECT = Path(__file__).parents[2]
DEMO = "config/demo.yaml"


def doctor(*arguments: str, **environment: str) -> tuple[int, dict[str, dict[str, str]], str]:
    """The exit status, the findings by their subject, and what went to the terminal's other way."""
    done = subprocess.run(
        [sys.executable, "-m", "resnet_sizes", "doctor", *arguments, "--json"],
        cwd=PROJECT,
        env=outside_of_jobs() | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    found = json.loads(done.stdout) if done.stdout else []
    return done.returncode, {each["subject"]: each for each in found}, done.stderr


def test_a_machine_without_a_gpu_has_what_the_demo_needs() -> None:
    status, found, _ = doctor(DEMO)
    assert status == 0
    assert {each["state"] for each in found.values()} <= {"ok", "note"}
    assert set(found) == {
        "Python", "torch", "GPUs", "memory", "disk", "locale", "Snakemake", "report", "git",
        "Slurm",
    }  # fmt: skip
    assert f"({sys.executable})" in found["Python"]["found"]
    assert "torchvision" in found["torch"]["found"]


def test_a_gpu_that_torch_does_not_see_is_a_problem(tmp_path: Path) -> None:
    gpus = PretendGpus(tmp_path)
    gpus.are("a")
    status, found, _ = doctor(DEMO, **gpus.environment())
    assert status == 1
    assert found["GPUs"]["state"] == "problem"
    assert uuid("a") in found["GPUs"]["found"]


@pytest.fixture
def broken_torch(tmp_path: Path) -> dict[str, str]:
    """An environment in which torch does not load, which saves the seconds that it takes."""
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so.13: cannot open')")
    return {"PYTHONPATH": f"{tmp_path}:{PROJECT / 'src'}"}


def test_a_torch_that_does_not_load_is_a_problem_and_the_rest_is_looked_at(
    broken_torch: dict[str, str],
) -> None:
    status, found, _ = doctor(DEMO, **broken_torch)
    assert status == 1
    assert found["torch"]["state"] == "problem"
    assert found["torch"]["found"] == "OSError: libcudart.so.13: cannot open"
    assert found["torch"]["remedy"] == "make setup"
    assert found["Snakemake"]["state"] == "ok"


def test_it_is_read_by_people_too(broken_torch: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "resnet_sizes", "doctor", DEMO],
        cwd=PROJECT,
        env=outside_of_jobs() | broken_torch | {"PATH": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "problem  torch     OSError: libcudart" in done.stdout
    assert "\n                   → make setup\n" in done.stdout
    assert "ok       Snakemake 9." in done.stdout
    assert "note     git       no git on the PATH: an archive cannot name the commit" in done.stdout


def test_a_locale_without_utf8_is_no_problem_to_the_command(broken_torch: dict[str, str]) -> None:
    ascii_only = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"} | broken_torch
    locale = doctor(DEMO, **ascii_only)[1]["locale"]
    assert locale["state"] == "ok"
    assert locale["found"].endswith("; utf-8")


def test_each_source_of_a_study_is_asked(tmp_path: Path, broken_torch: dict[str, str]) -> None:
    overlay = tmp_path / "study.yaml"
    with serve() as server:
        there = server.add("/there.tar.gz", Answer(b"images"))
        other = server.address.replace("127.0.0.1", "localhost") + "/lost.tar.gz"
        overlay.write_text(
            "name: reach\nprotocols: [scratch-32]\nseeds: [0]\n"
            f"downloads: {{allow_http: true, cifar10: {{mirrors: [{other}], origin: {there}}}}}\n"
        )
        _, found, _ = doctor(str(overlay), **broken_torch)
        assert sorted(path for path, _ in server.requests) == ["/lost.tar.gz", "/there.tar.gz"]
    assert found["source 127.0.0.1"]["state"] == "ok"
    # What is not reached may be there already.
    assert found["source localhost"]["state"] == "note"
    assert "make prefetch" in found["source localhost"]["remedy"]


def test_a_study_that_is_wrong_is_told_as_everywhere() -> None:
    status, found, said = doctor("config/none.yaml")
    assert status == 1
    assert not found
    assert "config/none.yaml" in said
