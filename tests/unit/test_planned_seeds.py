"""How many seeds are planned where those of a study do not settle a claim."""

import math
from itertools import pairwise

import numpy as np
import pytest

from resnet_sizes.evidence.statistics.tests import (
    Effect,
    Sample,
    Variance,
    contrast,
    further_run_p,
    prediction_interval,
    seeds_for_effects,
    seeds_for_width,
    seeds_to_exclude,
)

LEVEL = 0.05


def effect(size: float, variances: list[float], *further: Variance) -> Effect:
    return Effect(size, variances, further, LEVEL / 2)


def test_the_plan_has_the_degrees_of_freedom_of_the_test() -> None:
    # With all of the variance in one model the other's seeds add no degrees of freedom.
    equal = seeds_for_effects([effect(1.0, [0.32, 0.32])], 0.8)
    single = seeds_for_effects([effect(1.0, [0.64, 0.0])], 0.8)
    assert equal is not None
    assert single is not None
    assert single > equal


@pytest.mark.parametrize(
    ("steps", "spread"),
    [((1.0,), 0.8), ((0.5,), 0.2), ((0.3,), 0.4), ((1.0, 1.0), 0.8), ((0.3, 0.4), 0.3)],
)
def test_the_planned_number_of_seeds_has_the_planned_power(
    steps: tuple[float, ...], spread: float
) -> None:
    """Of one difference, and of two that have to be found together, as in an order of three."""
    seeds = seeds_for_effects([effect(step, [spread**2, spread**2]) for step in steps], 0.8)
    assert seeds is not None
    generator, studies = np.random.default_rng(13), 1500

    def found(count: int) -> float:
        draws = generator.normal(0, spread, (studies, len(steps) + 1, count))
        draws += np.cumsum([0.0, *steps])[:, None]
        return (
            sum(
                all(
                    contrast([Sample(1.0, more.tolist()), Sample(-1.0, less.tolist())]).p_positive
                    < LEVEL / 2
                    for less, more in pairwise(study)
                )
                for study in draws
            )
            / studies
        )

    error = 3 * math.sqrt(0.8 * 0.2 / studies)
    # Welch's test has a little less power than the plan supposes with very few seeds.
    assert found(seeds) >= 0.8 - error - (0.05 if seeds < 5 else 0.0)
    if seeds > 3:
        assert found(seeds - 2) < 0.8 + error


def test_no_number_of_seeds_makes_up_for_too_few_test_images() -> None:
    assert seeds_for_effects([effect(0.01, [0.001**2], (0.01**2, 99.0))], 0.8) is None
    assert seeds_for_effects([effect(0.0, [0.1, 0.1])], 0.8) is None


@pytest.mark.parametrize("deviation", [0.4, 0.6, 0.8])
def test_planned_seeds_make_the_prediction_interval_narrow_enough(deviation: float) -> None:
    seeds = seeds_for_width(deviation, 2.0, 0.95, 0.8)
    assert seeds is not None
    generator, studies = np.random.default_rng(19), 2000

    def narrow(count: int) -> float:
        draws = generator.normal(0, deviation, (studies, count)).tolist()
        intervals = [prediction_interval(each) for each in draws]
        return sum(each is not None and each[1] - each[0] <= 4 for each in intervals) / studies

    error = 3 * math.sqrt(0.8 * 0.2 / studies)
    assert narrow(seeds) >= 0.8 - error
    assert narrow(seeds - 1) < 0.8 + error
    # 1.96 deviations are wider already.
    assert seeds_for_width(1.1, 2.0, 0.95, 0.8) is None


@pytest.mark.parametrize(("away", "tests"), [(1.5, 1), (1.2, 15)])
def test_planned_seeds_tell_a_number_that_is_no_further_run(away: float, tests: int) -> None:
    seeds = seeds_to_exclude(0.3, away, LEVEL / tests, 0.8)
    assert seeds is not None
    generator, studies = np.random.default_rng(23), 2000

    def told(count: int) -> float:
        draws = generator.normal(0, 0.3, (studies, count)).tolist()
        return sum(further_run_p(each, away, away) < LEVEL / tests for each in draws) / studies

    error = 3 * math.sqrt(0.8 * 0.2 / studies)
    assert told(seeds) >= 0.8 - error
    assert told(seeds - 1) < 0.8 + error
    # No nearer than the ends of the interval that ever so many seeds would give.
    assert seeds_to_exclude(0.3, 0.55, LEVEL, 0.8) is None
