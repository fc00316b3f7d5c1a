"""Studies that differ in their initial weights only."""

from typing import Any

from resnet_sizes.schemas.study.study import Study


def study_from(
    protocols: dict[str, dict[str, Any]],
    models: list[str],
    downloads: dict[str, Any] | None = None,
    dataset: dict[str, Any] | None = None,
) -> Study:
    """A valid study with these protocols, each given by the keys of its reading."""
    description = {"pt": "para os testes", "en": "for the tests"}
    return Study.model_validate(
        {
            "name": "tested",
            "models": models,
            "protocols": list(protocols),
            "protocol_definitions": {
                name: {"description": description, **reading} for name, reading in protocols.items()
            },
            "dataset": dataset or {"source": "digits"},
            "downloads": downloads or {},
        }
    )
