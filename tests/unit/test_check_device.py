"""The command check-device: its record, its table, its exit status; broken devices and Ctrl-C."""

import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import broken_checks
from child_runs import FORK, wait_until
from resnet_sizes.cli.app import app
from resnet_sizes.device_check import session
from resnet_sizes.device_check.session import CHECKS
from resnet_sizes.io.errors import UserError

REPOSITORY = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "resnet_sizes", "check-device", "--device", "cpu", "--quick"]
OF_CUDA = {name for name, check in CHECKS.items() if check.only_cuda}


def record(folder: Path) -> SimpleNamespace:
    """What the command has written."""
    found = json.loads((folder / "device-check.json").read_bytes())
    found["checks"] = [SimpleNamespace(**each) for each in found["checks"]]
    return SimpleNamespace(**found)


@pytest.mark.long
def test_the_whole_check_passes_on_a_cpu_and_skips_what_is_for_gpus(tmp_path):
    done = subprocess.run(COMMAND, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = record(tmp_path)
    assert [each.name for each in found.checks] == list(CHECKS)
    states = {each.name: each.state for each in found.checks}
    assert {name for name, state in states.items() if state == "skipped"} == OF_CUDA
    assert found.finished is not None
    assert found.device["kind"] == "cpu"
    rows = [line.split(maxsplit=3) for line in done.stdout.strip().splitlines()[2:]]
    assert [(row[0], row[1]) for row in rows] == list(states.items())
    assert [path.name for path in tmp_path.iterdir()] == ["device-check.json"]


def made(*names: str) -> tuple[int, SimpleNamespace, str]:
    """Exit status, record and output of the command with these checks of `broken_checks`."""
    options = [part for name in names for part in ("--only", name)]
    done = CliRunner().invoke(app, ["check-device", "--device", "cpu", *options])
    return done.exit_code, record(Path()), done.output


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """A command that knows the broken checks alone."""
    monkeypatch.chdir(tmp_path)
    # Torch is loaded already.
    monkeypatch.setattr(multiprocessing, "get_context", lambda method: FORK)
    for name in ("hangs", "dies", "fails", "passes"):
        monkeypatch.setitem(CHECKS, name, broken_checks.check(name))


def test_after_a_check_that_breaks_its_process_the_others_are_made(broken):
    status, found, table = made("dies", "fails", "passes")
    dies, fails, passes = found.checks
    assert status == 1
    assert (dies.state, dies.reasons) == ("failed", ["its process has ended with status -6"])
    assert fails.state == "failed"
    assert fails.reasons[0] == "a share: nan, allowed 0.5"
    assert fails.reasons[1].startswith("RuntimeError: device-side assert triggered (")
    assert fails.numbers == {"a share": "nan"}
    assert (passes.state, passes.numbers) == ("passed", {"a share": 0.25})
    assert "a share: nan, allowed 0.5, RuntimeError: device-side assert triggered" in table
    assert re.search(r"^passes +passed +[\d.]+ s +- +what passes$", table, re.MULTILINE)


def test_a_check_that_hangs_is_ended_and_those_after_it_are_made(broken, monkeypatch):
    monkeypatch.setattr(session, "SECONDS_ELSEWHERE", 20.0)
    monkeypatch.setattr(session, "SHARE", 0.05)
    status, found, _ = made("hangs", "passes")
    assert status == 1
    assert [each.state for each in found.checks] == ["failed", "passed"]
    assert found.checks[0].reasons == ["nothing after 1 s"]


def test_what_the_time_is_too_short_for_has_not_passed(broken, monkeypatch):
    monkeypatch.setattr(session, "SECONDS_ELSEWHERE", 0.0)
    status, found, _ = made("passes")
    assert status == 1
    assert found.checks[0].reasons == ["nothing after 0 s"]


@pytest.mark.long
def test_an_interrupted_check_leaves_what_it_knows_and_no_process(broken):
    code = (
        "import broken_checks, sys\n"
        "from resnet_sizes.device_check.session import CHECKS\n"
        "CHECKS.update({name: broken_checks.check(name) for name in ('passes', 'hangs')})\n"
        "from resnet_sizes.cli.app import main\n"
        "options = '--device cpu --only passes --only hangs'\n"
        "sys.argv = ['', 'check-device', *options.split()]\n"
        "main()\n"
    )
    paths = [str(REPOSITORY / "tests"), *sys.path]
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    )
    file = Path("device-check.json")
    try:
        wait_until(lambda: file.exists() and json.loads(file.read_bytes())["checks"], 240)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) != 0
    finally:
        process.kill()
        process.wait()
    assert [each.state for each in record(Path()).checks] == ["passed"]
    assert record(Path()).finished is None
    assert children
    wait_until(lambda: not any(Path(f"/proc/{child}").exists() for child in children))


def test_a_check_of_another_name_is_refused_with_the_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["check-device", "--only", "tf32"])
    assert isinstance(done.exception, UserError)
    assert "--only: found 'tf32'; allowed: facts, fp32," in str(done.exception)


def test_a_device_that_is_not_there_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(multiprocessing, "get_context", lambda method: FORK)
    done = CliRunner().invoke(app, ["check-device", "--device", "mps"])
    assert isinstance(done.exception, UserError)
    assert "found 'mps'; torch sees 0 MPS device" in str(done.exception)
    assert not list(tmp_path.iterdir())


def test_the_help_lists_every_check():
    said = " ".join(CliRunner().invoke(app, ["check-device", "--help"]).output.split())
    for check in CHECKS.values():
        assert f"{check.name}: {check.shows}" in said


BARE = """
import sys
sys.modules.update(dict.fromkeys(("snakemake", "matplotlib", "pandas", "scipy", "sklearn")))
import importlib, pkgutil, re
from importlib import metadata
from resnet_sizes import device_check
from resnet_sizes.cli.app import main
for module in pkgutil.iter_modules(device_check.__path__):
    importlib.import_module(f"resnet_sizes.device_check.{module.name}")
import resnet_sizes.training.job.run

def and_needs(name, found):
    name = name.lower().replace("_", "-")
    if name not in found:
        found.add(name)
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            return found
        for need in needs:
            if "extra ==" not in need:
                and_needs(re.match(r"[\\w.-]+", need)[0], found)
    return found

there = and_needs("setuptools", and_needs("torch", {"resnet-sizes", "packaging"}))
owners = metadata.packages_distributions()
files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
names = {name.partition(".")[0] for name, file in files.items() if file and "_vendor" not in file}
used = {owner.lower().replace("_", "-") for name in names for owner in owners.get(name, [])}
print(*sorted(used - there))
sys.argv = ["", "check-device", "--device", "cpu", "--quick", "--only", "facts"]
main()
"""


@pytest.mark.long
def test_a_machine_needs_torch_and_the_listed_wheels_alone(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", BARE], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    listed = subprocess.run(
        [sys.executable, REPOSITORY / "scripts" / "wheels_to_carry.py", "--list"],
        capture_output=True,
        text=True,
        check=True,
    )
    wheels = {line.partition("==")[0] for line in listed.stdout.split()}
    imported = set(done.stdout.splitlines()[0].split())
    assert imported >= {"pydantic", "typer", "torchvision"}
    # tqdm looks for colorama, and does without.
    assert imported - wheels <= {"colorama"}
    assert [each.state for each in record(tmp_path).checks] == ["passed"]


def test_the_torchvision_to_carry_is_that_of_the_machines_torch():
    command = [sys.executable, REPOSITORY / "scripts" / "wheels_to_carry.py", "--list"]
    for torch, vision in (("2.6.0", "0.21.0"), ("2.11.0+cu130", "0.26.0")):
        said = subprocess.check_output([*command, "--torch", torch], text=True)
        assert f"torchvision=={vision}" in said.split()
