"""The expected duration of a study on several devices."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_sizes.forecast.study import ExpectedRun, makespan

sys.path.append(str(Path(__file__).parents[2] / "scripts"))

from write_makespan_page import least_possible

RUNS = st.lists(
    st.builds(
        ExpectedRun,
        seconds=st.floats(0, 1000),
        features=st.sampled_from(["a", "b", None]),
        feature_seconds=st.just(50.0),
    ),
    min_size=1,
    max_size=40,
)


def test_one_device_does_all_one_after_the_other() -> None:
    assert makespan([ExpectedRun(10), ExpectedRun(20), ExpectedRun(5)], 1) == 35


def test_a_free_device_takes_the_next_run() -> None:
    assert makespan([ExpectedRun(10), ExpectedRun(4), ExpectedRun(5)], 2) == 10
    assert makespan([ExpectedRun(4), ExpectedRun(5), ExpectedRun(10)], 2) == 14


def test_features_are_computed_once_and_waited_for() -> None:
    runs = [ExpectedRun(1, "backbone", 100)] * 3
    assert makespan(runs, 1) == 103
    assert makespan(runs, 3) == 101


@settings(deadline=None)
@given(RUNS, st.integers(1, 64))
def test_no_order_is_faster_than_possible_or_slower_than_one_device(
    runs: Sequence[ExpectedRun], devices: int
) -> None:
    found = makespan(runs, devices)
    assert found >= least_possible(runs, devices) * (1 - 1e-9)
    assert found <= makespan(runs, 1) * (1 + 1e-9)


@settings(deadline=None)
@given(
    st.lists(st.builds(ExpectedRun, seconds=st.floats(0, 1000)), min_size=1, max_size=40),
    st.integers(1, 64),
)
def test_any_order_takes_less_than_twice_the_least(
    runs: Sequence[ExpectedRun], devices: int
) -> None:
    # Graham (1966): 2 - 1/m for dealing out in any order.
    assert makespan(runs, devices) <= (2 - 1 / devices) * least_possible(runs, devices) + 1e-6


def test_the_page_says_what_the_script_computes(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    made = tmp_path / "makespan.md"
    subprocess.run([sys.executable, "scripts/write_makespan_page.py", made], check=True, cwd=root)
    assert made.read_text() == (root / "docs" / "makespan.md").read_text()
