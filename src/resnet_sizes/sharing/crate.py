"""An archive's description of itself: a Workflow Run RO-Crate, with every file and its SHA-256.

Source: Workflow Run Crate 0.5 (https://w3id.org/ro/wfrun/workflow/0.5).
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from resnet_sizes.schemas.verification import Certificate, Person

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
    license = crate.add(
        ContextEntity(
            crate,
            f"https://spdx.org/licenses/{certificate.license}",
            {"@type": "CreativeWork", "name": certificate.license},
        )
    )
    root["license"] = license
    for identifier, name in PROFILES.items():
        of_profile = {"@type": "CreativeWork", "name": name, "version": identifier.split("/")[-1]}
        root.append_to("conformsTo", crate.add(ContextEntity(crate, identifier, of_profile)))
    people = [_person(crate, number, each) for number, each in enumerate(certificate.authors)]
    if people:
        root["author"] = _one_or_all(people)
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
    _add_run(crate, certificate, added, people)
    crate.metadata.extra_terms["sha256"] = "https://w3id.org/ro/terms/workflow-run#sha256"
    return json.dumps(_ordered(crate.metadata.generate()), indent=1, ensure_ascii=False) + "\n"


def _person(crate: ROCrate, number: int, person: Person) -> Any:
    identifier = f"https://orcid.org/{person.orcid}" if person.orcid else f"#author-{number + 1}"
    return crate.add(ContextEntity(crate, identifier, {"@type": "Person", "name": person.name}))


def _add_run(
    crate: ROCrate, certificate: Certificate, files: Mapping[str, Any], people: Sequence[Any]
) -> None:
    """The execution: what went in, what came out, when, and on which devices."""
    top = f"results/{certificate.study}/"
    inputs = [name for name in files if name.startswith("config/") or name == f"{top}study.json"]
    outputs = [name for name in files if name.startswith(top) and name not in inputs]
    devices = [
        crate.add(
            ContextEntity(
                crate,
                f"#device-{number}",
                {"@type": "Thing", "name": device.name, "description": f"{device.runs} runs"},
            )
        )
        for number, device in enumerate(certificate.devices, 1)
    ]
    action = crate.add_action(
        files["Snakefile"],
        identifier="#run",
        object=[files[name] for name in inputs],
        result=[files[name] for name in outputs],
        properties={
            "@type": "CreateAction",
            "name": f"The study {certificate.study}",
            "startTime": certificate.started,
            "endTime": certificate.finished,
            "actionStatus": "http://schema.org/CompletedActionStatus",
        },
    )
    if people:
        action["agent"] = _one_or_all(people)
    action["location"] = _one_or_all(devices)
    crate.root_dataset["mentions"] = action


def _one_or_all(entities: Sequence[Any]) -> Any:
    """A list of one is written without the list."""
    return entities[0] if len(entities) == 1 else list(entities)


def _ordered(document: dict[str, Any]) -> dict[str, Any]:
    """With a fixed order of entities and keys, whatever the library's is."""
    graph = sorted(document["@graph"], key=lambda entity: str(entity["@id"]))
    entities = [{key: entity[key] for key in sorted(entity)} for entity in graph]
    return {"@context": document["@context"], "@graph": entities}
