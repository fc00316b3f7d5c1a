"""Which reading of the article comes nearest to what it printed."""

import math
from collections.abc import Sequence
from statistics import fmean

from resnet_sizes.evidence.runs.read import on_one_device
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import Extreme, Ordering
from resnet_sizes.schemas.article.claims.base import LOSSES
from resnet_sizes.schemas.evidence.verdicts import Distance


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
    columns = [
        [getattr(each, name) for each in found]
        for name in ("accuracy_points", "time_ratio", "loss_order")
    ]
    comparable = [column for column in columns if None not in column]
    # scipy.stats has ranks, and takes longer to import than all of this takes.
    ranks = [
        [sum(other < own for other in column) + (column.count(own) + 1) / 2 for own in column]
        for column in comparable
    ]
    if not ranks:
        return found
    sums = [sum(of_one) for of_one in zip(*ranks, strict=True)]
    return [
        each.model_copy(update={"rank_sum": float(of_one)})
        for each, of_one in zip(found, sums, strict=True)
    ]


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
    claims = [
        claim
        for claim in article.claims
        if isinstance(claim, Ordering | Extreme) and claim.quantity in LOSSES
    ]
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
