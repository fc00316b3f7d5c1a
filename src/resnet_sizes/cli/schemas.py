"""`resnet-sizes schemas`: generate what is derived from the records."""

from pathlib import Path

from resnet_sizes.cli.console import result
from resnet_sizes.io.files import write_text


def schemas() -> None:
    """Generate workflow/schemas/*.json and config/README.md from the records."""
    from resnet_sizes.study.reference import SCHEMAS, configuration_page, json_schema

    for name, kind in SCHEMAS.items():
        path = Path("workflow/schemas") / f"{name}.schema.json"
        write_text(path, json_schema(kind))
        result(str(path))
    page = Path("config/README.md")
    write_text(page, configuration_page())
    result(str(page))
