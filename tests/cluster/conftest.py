"""A Slurm for the session, and projects that use it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm_cluster import Cluster, obstacle

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One node with two pretend GPUs."""
    reason = obstacle()
    if reason:
        pytest.skip(reason)
    # The path of a socket may not be long, as those of pytest's folders are.
    with tempfile.TemporaryDirectory(prefix="slurm-", ignore_cleanup_errors=True) as folder:
        path = Path(folder).resolve()
        try:
            found = Cluster.start(path, gpus=2)
        except subprocess.CalledProcessError as error:
            Cluster(path, {}).stop()
            # Where tests run by themselves a missing Slurm would go unnoticed for ever.
            if "could not install Slurm" in error.stderr and not os.environ.get("CI"):
                pytest.skip(error.stderr.strip())
            raise AssertionError(error.stderr) from None
        try:
            yield found
        finally:
            found.stop()
