"""Several laboratories are not as many independent seeds: the statistics of a pool."""

import math
from dataclasses import replace
from statistics import mean
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from simulated import PROTOCOL, Truth, article_of, resamples
from test_error_rates import DECIDED, LEVEL, bound, in_the_long_part

from resnet_sizes.evidence.judging.judge import judge
from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.evidence.statistics.sampling import samplings
from resnet_sizes.evidence.statistics.tests import (
    Sample,
    contrast,
    further_run_p,
    over_origins,
    prediction_interval,
)

# Strength of cloth from four looms: Montgomery, Design and Analysis of Experiments, on the random
# effects model. He finds mean squares of 29.73 and 1.90, and a variance between looms of 6.96.
LOOMS = [[98, 97, 99, 96], [91, 90, 93, 92], [96, 95, 97, 95], [95, 96, 99, 98]]

numbers = st.floats(-100, 100, allow_nan=False).map(lambda x: round(x, 3))
groups = st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=2, max_size=5)


def sample(by_origin: list[list[float]], weight: float = 1.0) -> Sample:
    values = [value for own in by_origin for value in own]
    return Sample(weight, values, [len(own) for own in by_origin])


def test_the_variance_between_origins_is_that_of_a_textbook() -> None:
    of_mean, of_one, freedom = over_origins([sample(LOOMS)])
    within = sample(LOOMS).variance
    assert within == pytest.approx(1.90, abs=0.005)
    assert of_one - within == pytest.approx(6.96, abs=0.005)
    assert of_mean == pytest.approx(29.73 / 16, abs=0.001)
    assert freedom == 3


def test_equal_numbers_give_the_estimates_of_statsmodels() -> None:
    """Those of restricted maximum likelihood, which are the moments' there."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    values = np.array(LOOMS, dtype=float).ravel()
    fitted = MixedLM(values, np.ones((16, 1)), groups=np.repeat(range(4), 4)).fit(reml=True)
    of_mean, of_one, _ = over_origins([sample(LOOMS)])
    within = sample(LOOMS).variance
    assert float(fitted.scale) == pytest.approx(within, rel=1e-4)
    assert float(np.asarray(fitted.cov_re).item()) == pytest.approx(of_one - within, rel=1e-3)
    assert float(fitted.bse_fe[0]) == pytest.approx(math.sqrt(of_mean), rel=1e-3)


@given(groups, numbers)
def test_equal_numbers_are_tested_by_the_t_test_of_the_origins_or_more_carefully(
    by_origin: list[list[float]], threshold: float
) -> None:
    means = [mean(own) for own in by_origin]
    if np.var(means) < 1e-6:
        return
    found, own = contrast([sample(by_origin)], threshold), sample(by_origin)
    oracle = stats.ttest_1samp(means, threshold)
    assert found.freedom == oracle.df
    if len(own.counts) * np.var(means, ddof=1) * 3 >= len(own.counts) * own.variance:
        assert 2 * min(found.p_positive, found.p_negative) == pytest.approx(oracle.pvalue, abs=1e-9)
    else:
        assert 2 * min(found.p_positive, found.p_negative) >= oracle.pvalue - 1e-9


def test_what_an_origin_does_to_all_networks_alike_does_not_count_in_their_difference() -> None:
    first = [[80.0, 80.4], [83.0, 83.4], [76.0, 76.4]]
    second = [[value + 1 for value in own] for own in first]
    alike = contrast([sample(second), sample(first, -1.0)])
    assert alike.error < 0.3 < contrast([sample(first)]).error
    assert alike.p_positive < 0.05


@given(st.lists(numbers, min_size=2, max_size=8), numbers)
def test_runs_of_one_origin_give_exactly_what_they_gave_before(
    values: list[float], number: float
) -> None:
    counts = [len(values)]
    assert contrast([Sample(1.0, values, counts)]) == contrast([Sample(1.0, values)])
    assert prediction_interval(values, counts) == prediction_interval(values)
    assert further_run_p(values, number, number, 0.1, counts) == further_run_p(
        values, number, number, 0.1
    )


def test_origins_with_a_single_run_each_are_as_so_many_runs() -> None:
    values = [80.1, 80.9, 81.3, 80.4]
    each = sample([[value] for value in values])
    assert contrast([each]).error == pytest.approx(contrast([Sample(1.0, values)]).error)
    assert prediction_interval(values, [1, 1, 1, 1]) == pytest.approx(prediction_interval(values))


def draws(
    generator: np.random.Generator, counts: tuple[int, ...], effect: float
) -> list[list[float]]:
    """Values of one truth, 0: a deviation of 1 between seeds, `effect` between origins."""
    return [
        (generator.normal(0, effect) + generator.normal(0, 1, count)).tolist() for count in counts
    ]


COUNTS = [(3, 5), (10, 2), (10, 3, 1), (2, 2, 2, 2, 2), (10, 1, 1, 1)]


@pytest.mark.parametrize("effect", [1.0, *map(in_the_long_part, (0.0, 0.3, 3.0))])
@pytest.mark.parametrize("counts", [(3, 3, 3), *map(in_the_long_part, COUNTS)])
def test_equal_truth_is_told_apart_in_no_more_than_five_of_a_hundred_pools(
    counts: tuple[int, ...], effect: float
) -> None:
    generator, pools, alarms, outside = np.random.default_rng(23), 1000, 0, 0
    for _ in range(pools):
        first, second = (sample(draws(generator, counts, effect)) for _ in range(2))
        found = contrast([first, replace(second, weight=-1.0)])
        alarms += 2 * min(found.p_positive, found.p_negative) < LEVEL
        interval = prediction_interval(first.values, first.counts)
        assert interval is not None
        further = generator.normal(0, effect) + generator.normal()
        outside += not interval[0] <= further <= interval[1]
    assert alarms / pools <= bound(LEVEL, pools)
    assert outside / pools <= bound(LEVEL, pools)


class Laboratories(Truth):
    """Each origin moves each network's logit by a draw of its own."""

    def pool(
        self, generator: np.random.Generator, counts: tuple[int, ...], effect: float
    ) -> StudyRuns:
        """One study with as many seeds of each origin, ours first."""
        origins = [number for number, count in enumerate(counts) for _ in range(count)]
        moved: dict[tuple[str, int], float] = {}
        truth = self

        class Moved(type(self)):  # type: ignore[misc]
            def _run(self, generator: Any, settings: Any, of_network: Any) -> Any:
                place = settings.model, origins[settings.seed]
                shift = moved.setdefault(place, float(generator.normal(0, effect)))
                return super()._run(generator, settings, of_network + shift)

        drawn = Moved(logits=truth.logits).study(generator, len(origins))
        pooled = tuple(
            replace(run, origin=str(origins[run.settings.seed]))
            for run in sorted(drawn.finished, key=lambda run: origins[run.settings.seed])
            if origins[run.settings.seed]
        )
        ours = tuple(run for run in drawn.finished if origins[run.settings.seed] == 0)
        study = drawn.study.model_copy(update={"seeds": list(range(counts[0]))})
        return replace(drawn, study=study, finished=ours, pooled=pooled)


@pytest.mark.parametrize("effect", [0.05, in_the_long_part(0.0), in_the_long_part(0.2)])
@pytest.mark.parametrize("counts", [(3, 3, 3), *map(in_the_long_part, [(3, 5), (10, 3, 1)])])
def test_verdicts_on_equal_networks_are_wrong_in_no_more_than_five_of_a_hundred_pools(
    counts: tuple[int, ...], effect: float
) -> None:
    generator, studies, wrong = np.random.default_rng(29), 60, 0
    article = article_of(["S1", "S5", "S11", "S19"])
    for _ in range(studies):
        runs = Laboratories().pool(generator, counts, effect)
        [sampling] = samplings(runs, resamples())
        assert runs.counts(PROTOCOL, ["resnet18"]) == list(counts)
        judged = judge(article, [sampling])
        wrong += any(verdict.verdict in DECIDED for verdict in judged.verdicts) or any(
            choice.firm for choice in judged.recommendations
        )
    assert wrong / studies <= bound(LEVEL, studies)


def test_seeds_that_count_as_independent_would_be_wrong_more_often() -> None:
    """So that the test above can fail."""
    generator, pools, alarms = np.random.default_rng(23), 500, 0
    for _ in range(pools):
        first, second = (
            Sample(weight, sample(draws(generator, (3, 3, 3), 1.0)).values)
            for weight in (1.0, -1.0)
        )
        found = contrast([first, second])
        alarms += 2 * min(found.p_positive, found.p_negative) < LEVEL
    assert alarms / pools > 2 * LEVEL


def test_three_laboratories_of_one_mind_decide() -> None:
    generator = np.random.default_rng(31)
    truth = Laboratories(logits={"resnet18": 1.2, "resnet50": 1.6, "resnet152": 2.0})
    article, found = article_of(["S1"]), 0
    for _ in range(20):
        [verdict] = judge(
            article, samplings(truth.pool(generator, (3, 3, 3), 0.02), resamples())
        ).verdicts
        found += verdict.verdict == "supported"
        assert verdict.basis
        assert verdict.basis.origins == [3, 3, 3]
    assert found >= 10


def test_more_origins_rather_than_more_seeds_are_said_to_settle_it() -> None:
    runs = Laboratories().pool(np.random.default_rng(37), (3, 3), 0.2)
    [verdict] = judge(article_of(["S1"]), samplings(runs, resamples())).verdicts
    assert verdict.verdict == "within-noise"
    assert verdict.basis
    assert (verdict.basis.needed_from, verdict.basis.seeds_needed) == ("origins", None)
    assert verdict.protocol == PROTOCOL
