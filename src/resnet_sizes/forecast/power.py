"""Which claims of an article so many seeds can settle, before anything is trained.

Studies are drawn in memory from the article's own table as the truth, and judged by the code
that judges real ones.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
from pydantic import Field

from resnet_sizes.evidence.audit import audit
from resnet_sizes.evidence.judging.judge import judge
from resnet_sizes.evidence.judging.readings import judge_readings, ruled_out
from resnet_sizes.evidence.statistics.sampling import ImageResamples, samplings
from resnet_sizes.forecast.simulation import Truth, churn, logit_of, record_with
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.article.article import Article, load_article
from resnet_sizes.schemas.article.claims import Claim
from resnet_sizes.schemas.article.claims.base import LOSSES, TableRow
from resnet_sizes.schemas.base import Record
from resnet_sizes.schemas.evidence.verdicts import (
    OutcomeName,
    Overall,
    Reason,
    Verdict,
    outcome_of,
)
from resnet_sizes.schemas.hardware import load_devices, shipped_network_costs
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.study.study import Study

DISAGREEMENT = 0.1
"""The share of test images at most in which two seeds of a network differ. Such differences alone
let accuracies vary, so it is smaller where these are said to vary little."""

NETWORK_SHARE = 0.1
"""The share of the variance of the logits of images that belongs to one network alone. With it two
networks of the article differ in 13 % of the images where two seeds of one differ in 10 %."""

TIME_SPREAD = 0.03
"""Standard deviation of the logarithms of training times."""

LEAST_POINTS, MOST_POINTS = 0.05, 25
"""Between these a deviation of accuracies can be drawn."""

_SEED = 0  # equal studies give equal answers


class Shares(Record):
    """The shares of simulated studies in which a claim is decided, and how."""

    supported: float = Field(ge=0, le=1)
    contradicted: float = Field(ge=0, le=1)
    open: float = Field(ge=0, le=1)

    @property
    def decided(self) -> float:
        return self.supported + self.contradicted


class ClaimPower(Record):
    """One claim with the study's seeds, and with one more of each protocol."""

    id: str
    now: Shares
    one_more: Shares


class ReadingPower(Record):
    """The claims that the runs of one protocol can be a test of."""

    protocol: str | None = Field(description="Null of the verdict from all of them together.")
    seeds: int | None = Field(description="Null of all of them together.")
    fewest_seeds: int = Field(description="The smallest number that one of the claims asks for.")
    claims: list[ClaimPower]
    never: dict[str, Reason] = Field(description="Those that no number of seeds would decide.")


class Power(Record):
    """What a study can be expected to settle."""

    study: str
    simulations: int
    deviation_points: float = Field(description="Of accuracies between seeds.")
    enough: float = Field(description="The share from which a claim counts as settled.")
    readings: list[ReadingPower]
    not_simulated: list[str] = Field(description="Claims on losses, which the table does not have.")
    by_construction: list[str] = Field(description="Claims that need no run.")
    excluded: list[str] = Field(
        description="Protocols that the article's own minutes, or memory, exclude: of all together "
        "they are not heard."
    )


def study_power(study: Study, simulations: int, deviation: float | None = None) -> Power:
    """Draw so many studies from the article's table, and count the verdicts on each claim.

    `deviation` is that of accuracies between seeds in percentage points, else the article
    file's. Losses are drawn equal for all networks: what is claimed of them is not counted, but
    its tests are corrected for, as if none of them found anything. Raises UserError where the
    article file has no deviation, or the study no network of the article's table.
    """
    article = load_article(Path(study.article))
    planned = article.judging.seed_deviation
    points = float(planned.points) if deviation is None and planned else deviation
    if points is None:
        raise UserError(
            f"{study.article}: has no judging.seed_deviation, so how much seeds vary is not "
            "known. Give it in percentage points: resnet-sizes study power --deviation 0.4"
        )
    if not LEAST_POINTS <= points <= MOST_POINTS:
        raise UserError(
            f"deviation between seeds: found {points}; allowed: {LEAST_POINTS} to {MOST_POINTS} "
            "percentage points. Give another: resnet-sizes study power --deviation 0.4"
        )
    rows = [row for row in article.table if row.model in study.models]
    rows = [row for row in rows if 0 < float(row.accuracy) < 100 and float(row.minutes) > 0]
    if not rows:
        raise UserError(
            f"{study.article}: its table has none of the study's models with an accuracy between "
            f"0 and 100 and a time: {', '.join(study.models)}. Name its models under models"
        )
    costs, devices = shipped_network_costs(), load_devices(Path(study.devices))
    excluded = ruled_out(audit(article, study.protocol_definitions, devices, costs))
    seeds = {name: study.seeds_of(name) for name in study.protocols}
    one_seed_more = {name: [*own, max(own) + 1] for name, own in seeds.items()}
    study = study.model_copy(update={"models": [row.model for row in rows]})
    larger = study.model_copy(update={"seeds": one_seed_more})
    info = _dataset(study, article)
    truth = truth_of(rows, article, points / 100, info.test_images)
    # Resamples give probabilities that are printed; they decide nothing.
    images = ImageResamples(info.test_images, resamples=1)
    generator = np.random.default_rng(_SEED)
    # By protocol, which is None for all of them together, and claim.
    now: Counter[tuple[str | None, str, OutcomeName]] = Counter()
    one_more = now.copy()
    no_test: defaultdict[tuple[str | None, str], list[Reason]] = defaultdict(list)
    for _ in range(simulations):
        drawn = truth.runs(larger, info, generator)
        own = tuple(
            run for run in drawn.finished if run.settings.seed in seeds[run.settings.protocol]
        )
        for counts, runs in ((now, replace(drawn, study=study, finished=own)), (one_more, drawn)):
            verdicts = judge(article, samplings(runs, images)).verdicts
            overall = judge_readings(article, verdicts, excluded)
            found: list[tuple[str | None, Verdict | Overall]]
            found = [
                *((each.protocol, each) for each in verdicts),
                *((None, each) for each in overall),
            ]
            for protocol, one in found:
                counts[protocol, one.id, outcome_of(one.verdict)] += 1
                if counts is now and one.verdict in ("not-comparable", "not-testable", "not-run"):
                    no_test[protocol, one.id].append(one.reasons[0])
    by_construction = [claim for claim in article.claims if claim.true_by_construction]
    on_losses = [claim for claim in article.claims if set(claim.quantities) & set(LOSSES)]
    counted = [claim for claim in article.claims if claim not in by_construction + on_losses]

    def reading(protocol: str | None) -> ReadingPower:
        reasons = {claim.id: no_test[protocol, claim.id] for claim in counted}
        never = {name: found[0] for name, found in reasons.items() if len(found) == simulations}
        tested = [claim for claim in counted if claim.id not in never]

        def shares(counts: Counter[tuple[str | None, str, OutcomeName]], claim: Claim) -> Shares:
            outcomes = get_args(OutcomeName)
            return Shares(
                **{each: counts[protocol, claim.id, each] / simulations for each in outcomes}
            )

        return ReadingPower(
            protocol=protocol,
            seeds=None if protocol is None else len(seeds[protocol]),
            fewest_seeds=min((each.needs.seeds for each in tested if each.needs), default=0),
            claims=[
                ClaimPower(id=each.id, now=shares(now, each), one_more=shares(one_more, each))
                for each in tested
            ],
            never=never,
        )

    together = [None] if len(study.protocols) > 1 else []
    return Power(
        study=study.name,
        simulations=simulations,
        deviation_points=points,
        enough=float(article.judging.power),
        readings=[reading(protocol) for protocol in (*study.protocols, *together)],
        not_simulated=[claim.id for claim in on_losses],
        by_construction=[claim.id for claim in by_construction],
        excluded=[name for name in study.protocols if name in excluded],
    )


def truth_of(rows: Sequence[TableRow], article: Article, deviation: float, images: int) -> Truth:
    """The article's accuracies, on whichever test images, and minutes, with so large a standard
    deviation of accuracies (fractions) between seeds.

    Half of its square comes from images that are classified rightly in one run and wrongly in
    the next, up to `DISAGREEMENT` of the images; the rest from seeds that are better than others.
    """
    accuracies: dict[str, float] = {row.model: float(row.accuracy) / 100 for row in rows}
    middle = sorted(accuracies.values())[len(rows) // 2]
    wanted = min(DISAGREEMENT / 2, images * deviation**2 / 2)
    spread = _spread_with(wanted, middle)
    reached = churn(logit_of(middle, spread), spread)
    rest = max(deviation**2 - reached / images, 0.0)
    return Truth(
        logits={model: logit_of(each, spread) for model, each in accuracies.items()},
        accuracies=accuracies,
        minutes={row.model: float(row.minutes) for row in rows},
        first_loss=dict.fromkeys(accuracies, 1.8),
        drop=dict.fromkeys(accuracies, 0.5),
        image_spread=spread * math.sqrt(1 - NETWORK_SHARE),
        network_spread=spread * math.sqrt(NETWORK_SHARE),
        seed_spread=math.sqrt(rest) / reached,
        time_spread=TIME_SPREAD,
        device=article.setup.device or "simulated",
    )


def _spread_with(wanted: float, accuracy: float) -> float:
    """The spread of the logits of images at which the churn is the wanted one, from 0.1 to 200;
    the larger it is, the fewer answers are left to chance."""
    low, high = 0.1, 200.0
    while high / low > 1.001:
        middle = math.sqrt(low * high)
        more = churn(logit_of(accuracy, middle), middle) > wanted
        low, high = (middle, high) if more else (low, middle)
    return high


def _dataset(study: Study, article: Article) -> DatasetInfo:
    """The record of the study's data as far as its configuration tells."""
    setup, limit = article.setup, study.dataset.limit
    return record_with(
        DatasetInfo,
        content=study.dataset.declared_content,
        train_images=min(setup.train_images, limit.train or setup.train_images),
        test_images=min(setup.test_images, limit.test or setup.test_images),
        full_train_images=setup.train_images,
        full_test_images=setup.test_images,
    )
