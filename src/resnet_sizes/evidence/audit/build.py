"""The whole audit, from what the article printed and from two small tables."""

from collections.abc import Mapping

from resnet_sizes.evidence.audit.accuracies import (
    accuracy_intervals,
    accuracy_pairs,
    usable_rows,
)
from resnet_sizes.evidence.audit.increments import read_columns, read_increments
from resnet_sizes.evidence.audit.minutes import protocol_costs
from resnet_sizes.evidence.audit.rates import device_rates
from resnet_sizes.evidence.audit.returns import returns_of_depth
from resnet_sizes.records.audit import Audit
from resnet_sizes.records.base import content_hash
from resnet_sizes.records.devices import Devices
from resnet_sizes.records.ledger import Ledger
from resnet_sizes.records.network_costs import NetworkCosts
from resnet_sizes.records.protocol import Protocol


def audit(
    ledger: Ledger,
    definitions: Mapping[str, Protocol],
    devices: Devices,
    costs: NetworkCosts,
) -> Audit:
    """Recompute an article from itself; nothing is read, trained or written.

    Raises ValueError where `costs` lacks the network of a device's anchor at 224 pixels.
    """
    assumptions, images = devices.assumptions, ledger.setup.test_images
    rows = usable_rows(ledger)
    increments = read_increments(ledger)
    rates = device_rates(devices, costs)
    return Audit(
        ledger_hash=content_hash(ledger),
        test_images=images,
        epochs=ledger.setup.epochs,
        batch_size=ledger.setup.batch_size,
        assumptions=assumptions,
        increments=increments,
        columns=read_columns(increments),
        accuracies=accuracy_intervals(rows, images),
        pairs=accuracy_pairs(rows, images, assumptions.seed_deviations),
        unusable=[row.model for row in ledger.table if row not in rows],
        returns=returns_of_depth(rows),
        devices=rates,
        protocols=[
            protocol_costs(name, protocol, ledger, rates, costs, assumptions)
            for name, protocol in definitions.items()
        ],
    )
