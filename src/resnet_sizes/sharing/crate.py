"""An archive's description of itself: a Workflow Run RO-Crate, with every file and its SHA-256.

Source: Workflow Run Crate 0.5 (https://w3id.org/ro/wfrun/workflow/0.5).
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from resnet_sizes.schemas.verification import Certificate

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
}
"""Beside the Workflow RO-Crate, which the library names itself."""

_KINDS = {
    ".json": "application/json", ".html": "text/html", ".pdf": "application/pdf",
    ".svg": "image/svg+xml", ".png": "image/png", ".csv": "text/csv", ".md": "text/markdown",
    ".py": "text/x-python", ".yaml": "application/yaml", ".yml": "application/yaml",
    ".css": "text/css", ".js": "text/javascript", ".jsonl": "application/jsonl",
    ".safetensors": "application/octet-stream",
}  # fmt: skip


def crate_metadata(certificate: Certificate, files: Mapping[str, tuple[int, str]]) -> str:
    """The text of `ro-crate-metadata.json`.

    `files` has the size in bytes and the SHA-256 of every file by its name. Equal arguments give
    equal text.
    """
    crate = ROCrate(version="1.1")  # which the profiles build on
    root = crate.root_dataset
    root["name"] = certificate.title
    root["description"] = (
        f"Runs of the study {certificate.study!r}, their evidence and reports, and the code that "
        "made them. resnet-sizes verify makes all of it again from the runs."
    )
    root["datePublished"] = certificate.finished

    def described(identifier: str, kind: str, name: str, **properties: str) -> Any:
        content = {"@type": kind, "name": name} | properties
        return crate.add(ContextEntity(crate, identifier, content))

    license = certificate.license
    root["license"] = described(f"https://spdx.org/licenses/{license}", "CreativeWork", license)
    for identifier, name in PROFILES.items():
        profile = described(identifier, "CreativeWork", name, version=identifier.split("/")[-1])
        root.append_to("conformsTo", profile)
    people = [
        described(
            f"https://orcid.org/{each.orcid}" if each.orcid else f"#author-{number}",
            "Person",
            each.name,
        )
        for number, each in enumerate(certificate.authors, 1)
    ]
    devices = [
        described(f"#device-{number}", "Thing", each.name, description=f"{each.runs} runs")
        for number, each in enumerate(certificate.devices, 1)
    ]
    snakefile = crate.add_workflow("Snakefile", "Snakefile", main=True, lang="snakemake")
    added = {"Snakefile": snakefile} | {
        name: crate.add_file(None, name) for name in files if name != "Snakefile"
    }
    for name, entity in added.items():
        size, sha256 = files[name]
        entity["name"] = name
        entity["contentSize"] = str(size)
        entity["sha256"] = sha256
        entity["encodingFormat"] = _KINDS.get(PurePosixPath(name).suffix, "text/plain")
    # The execution: what went in, what came out, when, and on which devices.
    top = f"results/{certificate.study}/"
    folders = ("config/", "articles/")
    inputs = [name for name in added if name.startswith(folders) or name == f"{top}study.json"]
    outputs = [name for name in added if name.startswith(top) and name not in inputs]
    action = crate.add_action(
        snakefile,
        identifier="#run",
        object=[added[name] for name in inputs],
        result=[added[name] for name in outputs],
        properties={
            "@type": "CreateAction",
            "name": f"The study {certificate.study}",
            "startTime": certificate.started,
            "endTime": certificate.finished,
            "actionStatus": "http://schema.org/CompletedActionStatus",
        },
    )
    if people:
        root["author"] = action["agent"] = _one_or_all(people)
    action["location"] = _one_or_all(devices)
    root["mentions"] = action
    crate.metadata.extra_terms["sha256"] = "https://w3id.org/ro/terms/workflow-run#sha256"
    # With a fixed order of entities and keys, whatever the library's is.
    document = crate.metadata.generate()
    graph = sorted(document["@graph"], key=lambda entity: str(entity["@id"]))
    document["@graph"] = [dict(sorted(entity.items())) for entity in graph]
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _one_or_all(entities: Sequence[Any]) -> Any:
    """A list of one is written without the list."""
    return entities[0] if len(entities) == 1 else list(entities)
