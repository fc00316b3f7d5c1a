"""A small sample of faults in the code, of which the nearest tests notice nearly all."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mutants import Mutant, sample
from nearest_tests import SOURCE, TESTS, nearest_tests

COUNT, NOTICED = 8, 6
"""Some faults make no difference, such as another size of what is read at once."""

FILES = 6
SECONDS = 120
"""A fault that no test has noticed by then counts as one that none notices."""


def is_noticed(mutant: Mutant, copy: Path) -> bool:
    """Whether a test fails with the fault."""
    changed = copy / mutant.path
    changed.write_bytes(mutant.content(SOURCE))
    tests = nearest_tests(SOURCE / mutant.path, FILES)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider"]
    only = ["-m", "not slow and not long and not cluster"]
    environment = {name: value for name, value in os.environ.items() if "XDIST" not in name}
    try:
        done = subprocess.run(
            [*command, *only, *map(str, tests)],
            cwd=TESTS.parent,
            env=environment | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False
    finally:
        shutil.copy(SOURCE / mutant.path, changed)
    assert done.returncode in (0, 1, 2, 4), done.stdout + done.stderr
    return done.returncode != 0


@pytest.mark.long
def test_small_faults_are_noticed(tmp_path: Path) -> None:
    copy = tmp_path / "src"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    mutants = list(sample(SOURCE, COUNT, seed=1))
    survived = [str(mutant) for mutant in mutants if not is_noticed(mutant, copy)]
    print("\n".join(["survived:", *survived]))
    assert len(survived) <= COUNT - NOTICED, survived
