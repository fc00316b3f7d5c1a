"""The records that stages leave for each other."""

import json
from pathlib import Path
from random import Random
from typing import Any

from fuzz_mutations import changed_bytes, changed_data
from report_studies import study_with_evidence

from resnet_sizes.io.files import read_record
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.base import Record, Sealed
from resnet_sizes.schemas.evidence.audit import Audit
from resnet_sizes.schemas.evidence.values import Values
from resnet_sizes.schemas.evidence.verdicts import Verdicts
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import RunFile, StudyFile
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.run.weights import InitialWeights, WeightsInfo

_SMALL = {"models": ("resnet18", "resnet50"), "seeds": (0, 1), "epochs": 3}
_LONGEST = 30
"""Entries kept of each list and mapping of evidence, so that many inputs can be read."""

DOCUMENTS = [
    "[" * 100_000, '{"a":' * 5000, "[" * 300 + "]" * 300, "9" * 6000, "-" + "9" * 100, "1e999",
    "NaN", "Infinity", "[NaN]", '"\\ud800"', '{"\\ud800": 1}', "", " ", "null", "true", "[]",
    "{}", '"x"', '{"schema_version": 1', '{"schema_version": 1e0}', "\ufeff{}", "{}{}", "\0",
    '{"schema_version": 1, "schema_version": 2}', '{"' + "k" * 100_000 + '": 1}',
    "{" + ", ".join(f'"k{n}": 1' for n in range(3000)) + "}", '{"\\u001b[31m": 1}',
]  # fmt: skip


class RecordJson:
    """study.json, run.json, metrics.json, dataset.json, weights, values, verdicts, audit."""

    name = "JSON"
    suffix = ".json"
    refusals = ()

    def __init__(self, folder: Path) -> None:
        study = study_with_evidence(folder / "study", **_SMALL)
        files = StudyFolder.of_file(study)
        run = next(iter(sorted(files.folder.glob("runs/**/metrics.json"))))
        weights = WeightsInfo(
            key="resnet50-V2",
            model="resnet50",
            path="downloads/weights/x.pth",
            bytes=1,
            source=None,
            initial=InitialWeights(name="x", file="x.pth", sha256="a" * 64),
        )
        (folder / "weights.json").write_text(weights.model_dump_json(), encoding="utf-8")
        paths: list[tuple[type[Record], Path]] = [
            (StudyFile, study),
            (RunFile, run.with_name("run.json")),
            (Metrics, run),
            (DatasetInfo, files.dataset_info),
            (WeightsInfo, folder / "weights.json"),
            (Values, files.evidence / "values.json"),
            (Verdicts, files.evidence / "verdicts.json"),
            (Audit, files.evidence / "audit.json"),
        ]
        # Most changes of a record with a checksum end there: those without reach the other checks.
        self._records = [
            (kind, data)
            for kind, path in paths
            for data in _variants(kind, _shortened(json.loads(path.read_text(encoding="utf-8"))))
        ]
        self._kind: type[Record] = StudyFile

    def make(self, random: Random) -> bytes:
        self._kind, data = random.choice(self._records)
        match random.randrange(12):
            case 0:
                return random.choice(DOCUMENTS).encode()
            case 1 | 2 | 3:
                return changed_bytes(random, json.dumps(data).encode())
            case 4:
                return json.dumps(data).encode()
            case 5 if self._kind is Metrics:
                return json.dumps(_with_right_hash(random, data)).encode()
            case _:
                return json.dumps(changed_data(random, data)).encode()

    def read(self, path: Path) -> None:
        read_record(path, self._kind, "Write it again.")


def _variants(kind: type[Record], data: dict[str, Any]) -> list[dict[str, Any]]:
    """A record as it is, or without and with a checksum."""
    if not issubclass(kind, Sealed):
        return [data]
    plain = kind.model_validate_json(json.dumps(data | {"checksum": None}))
    return [record.model_dump(mode="json") for record in (plain, plain.sealed())]


def _shortened(data: Any) -> Any:
    if isinstance(data, dict):
        whole = len(data) <= _LONGEST
        return {k: _shortened(v) for k, v in list(data.items())[: None if whole else _LONGEST]}
    return [_shortened(item) for item in data[:_LONGEST]] if isinstance(data, list) else data


def _with_right_hash(random: Random, data: dict[str, Any]) -> dict[str, Any]:
    run = {**data["run"], "epochs": random.choice((1, 3, 10**6, 10**12, 10**30))}
    return {**data, "run": run, "run_hash": content_hash(run)}
