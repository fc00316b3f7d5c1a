"""The audit of an article by itself: its numbers against each other, and against devices."""

from collections.abc import Mapping

from resnet_sizes.evidence.audit import table as printed
from resnet_sizes.evidence.audit.minutes import device_rates, protocol_costs
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.evidence.audit import Audit
from resnet_sizes.schemas.hardware import Devices, NetworkCosts
from resnet_sizes.schemas.study.protocol import Protocol


def audit(
    article: Article, definitions: Mapping[str, Protocol], devices: Devices, costs: NetworkCosts
) -> Audit:
    """Recompute an article from itself; nothing is read, trained or written. What it lacks the
    numbers for is left out: readings, for one, where it prints no minutes."""
    assumptions, images = devices.assumptions, article.setup.test_images
    rows, increments = printed.usable_rows(article), printed.read_increments(article)
    rates, shares = device_rates(devices, costs), printed.shares_of(rows, article.measure)
    return Audit(
        article_hash=content_hash(article),
        test_images=images,
        epochs=article.setup.epochs,
        batch_size=article.setup.batch_size,
        assumptions=assumptions,
        increments=increments,
        columns=list(printed.read_columns(increments)),
        measure=article.measure,
        accuracies=list(printed.accuracy_intervals(shares, images)),
        pairs=list(printed.accuracy_pairs(shares, images, assumptions.seed_deviations)),
        unusable=[row.model for row in article.table if row not in rows],
        returns=printed.returns_of_steps(rows),
        devices=rates,
        protocols=[
            protocol_costs(name, protocol, article, rates, costs, assumptions)
            for name, protocol in definitions.items()
            if "minutes" in article.columns and article.setup.epochs and article.setup.batch_size
        ],
    )
