"""`resnet-sizes costs`: generate the table of what the networks cost."""

from pathlib import Path

from resnet_sizes.cli.console import result
from resnet_sizes.io.files import write_json
from resnet_sizes.schemas import hardware


def costs() -> None:
    """Generate the package's table of multiply-accumulates and memory by network and size."""
    from resnet_sizes.training.engine.network_costs import count_network_costs

    path = Path(hardware.__file__).with_name(hardware.NETWORK_COSTS_FILE)
    write_json(path, count_network_costs())
    result(str(path))
