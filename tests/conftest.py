"""What tests of several folders share."""

import gc
import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import settings
from tqdm import tqdm

from made_once import VARIABLE as SHARED_FOLDER

# No test is timed: hypothesis would let one fail whose machine is busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Tests run side by side: more threads than cores only wait for each other. It has to be said
# before torch is loaded; what a test asks for by itself still holds.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A thread that waits for others of its run leaves the core to them.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Copies of a test's process are killed in the midst of what they do: its progress bars share no
# lock with theirs, as tqdm's default would across processes, and have no thread that holds it.
tqdm.monitor_interval = 0
tqdm.set_lock(threading.RLock())

# Runs are stopped by Ctrl-C also where the tests were put into the background, which ignores it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Runs of other tests, and of the person who tests, do not count as sharing a device.
_LOCKS = mkdtemp(prefix="resnet-sizes-tests-")
os.environ["RESNET_SIZES_DEVICE_LOCKS"] = _LOCKS

# The first process of a test run makes it; its workers inherit the name.
_IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
if not _IS_WORKER:
    os.environ[SHARED_FOLDER] = mkdtemp(prefix="resnet-sizes-shared-")

_VARIABLE = "RESNET_SIZES_CIFAR10_JPEG"
_BESIDE_CHECKOUT = Path(__file__).parents[2] / "shared" / "data" / "cifar10-jpeg.tar.gz"


LONGER = {
    f"test_{name}"
    for name in (
        "devices", "error_rates", "frozen", "full_disk", "missing_gpus", "seeds_in_one_process",
        "status", "training", "verify",
    )
}  # fmt: skip
"""Files of many tests that together take more than 15 seconds of a processor, or wait as long."""


@pytest.fixture(scope="session")
def cifar10_jpeg() -> Path:
    """An archive of CIFAR-10 re-encoded as JPEG, which is not part of the project."""
    named = os.environ.get(_VARIABLE)
    path = Path(named) if named else _BESIDE_CHECKOUT
    if not path.is_file():
        pytest.skip(f"no archive of real images: set {_VARIABLE} to its path ({path} is missing)")
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first, so that no worker is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in slow, item.path.stem not in LONGER))


def pytest_collection_finish() -> None:
    """Leave what is loaded by now out of garbage collection.

    With torch, statsmodels and all tests in memory each full collection takes half a second, and
    `multipletests` of statsmodels asks for one at every call.
    """
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Keep this process as it is now, for tests that want one of their own."""
    if session.items:
        import copied_process
        from saved_time import measure_briefly, remember_hashes

        remember_hashes(dict(os.environ))
        measure_briefly()
        copied_process.start()


def pytest_runtest_teardown() -> None:
    """A run that asked for more threads leaves them to no other test."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


def pytest_unconfigure() -> None:
    """End the process that is kept; remove the folders of locks and of shared studies."""
    if copied_process := sys.modules.get("copied_process"):
        copied_process.close()
    shutil.rmtree(_LOCKS, ignore_errors=True)
    if not _IS_WORKER:
        shutil.rmtree(os.environ[SHARED_FOLDER], ignore_errors=True)
