"""The article's accuracies as proportions: how surely do they differ?"""

import itertools
import math
from collections.abc import Sequence

from scipy import stats

from resnet_sizes.evidence.statistics.tests import two_proportion_test, wilson_interval
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims.base import TableRow
from resnet_sizes.schemas.evidence.audit import AccuracyInterval, AccuracyPair, DeviationEffect

SIGNIFICANT = float(stats.norm.ppf(0.975))


def usable_rows(article: Article) -> list[TableRow]:
    """The rows whose accuracy is a proportion."""
    return [row for row in article.table if 0 <= float(row.accuracy) <= 100]


def accuracy_intervals(rows: Sequence[TableRow], images: int) -> list[AccuracyInterval]:
    """Binomial standard error and Wilson interval of each accuracy, in percent."""
    found = []
    for row in rows:
        share = float(row.accuracy) / 100
        low, high = wilson_interval(share * images, images)
        found.append(
            AccuracyInterval(
                model=row.model,
                accuracy=share * 100,
                standard_error=math.sqrt(_variance(share, images)) * 100,
                low=low * 100,
                high=high * 100,
            )
        )
    return found


def accuracy_pairs(
    rows: Sequence[TableRow], images: int, deviations: Sequence[float]
) -> list[AccuracyPair]:
    """Every pair of accuracies, tested as independent proportions of `images` each."""
    return [_pair(*pair, images, deviations) for pair in itertools.combinations(rows, 2)]


def _pair(
    first: TableRow, second: TableRow, images: int, deviations: Sequence[float]
) -> AccuracyPair:
    shares = [float(row.accuracy) / 100 for row in (first, second)]
    difference = shares[1] - shares[0]
    sampling = sum(_variance(share, images) for share in shares)
    z, p = two_proportion_test(shares[0], shares[1], images)
    # Two independent runs: z = d / sqrt(sampling + 2 s²), which is solved for s at z = 1.96.
    spare = ((difference / SIGNIFICANT) ** 2 - sampling) / 2
    return AccuracyPair(
        first=first.model,
        second=second.model,
        difference=difference * 100,
        z=z if math.isfinite(z) else None,
        p=p,
        vanishing_deviation=math.sqrt(spare) * 100 if spare > 0 else None,
        with_deviations=[
            DeviationEffect(
                deviation=deviation,
                z=difference / math.sqrt(sampling + 2 * (deviation / 100) ** 2),
            )
            for deviation in deviations
        ],
    )


def _variance(share: float, images: int) -> float:
    return share * (1 - share) / images
