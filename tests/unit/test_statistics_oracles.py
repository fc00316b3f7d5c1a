"""Tests over seeds and images, against statsmodels and scipy as oracles."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint, test_proportions_2indep
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from resnet_sizes.evidence.statistics.tests import (
    Sample,
    contrast,
    further_run_p,
    holm,
    mcnemar_exact,
    outlying,
    prediction_interval,
    two_proportion_test,
    wilson_interval,
)

test_proportions_2indep.__test__ = False  # its name is like a test's

numbers = st.floats(-100, 100, allow_nan=False).map(lambda x: round(x, 3))
trials = st.integers(2, 20_000)
samples = st.lists(numbers, min_size=2, max_size=8)


def test_wilson_of_the_article_s_accuracies() -> None:
    found = [wilson_interval(p * 10_000, 10_000) for p in (0.8084, 0.8355, 0.8594)]
    rounded = [(round(low * 100, 2), round(high * 100, 2)) for low, high in found]
    assert rounded == [(80.06, 81.60), (82.81, 84.26), (85.24, 86.61)]


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_that_of_statsmodels(first: int, second: int) -> None:
    if first + second == 0:
        assert mcnemar_exact(first, second) == 1
        return
    oracle = mcnemar(np.array([[0, first], [second, 0]]), exact=True).pvalue
    assert mcnemar_exact(first, second) == pytest.approx(oracle, rel=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    found = holm({str(number): p for number, p in enumerate(p_values)})
    oracle = multipletests(p_values, method="holm")[1]
    assert list(found.values()) == pytest.approx(list(oracle), abs=1e-12)
    assert list(found) == [str(number) for number in range(len(p_values))]


@given(samples, samples)
def test_a_difference_of_two_means_is_welch_s_test(first: list[float], second: list[float]) -> None:
    if min(np.var(first), np.var(second)) < 1e-9:
        return  # scipy refuses what hardly varies
    found = contrast([Sample(1.0, first), Sample(-1.0, second)])
    oracle = stats.ttest_ind(first, second, equal_var=False)
    assert found.freedom == pytest.approx(oracle.df)
    assert found.p_positive + found.p_negative == pytest.approx(1)
    assert 2 * min(found.p_positive, found.p_negative) == pytest.approx(oracle.pvalue, abs=1e-9)
    means = CompareMeans(DescrStatsW(first), DescrStatsW(second))
    low, high = means.tconfint_diff(usevar="unequal")
    assert found.interval() == pytest.approx((low, high), rel=1e-6, abs=1e-9)


@given(samples, st.floats(-50, 50))
def test_one_mean_above_a_threshold_is_the_t_test(values: list[float], threshold: float) -> None:
    if np.var(values) < 1e-9:
        return
    found = contrast([Sample(1.0, values)], threshold)
    oracle = stats.ttest_1samp(values, threshold, alternative="greater")
    assert found.p_positive == pytest.approx(oracle.pvalue, abs=1e-9)


@given(samples)
def test_a_number_is_at_the_end_of_the_interval_where_its_p_is_five_percent(
    values: list[float],
) -> None:
    if np.var(values) < 1e-6:
        return
    interval = prediction_interval(values)
    assert interval is not None
    for end in interval:
        assert further_run_p(values, end, end) == pytest.approx(0.05, abs=1e-6)
    middle = float(np.mean(values))
    assert further_run_p(values, middle, middle) == pytest.approx(1)


def test_the_prediction_interval_is_that_of_an_intercept_alone() -> None:
    from statsmodels.api import OLS

    values = [80.1, 80.9, 81.3, 80.4]
    prediction = OLS(values, np.ones(len(values))).fit().get_prediction(np.ones((1, 1)))
    low, high = prediction.conf_int(obs=True)[0]
    assert prediction_interval(values) == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("count", "critical"),
    # Grubbs and Beck, Technometrics 14, 1972: table I at 0.5 % to one side, 1 % to both.
    [(4, 1.496), (5, 1.764), (8, 2.274), (10, 2.482), (20, 3.001)],
)
def test_an_outlier_is_what_the_table_of_grubbs_calls_one(count: int, critical: float) -> None:
    def statistic(last: float) -> float:
        values = np.append(rest, last)
        return float(abs(last - values.mean()) / values.std(ddof=1))

    rest = np.linspace(-1, 1, count - 1)
    for last in np.linspace(1, 80, 400):
        if abs(statistic(last) - critical) > 0.0006:
            expected = [count - 1] if statistic(last) > critical else []
            assert outlying([*rest, last]) == expected


def test_several_outliers_are_found_one_after_the_other() -> None:
    values = [0.80, 0.801, 0.799, 0.802, 0.798, 0.8005, 0.7995, 0.8015, 0.70, 0.50]
    assert outlying(values) == [8, 9]
    assert outlying([0.8, 0.8, 0.8]) == outlying([0.8, 0.1]) == []


def test_two_seeds_that_agree_by_rounding_make_no_outlier_of_the_third() -> None:
    assert outlying([0.80, 0.80, 0.81]) == [2]
    assert outlying([0.80, 0.80, 0.81], step=0.001) == []


@pytest.mark.parametrize("count", [3, 5, 10])
def test_normal_values_are_suspected_as_rarely_as_the_level_says(count: int) -> None:
    draws = np.random.default_rng(17).normal(0, 1, (4000, count))
    suspected = float(np.mean([bool(outlying(draw.tolist())) for draw in draws]))
    assert suspected <= 0.01 + 3 * math.sqrt(0.01 * 0.99 / 4000)


def test_without_spread_every_difference_is_certain() -> None:
    same = contrast([Sample(1.0, [1.0, 1.0]), Sample(-1.0, [1.0, 1.0])])
    assert (same.p_positive, same.p_negative) == (0.5, 0.5)
    more = contrast([Sample(1.0, [2.0, 2.0]), Sample(-1.0, [1.0, 1.0])])
    assert (more.p_positive, more.p_negative) == (0.0, 1.0)
    assert further_run_p([1.0, 1.0], 1.0, 1.0) == 1.0
    assert further_run_p([1.0, 1.0], 1.1, 1.2) == 0.0


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
