"""`make setup`: says what is missing, installs once, and mends an interrupted installation.

A stand-in for Python takes the place of the real one, so that nothing is downloaded here.
"""

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

STAND_IN = """\
#!/usr/bin/env bash
# Writes down how it was called; OLD, NO_VENV and NO_PIP make it fail as real ones do.
here={folder}
case "$*" in
    "-c ") ;;
    *"sys.version_info < "*) [ ! -e $here/OLD ] ;;
    --version) echo "Python 3.9.2" ;;
    *"%d.%d-venv"*) echo python3.12-venv ;;
    *"import venv, ensurepip"*) [ ! -e $here/NO_VENV ] ;;
    "-m venv"*) echo "$*" >>$here/calls; mkdir -p "${{!#}}/bin"; cp "$0" "${{!#}}/bin/python" ;;
    *"-m pip"*)
        echo "$*" >>$here/calls; env | grep ^PIP_ >$here/settings
        sleep 0.2; [ ! -e $here/NO_PIP ] ;;
    *platform.machine*) [ -e $here/LOCKED ] ;;
    *) echo "unexpected call: $*" >&2; exit 9 ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """A folder with the project's set-up files and a stand-in for Python."""

    folder: Path

    def has(self, trait: str) -> None:
        (self.folder / trait).touch()

    def lacks(self, trait: str) -> None:
        (self.folder / trait).unlink()

    def setup(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "--no-print-directory", "setup", f"PYTHON={self.folder / 'python'}"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy2(REPOSITORY / name, tmp_path / name)
    shutil.copytree(REPOSITORY / "scripts", tmp_path / "scripts")
    python = tmp_path / "python"
    python.write_text(STAND_IN.format(folder=tmp_path), encoding="utf-8")
    python.chmod(0o755)
    (tmp_path / "LOCKED").touch()
    return Machine(tmp_path)


def test_a_python_that_is_too_old_is_named_with_the_command_that_helps(machine):
    machine.has("OLD")
    done = machine.setup()
    assert done.returncode != 0
    assert "Python 3.9.2 is too old; 3.11 or newer is needed" in done.stderr
    assert "make setup PYTHON=python3.11" in done.stderr
    assert machine.calls() == []


def test_a_missing_venv_module_is_named_with_the_package_to_install(machine):
    machine.has("NO_VENV")
    done = machine.setup()
    assert done.returncode != 0
    assert "no venv module" in done.stderr
    assert "sudo apt install python3.12-venv)" in done.stderr


def test_settings_of_pip_that_install_elsewhere_are_left_out_and_mirrors_are_not(
    machine, monkeypatch
):
    for name in ("USER", "TARGET", "PREFIX", "ROOT", "INDEX_URL"):
        monkeypatch.setenv(f"PIP_{name}", "1")
    assert machine.setup().returncode == 0
    settings = (machine.folder / "settings").read_text(encoding="utf-8").splitlines()
    assert {"PIP_INDEX_URL=1", "PIP_USER=0"} <= set(settings)
    assert not {"PIP_TARGET=1", "PIP_PREFIX=1", "PIP_ROOT=1"} & set(settings)


def test_a_missing_python_is_named(machine):
    (machine.folder / "python").unlink()
    done = machine.setup()
    assert done.returncode != 0
    assert "was not found" in done.stderr
    assert "apt install python3" in done.stderr


def test_the_lock_is_installed_once_and_then_left_alone(machine):
    assert machine.setup().returncode == 0
    calls = machine.calls()
    assert any("-r requirements.lock" in call for call in calls)
    assert any("--no-deps -e ." in call for call in calls)
    again = machine.setup()
    assert again.returncode == 0
    assert machine.calls() == calls


def test_the_lock_holds_each_package_by_its_hash(machine):
    assert machine.setup().returncode == 0
    assert any("--require-hashes -r requirements.lock" in call for call in machine.calls())
    packages = re.split(r"\n(?=[a-z])", (machine.folder / "requirements.lock").read_text())[1:]
    assert len(packages) > 150
    for package in packages:
        assert re.match(
            r"[a-z0-9.-]+==\S+ (; [^\n]+ )?\\\n( +--hash=sha256:[0-9a-f]{64}( \\)?\n?)+$", package
        )


def test_torch_without_cuda_takes_the_lock_without_its_libraries(machine, monkeypatch):
    monkeypatch.setenv("TORCH", "cpu")
    assert machine.setup().returncode == 0
    torch, lock, _ = [call for call in machine.calls() if "pip" in call]
    assert "torch==2.14.1 torchvision==0.29.1 --index-url" in torch
    assert "--require-hashes -r .venv/cpu.lock" in lock
    kept = names(machine.folder / ".venv/cpu.lock")
    left_out = names(machine.folder / "requirements.lock") - kept
    assert {"torch", "torchvision", "nvidia-ml-py", "numpy"} <= kept
    assert {"triton", "nvidia-cublas", "cuda-toolkit"} <= left_out
    assert all(name.startswith(("nvidia-", "cuda-", "triton")) for name in left_out)


def names(lock: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9.-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE))


def test_where_the_lock_does_not_hold_the_ranges_are_installed(machine):
    machine.lacks("LOCKED")
    done = machine.setup()
    assert done.returncode == 0
    assert "No lock for this Python" in done.stdout
    assert any("-e .[dev]" in call for call in machine.calls())
    assert not any("requirements.lock" in call for call in machine.calls())


def test_an_interrupted_installation_is_made_again(machine):
    machine.has("NO_PIP")
    assert machine.setup().returncode != 0
    machine.lacks("NO_PIP")
    assert machine.setup().returncode == 0
    assert [call for call in machine.calls() if call.startswith("-m venv")] == [
        "-m venv --clear .venv",
        "-m venv --clear .venv",
    ]


def test_a_changed_lock_updates_the_installation_without_clearing_it(machine):
    assert machine.setup().returncode == 0
    with (machine.folder / "requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("# changed\n")
    assert machine.setup().returncode == 0
    assert machine.calls().count("-m venv .venv") == 1


def test_an_environment_whose_python_is_gone_is_made_again(machine):
    assert machine.setup().returncode == 0
    (machine.folder / ".venv/bin/python").unlink()
    assert machine.setup().returncode == 0
    assert machine.calls().count("-m venv --clear .venv") == 2


def test_of_two_installations_at_once_the_second_waits_and_finds_nothing_to_do(machine):
    with ThreadPoolExecutor() as both:
        done = list(both.map(lambda _: machine.setup(), range(2)))
    assert [each.returncode for each in done] == [0, 0]
    assert sum("waiting until it ends" in each.stdout for each in done) == 1
    assert machine.calls().count("-m venv --clear .venv") == 1
