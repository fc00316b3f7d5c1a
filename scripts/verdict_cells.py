"""Studies of known truths, and the verdicts that the rules of the package give on them.

A cell is so many studies of one truth, number of seeds and number of readings, drawn by the
simulator of the tests (tests/unit/simulated.py). `verdict_rates.py` writes a page of them.
"""

import zlib
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import simulated
from simulated import Truth, article_of, logit_of, resamples

from resnet_sizes.evidence.judging.claim_test import ClaimTest
from resnet_sizes.evidence.judging.judge import judge, test_of
from resnet_sizes.evidence.judging.number_tests import NumberTest
from resnet_sizes.evidence.judging.order_tests import OrderTest
from resnet_sizes.evidence.judging.recommendation import Choice, choices_of
from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.evidence.statistics.sampling import samplings
from resnet_sizes.evidence.statistics.tests import holm
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import Claim
from resnet_sizes.schemas.article.claims.base import Outcome
from resnet_sizes.schemas.article.claims.printed_number import PrintedNumber
from resnet_sizes.schemas.evidence.verdicts import VerdictName
from resnet_sizes.schemas.study.networks import depth_of

# As many as the article's: fewer would hide the seeds' share of the variance.
simulated.IMAGES = 10_000

SEEDS = (1, 2, 3, 5, 10)
READINGS = (1, 2, 4, 7)
FIRM = ("supported", "direction-only", "contradicted")
CHECKED = 3
"""Of each cell so many studies are judged by the whole package too, and have to agree."""

MODELS = ("resnet18", "resnet50", "resnet152")
MINUTES = dict(zip(MODELS, (41.0, 112.0, 262.0), strict=True))
ACCURACIES = dict(zip(MODELS, (0.8084, 0.8355, 0.8594), strict=True))
RULES = {
    "S1": "order of accuracies",
    "S2": "order and ratios of times",
    "S5": "diminishing gain per layer",
    "S6": "fall of the loss, at its threshold",
    "S7": "extreme of the initial losses",
    "S8": "order of falls, by two yardsticks",
    "S10": "extreme of the final losses",
    "S11": "extreme of accuracies",
    "S12": "several conditions together",
    "S17": "all three on the Pareto front",
    "S19": "two conditions together",
}
ON_THE_LINE = {
    "S13": "knee of the Pareto front, on the line",
    "S18": "twice the time of another, exactly",
}
FURTHER_RUN = {
    "T1": "printed accuracy, one further run",
    "T11": "printed increment, one further run",
}
NUMBERS = {
    "T1": "accuracy of ResNet-18",
    "T11": "increment of ResNet-50 (S3)",
    "T13": "increment of ResNet-152 (S4)",
}


def by_accuracy(accuracies: Mapping[str, float]) -> dict[str, float]:
    return {model: logit_of(accuracy) for model, accuracy in accuracies.items()}


TWICE = MINUTES | {"resnet152": 2 * MINUTES["resnet50"]}


def on_the_line(minutes: Mapping[str, float]) -> dict[str, float]:
    """Accuracies with which ResNet-50 is exactly on the line between the others."""
    fastest, middle, slowest = (minutes[model] for model in MODELS)
    low, high = ACCURACIES["resnet18"], ACCURACIES["resnet152"]
    between = low + (middle - fastest) / (slowest - fastest) * (high - low)
    return ACCURACIES | {"resnet50": between}


KINDS: dict[str, dict[str, float]] = {
    "normal": {},
    "skewed times": {"time_spread": 0.4},
    "outlying runs": {"outliers": 0.1},
}


@dataclass(frozen=True)
class Cell:
    """Studies of one truth."""

    truth: str  # equal, line, article
    kind: str
    seeds: int
    readings: int
    studies: int


@dataclass
class Found:
    """In how many studies what was found."""

    studies: int = 0
    alone: Counter[str] = field(default_factory=Counter)
    """Firm verdicts of the first reading, each claim as the only test."""
    supported: Counter[str] = field(default_factory=Counter)
    """Of the first reading, corrected with all others."""
    any_firm: int = 0
    warned: int = 0
    """With an outlier named."""


@cache
def truth_of(name: str, kind: str) -> Truth:
    spreads = KINDS[kind]
    if name == "equal":
        return Truth(drop=0.25, **spreads)
    if name == "line":
        return Truth(logits=by_accuracy(on_the_line(TWICE)), minutes=TWICE, **spreads)
    return Truth(logits=by_accuracy(ACCURACIES), minutes=MINUTES, **spreads)


@cache
def article_for(name: str) -> Article:
    ids = {"equal": [*RULES, "S9", *NUMBERS, "T4", "T7"], "line": [*ON_THE_LINE]}
    return article_of(ids.get(name, [*RULES, "S9", *ON_THE_LINE, *NUMBERS, "T4", "T7"]))


def held_out(runs: StudyRuns, article: Article) -> tuple[StudyRuns, Article]:
    """The study without its last seed, and the article as if that one were its own run."""
    *kept, last = runs.study.seeds
    outcomes = {
        str(run.settings.model): run.outcome for run in runs.finished if run.settings.seed == last
    }

    def printed(claim: Claim) -> Claim:
        if not isinstance(claim, PrintedNumber):
            return claim
        value = claim.compared_value(outcomes, article.base_model)
        assert value is not None
        places = len(claim.printed.partition(".")[2])
        text = f"{value:.{places}f}" if places else str(round(value))
        return claim.model_copy(update={"printed": text})

    finished = tuple(run for run in runs.finished if run.settings.seed != last)
    study = runs.study.model_copy(update={"seeds": kept})
    changed = article.model_copy(update={"claims": [printed(claim) for claim in article.claims]})
    return replace(runs, study=study, finished=finished), changed


def without_numbers(article: Article) -> Article:
    """Another reading has other test images, as it were: no printed number is a run of its own."""
    claims = [claim for claim in article.claims if not isinstance(claim, PrintedNumber)]
    return article.model_copy(update={"claims": claims})


def p_value(test: ClaimTest) -> float:
    if isinstance(test, OrderTest):
        return test.p_value
    basis = test.basis(decides=True)
    assert basis is not None
    assert basis.p_value is not None
    return basis.p_value


def decides(test: ClaimTest, verdict: VerdictName) -> bool:
    """Whether it is a firm verdict; that a printed number is not told from ours is none."""
    return verdict in FIRM and not (isinstance(test, NumberTest) and verdict == "supported")


def judged(runs: StudyRuns, article: Article, found: Found) -> set[tuple[str, str]]:
    """Count one study; the firm verdicts as `(reading, claim or criterion)`."""
    tests: list[ClaimTest] = []
    choices: list[Choice] = []
    p_values: dict[Hashable, float] = {}
    readings = samplings(runs, resamples())
    for reading in readings:
        for claim in article.claims:
            test = test_of(claim, reading, article)
            if reading.seeds(test.models) >= test.fewest_seeds:
                tests.append(test)
                if test.numbers not in p_values:
                    p_values[test.numbers] = p_value(test)
        choices += choices_of(reading, article)
    for choice in choices:
        if choice.test and choice.test.numbers not in p_values:
            p_values[choice.test.numbers] = choice.test.p_value
    adjusted = holm(p_values)
    firm = set()
    for test in tests:
        together = test.decide(adjusted[test.numbers], len(adjusted))[0]
        if decides(test, together):
            firm.add((test.sampling.protocol, test.claim.id))
        if test.sampling is readings[0]:
            found.supported[test.claim.id] += together == "supported"
            alone = test.decide(p_values[test.numbers], 1)[0]
            found.alone[test.claim.id] += decides(test, alone)
    for choice in choices:
        if choice.test and adjusted[choice.test.numbers] < article.judging.level:
            firm.add((choice.protocol, choice.criterion))
    found.studies += 1
    found.any_firm += bool(firm)
    found.warned += any(reading.outlying_runs() for reading in readings)
    return firm


def check(runs: StudyRuns, article: Article, firm: set[tuple[str, str]]) -> None:
    """The short way has to find what the package does."""
    whole = judge(article, samplings(runs, resamples()))
    numbers = {claim.id for claim in article.claims if isinstance(claim, PrintedNumber)}
    expected = {
        (verdict.protocol, verdict.id)
        for verdict in whole.verdicts
        if verdict.verdict in FIRM and not (verdict.id in numbers and verdict.verdict == FIRM[0])
    }
    found = {pair for pair in firm if pair[1] in {claim.id for claim in article.claims}}
    if expected != found:
        raise AssertionError(f"judge() has {expected}, this script {found}")


def simulate(cell: Cell) -> tuple[Cell, Found]:
    generator = np.random.default_rng(zlib.crc32(repr(cell).encode()))
    truth, article, found = truth_of(cell.truth, cell.kind), article_for(cell.truth), Found()
    for number in range(cell.studies):
        claims = article if cell.readings == 1 else without_numbers(article)
        if cell.truth == "equal" and cell.readings == 1:
            one_more = truth.study(generator, cell.seeds + 1)
            runs, claims = held_out(one_more, article)
        else:
            runs = truth.study(generator, cell.seeds, cell.readings)
        firm = judged(runs, claims, found)
        if number < CHECKED:
            check(runs, claims, firm)
    return cell, found


def cells(studies: int) -> Iterator[Cell]:
    """The most costly first, so that both processes end together."""
    for readings in sorted(READINGS, reverse=True):
        if readings > 1:
            yield Cell("equal", "normal", 3, readings, studies)
    for seeds in sorted(SEEDS, reverse=True):
        # Below three seeds nothing may decide at all; fewer studies show that.
        few = studies if seeds > 2 else studies // 4
        for kind in KINDS:
            yield Cell("equal", kind, seeds, 1, few)
            yield Cell("line", kind, seeds, 1, few)
        if seeds > 2:
            yield Cell("article", "normal", seeds, 1, studies)


# The article's test images are ours, so that of a printed number only the seeds are drawn.
NUMBER_DRAWS = 4000


def number_rate(name: str, seeds: int) -> float:
    """How often a printed number is supported by seeds around the article's accuracies."""
    generator = np.random.default_rng(zlib.crc32(f"{name} {seeds}".encode()))
    article = article_of([name])
    [claim] = article.claims
    assert isinstance(claim, PrintedNumber)
    [reading] = samplings(truth_of("article", "normal").study(generator, 3), resamples())
    supported = 0
    for _ in range(NUMBER_DRAWS):
        test = NumberTest(claim, reading, article)
        test.outcomes = [
            {
                model: Outcome(depth_of(model), mean + generator.normal(0, 0.003), 1.0, 1.0, 1.0)
                for model, mean in ACCURACIES.items()
            }
            for _ in range(seeds)
        ]
        supported += test.decide(p_value(test), 1)[0] == "supported"
    return supported / NUMBER_DRAWS
