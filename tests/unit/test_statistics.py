"""Increments and prediction intervals, for any values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from resnet_sizes.evidence.statistics.tests import prediction_interval
from resnet_sizes.schemas.article.claims.base import increment_percent


@given(st.floats(0.01, 1), st.floats(-90, 1000))
def test_an_increment_leads_back_to_the_value(base: float, percent: float) -> None:
    value = base * (1 + percent / 100)
    assert increment_percent(value, base) == pytest.approx(percent, abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_the_prediction_interval_is_that_of_scipys_t_distribution(values: list[float]) -> None:
    interval = prediction_interval(values)
    assert interval is not None
    count = len(values)
    spread = float(np.std(values, ddof=1)) * (1 + 1 / count) ** 0.5
    mean = sum(values) / count
    if spread > 1e-12:
        expected = stats.t.interval(0.95, df=count - 1, loc=mean, scale=spread)
        assert interval == pytest.approx(expected, rel=1e-9, abs=1e-12)
    else:
        assert interval == pytest.approx((mean, mean))


def test_one_value_gives_no_prediction_interval() -> None:
    assert prediction_interval([0.5]) is None
