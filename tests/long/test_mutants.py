"""A small sample of faults in the code, of which the nearest tests notice most."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mutants import Mutant, sample
from nearest_tests import SOURCE, TESTS, nearest_tests

COUNT, NOTICED = 12, 7
"""Some faults make no difference, such as another size of what is read at once; others are noticed
by tests that are further away."""

FILES = 5
SECONDS, LONGEST = 30, 600
"""Of computing, and by the clock, after which a fault counts as one that no test notices."""


def limit() -> None:
    """Called in the process that tests: the system ends it when its time is up."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def is_noticed(mutant: Mutant, folder: Path) -> bool:
    """Whether a test fails with the fault."""
    source = folder.parent / "source"
    copy = shutil.copytree(source, folder)
    (copy / mutant.path).write_bytes(mutant.content(source))
    tests = nearest_tests(SOURCE / mutant.path, FILES)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider"]
    only = ["-m", "not slow and not long and not cluster"]
    environment = {name: value for name, value in os.environ.items() if "XDIST" not in name}
    with subprocess.Popen(
        [*command, *only, *map(str, tests)],
        cwd=TESTS.parent,
        env=environment | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=limit,
        start_new_session=True,
    ) as testing:
        try:
            said, _ = testing.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:  # it waits for what never comes
            os.killpg(testing.pid, signal.SIGKILL)
            said, _ = testing.communicate()
    ended_by_limit = testing.returncode < 0
    assert ended_by_limit or testing.returncode in (0, 1, 2, 4), said
    return testing.returncode > 0


@pytest.mark.slow
@pytest.mark.long
def test_small_faults_are_noticed(tmp_path: Path) -> None:
    # As it is now, whatever is changed meanwhile.
    source = shutil.copytree(SOURCE, tmp_path / "source")
    mutants = list(sample(source, COUNT, seed=1))
    folders = [tmp_path / str(number) for number in range(COUNT)]
    with ThreadPoolExecutor(2) as two:
        noticed = list(two.map(is_noticed, mutants, folders))
    survived = [str(mutant) for mutant, seen in zip(mutants, noticed, strict=True) if not seen]
    print("\n".join(["survived:", *survived]))
    assert len(survived) <= COUNT - NOTICED, survived
