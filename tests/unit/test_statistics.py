"""Increments, prediction intervals and resampled images, for any values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from simulated import IMAGES, PROTOCOL, Truth, resamples

from resnet_sizes.evidence.statistics.sampling import ImageResamples, Sampling
from resnet_sizes.evidence.statistics.tests import prediction_interval
from resnet_sizes.schemas.article.claims.base import above, increment_percent


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


def test_resampled_accuracies_spread_about_their_mean_as_a_proportion_does() -> None:
    images, draws = 400, 4000
    shares = np.repeat(np.float32([1, 0]), [300, 100])
    (deviations,) = ImageResamples(images, draws).deviations([shares])
    expected = (0.75 * 0.25 / images) ** 0.5
    assert deviations.shape == (draws,)
    assert abs(deviations.mean()) < 5 * expected / draws**0.5
    assert deviations.std() == pytest.approx(expected, rel=0.05)
    # A draw is a whole number of images, and no accuracy is outside 0 and 1.
    right = (deviations + 0.75) * images
    assert right == pytest.approx(np.round(right), abs=1e-3)


def test_every_model_is_resampled_on_the_same_images() -> None:
    shares = np.float32([1, 0, 1, 1, 0.5, 0])
    resamples = ImageResamples(len(shares), 50)
    right, wrong, all_right = resamples.deviations([shares, 1 - shares, np.ones_like(shares)])
    assert right == pytest.approx(-wrong, abs=1e-6)
    assert all_right == pytest.approx(0, abs=1e-6)
    assert right.any()


@pytest.mark.parametrize("quantity", ["accuracy", "final_loss"])
def test_the_choice_of_images_adds_to_the_variance_of_accuracies_alone(quantity: str) -> None:
    runs = Truth().study(np.random.default_rng(0), seeds=3)
    sampling = Sampling(runs, PROTOCOL, resamples())
    condition = above(quantity, "resnet50", "resnet18")
    deep, shallow = (sampling.values(model, quantity) for model in condition.weights)
    variance = (np.var(deep, ddof=1) + np.var(shallow, ddof=1)) / 3
    if quantity == "accuracy":
        right = [[run.correct for run in runs.of(PROTOCOL, m)] for m in condition.weights]
        by_image = [np.mean(each, axis=0) for each in right]
        # Less what changes from run to run, which varies between the seeds already.
        churn = sum(np.var(each, axis=0, ddof=1).mean() / 3 for each in right)
        variance += (np.var(by_image[0] - by_image[1], ddof=1) - churn) / IMAGES
    assert sampling.contrast(condition).error == pytest.approx(variance**0.5, rel=1e-5)
