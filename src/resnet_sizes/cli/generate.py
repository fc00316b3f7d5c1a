"""`resnet-sizes schemas` and `costs`: generate the files that are derived from the code."""

from pathlib import Path

from resnet_sizes.cli.console import result
from resnet_sizes.io.files import write_json, write_text
from resnet_sizes.schemas import hardware


def schemas() -> None:
    """Generate workflow/schemas/*.json and config/README.md from records and config/config.yaml."""
    from resnet_sizes.study.loading import DEFAULT_CONFIG, read_yaml_mapping
    from resnet_sizes.study.reference import SCHEMAS, configuration_page, json_schema

    defaults = read_yaml_mapping(DEFAULT_CONFIG)  # first: elsewhere nothing is written
    for name, kind in SCHEMAS.items():
        path = Path("workflow/schemas") / f"{name}.schema.json"
        write_text(path, json_schema(kind))
        result(str(path))
    page = Path("config/README.md")
    write_text(page, configuration_page(defaults))
    result(str(page))


def costs() -> None:
    """Generate the package's table of multiply-accumulates and memory by network and size."""
    from resnet_sizes.training.network_costs import count_network_costs

    path = Path(hardware.__file__).with_name(hardware.NETWORK_COSTS_FILE)
    write_json(path, count_network_costs())
    result(str(path))
