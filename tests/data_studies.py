"""Studies that differ in their data only."""

from typing import Any

from resnet_sizes.schemas.study.study import Study

_PROTOCOL = {"description": {"pt": "para os testes", "en": "for the tests"}}


def study_on(dataset: dict[str, Any], downloads: dict[str, Any] | None = None) -> Study:
    """A valid study with these `dataset` and `downloads` keys."""
    return Study.model_validate(
        {
            "name": "tested",
            "protocols": ["scratch-32"],
            "protocol_definitions": {"scratch-32": _PROTOCOL},
            "dataset": dataset,
            "downloads": downloads or {},
        }
    )
