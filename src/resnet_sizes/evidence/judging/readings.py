"""All readings of the article together: one verdict on each claim, and which comes nearest."""

import math
from collections.abc import Collection, Hashable, Sequence
from statistics import fmean
from typing import get_args

import pandas as pd

from resnet_sizes.evidence.runs.read import on_one_device
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims.base import LOSSES
from resnet_sizes.schemas.article.claims.orders import Extreme, Ordering
from resnet_sizes.schemas.evidence import verdicts as records
from resnet_sizes.schemas.evidence.audit import Audit
from resnet_sizes.schemas.evidence.verdicts import Distance, Overall, Verdict, VerdictName

_EXCLUDED = ("time", "memory", "time-and-memory")

_DECIDED: tuple[VerdictName, ...] = ("supported", "direction-only", "contradicted")


def ruled_out(audit: Audit) -> set[str]:
    """The readings that the article's own minutes or memory exclude, on every device known."""
    return {
        costs.protocol
        for costs in audit.protocols
        if costs.devices and all(each.outcome in _EXCLUDED for each in costs.devices)
    }


def judge_readings(
    article: Article, verdicts: Sequence[Verdict], excluded: Collection[str] = ()
) -> list[Overall]:
    """One verdict for each claim, in the article file's order.

    It is firm only where every reading that is heard decides, and all alike; where they decide
    differently it depends on the reading, and where only some decide it is open. A reading that a
    claim does not accept, or whose runs do not exist, is not heard unless there is no other; nor
    is one of the `excluded`, which cannot be what the article did. Where there is no other than
    these, they may support the article, which then holds beyond what it did, but not contradict it.
    """
    first_of_test: dict[Hashable, str] = {}
    found = []
    for claim in article.claims:
        own = [verdict for verdict in verdicts if verdict.id == claim.id]
        test = claim.deciding_numbers(article.base_model), repr(claim.needs)
        first = first_of_test.setdefault(test, claim.id)
        found.append(_overall(own, excluded, None if first == claim.id else first))
    return found


def _overall(own: Sequence[Verdict], excluded: Collection[str], same_as: str | None) -> Overall:
    taking_part = [
        each for each in own if each.verdict != "not-run" and each.reasons[0] != "other-protocol"
    ] or list(own)
    admitted = [verdict for verdict in taking_part if verdict.protocol not in excluded]
    heard = admitted or taking_part
    first = heard[0]
    name, agreement = _together([verdict.verdict for verdict in heard])
    reasons: list[records.Reason] = [agreement] if agreement else first.reasons
    if agreement is None and any(_grounds(verdict) != _grounds(first) for verdict in heard):
        # The same verdict from other numbers: those of one reading would not be all.
        agreement = "readings-agree" if len(heard) == len(own) else "readings-heard-agree"
        shared = [why for why in reasons if all(why in verdict.reasons for verdict in heard)]
        reasons = shared or [agreement]
    if name == "contradicted" and not admitted:
        name, reasons, agreement = "not-comparable", ["reading-excluded"], "reading-excluded"
    return Overall(
        id=first.id,
        same_test_as=same_as,
        verdict=name,
        reasons=reasons,
        agreement=agreement,
        taking_part=[verdict.protocol for verdict in heard],
        excluded=[verdict.protocol for verdict in taking_part if verdict.protocol in excluded],
        readings={verdict.protocol: verdict.verdict for verdict in own},
    )


def _together(names: Sequence[VerdictName]) -> tuple[VerdictName, records.Agreement | None]:
    """What several verdicts come to, and how they differ where they do."""
    different = set(names)
    decided = different.intersection(_DECIDED)
    if len(different) == 1:
        return names[0], None
    if different == {"supported", "direction-only"}:
        return "direction-only", "readings-differ"  # which is what they have in common
    if len(decided) > 1:
        return "depends-on-the-reading", "readings-differ"
    if decided:
        return "decided-in-part", "readings-open"
    # Each leaves it open in another way: the one that came the farthest gives the name.
    return min(names, key=get_args(VerdictName).index), "readings-undecided"


def _grounds(verdict: Verdict) -> object:
    """What is said of a verdict: its numbers, or, where there are none, what is observed."""
    return verdict.reasons, verdict.basis or verdict.observed


def distances(article: Article, samplings: Sequence[Sampling]) -> list[Distance]:
    """The distance of each reading from the article, in the study's order; empty of one alone.

    Accuracy: root mean square of the differences in percentage points, over the models that the
    article and the study share. Times: root mean square of ln(our ratio / the printed ratio) to
    the first of them. Losses: how many of the claims on an order of losses do not hold on
    the means. The three have no common unit, so readings are compared by the sum of their ranks
    in what all of them have; equal ones share the mean rank.
    """
    if len(samplings) < 2:
        return []
    found = [_distance(article, sampling) for sampling in samplings]
    compared = {"accuracy_points", "time_ratio", "loss_order"}
    table = pd.DataFrame([each.model_dump(include=compared) for each in found], dtype="float64")
    ranks = table.dropna(axis="columns").rank()
    sums = [None] * len(found) if ranks.empty else ranks.sum(axis="columns").tolist()
    return [each.model_copy(update={"rank_sum": s}) for each, s in zip(found, sums, strict=True)]


def nearest(found: Sequence[Distance]) -> list[str]:
    """The readings with the smallest sum of ranks."""
    sums = [each.rank_sum for each in found if each.rank_sum is not None]
    return [each.protocol for each in found if sums and each.rank_sum == min(sums)]


def _distance(article: Article, sampling: Sampling) -> Distance:
    models, means = sampling.runs.study.models, sampling.mean_outcomes
    rows = [row for row in article.table if row.model in means]
    complete = len(rows) == sum(row.model in models for row in article.table) > 0
    differences = [means[row.model].accuracy * 100 - row.percent_right for row in rows]
    points = [each for each in differences if not math.isnan(each)]
    pairs = [(float(row.cells.get("minutes") or 0), means[row.model].minutes) for row in rows]
    (base, our_base), *others = pairs or [(0.0, 0.0)]
    times_compare = on_one_device(run for model in models for run in sampling.own.of(model))
    time_ratio = None
    if complete and times_compare and others and min(min(pair) for pair in pairs) > 0:
        logs = [math.log(ours / our_base) - math.log(printed / base) for printed, ours in others]
        time_ratio = _root_mean_square(logs)
    orders = [claim for claim in article.claims if isinstance(claim, Ordering | Extreme)]
    claims = [claim for claim in orders if claim.quantity in LOSSES]
    judged = [each for each in claims if means.keys() >= {model for model, _ in each.compared()}]
    failing = sum(not claim.holds(means) for claim in judged)
    return Distance(
        protocol=sampling.protocol,
        accuracy_points=_root_mean_square(points) if complete and points else None,
        time_ratio=time_ratio,
        loss_order=failing if judged == claims != [] else None,
        loss_claims=len(claims),
        rank_sum=None,
    )


def _root_mean_square(values: Sequence[float]) -> float:
    return math.sqrt(fmean(value**2 for value in values))
