"""The page on how long hundreds of runs take on several GPUs."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[2] / "scripts"))

from write_makespan_page import least_possible, makespan


def test_a_free_device_takes_the_next_run() -> None:
    assert makespan([10, 20, 5], 1) == 35
    assert makespan([10, 4, 5], 2) == 10
    assert makespan([4, 5, 10], 2) == 14


@settings(deadline=None)
@given(st.lists(st.floats(0, 1000), min_size=1, max_size=40), st.integers(1, 64))
def test_any_order_takes_less_than_twice_the_least(runs: Sequence[float], devices: int) -> None:
    found, least = makespan(runs, devices), least_possible(runs, devices)
    assert least * (1 - 1e-9) <= found
    # Graham (1966): 2 - 1/m for dealing out in any order.
    assert found <= (2 - 1 / devices) * least + 1e-6


def test_the_page_says_what_the_script_computes(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    made = tmp_path / "makespan.md"
    subprocess.run([sys.executable, "scripts/write_makespan_page.py", made], check=True, cwd=root)
    assert made.read_text() == (root / "docs" / "makespan.md").read_text()
