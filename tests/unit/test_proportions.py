"""Proportions: statsmodels as the oracle, and the ends where formulas break."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint, test_proportions_2indep

from resnet_sizes.evidence.statistics.tests import two_proportion_test, wilson_interval

test_proportions_2indep.__test__ = False  # its name is like a test's

trials = st.integers(2, 20_000)


@given(trials, st.data(), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_is_that_of_statsmodels(n: int, data: st.DataObject, confidence: float) -> None:
    successes = data.draw(st.integers(0, n))
    low, high = proportion_confint(successes, n, alpha=1 - confidence, method="wilson")
    found = wilson_interval(successes, n, confidence)
    assert found == pytest.approx((max(low, 0), min(high, 1)), abs=1e-9)


@given(trials, st.data())
def test_the_z_test_is_that_of_statsmodels(n: int, data: st.DataObject) -> None:
    first, second = (data.draw(st.integers(1, n - 1)) for _ in range(2))
    oracle = test_proportions_2indep(
        second, n, first, n, method="wald", compare="diff", return_results=True
    )
    z, p = two_proportion_test(first / n, second / n, n)
    assert z == pytest.approx(oracle.statistic, rel=1e-9, abs=1e-9)
    assert p == pytest.approx(oracle.pvalue, rel=1e-6, abs=1e-12)


def test_proportions_without_sampling_error_differ_surely_or_not_at_all() -> None:
    assert two_proportion_test(1.0, 1.0, 10) == (0.0, 1.0)
    assert two_proportion_test(0.0, 1.0, 10) == (math.inf, 0.0)
    assert two_proportion_test(1.0, 0.0, 10) == (-math.inf, 0.0)
