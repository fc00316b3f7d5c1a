"""Checkpoints: what lies in `work/` after a kill, a full disk, or somebody's hands."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import torch
from fuzz_mutations import changed_bytes, changed_data

from resnet_sizes.schemas.run.metrics import Device, EpochMetrics
from resnet_sizes.schemas.run.progress import CheckpointRecord
from resnet_sizes.training.supervision.checkpoints import Checkpoints

RUN, CODE = "a" * 64, "b" * 64


class PassedOver(Exception):
    """The reader's way to refuse a checkpoint is a warning, and to look for an older one."""


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """What is said in the block."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("resnet_sizes")
    log.addHandler(handler)
    try:
        yield said
    finally:
        log.removeHandler(handler)


class Checkpoint:
    """The only checkpoint of a run."""

    name = "checkpoints"
    suffix = ".safetensors"
    refusals = (PassedOver,)

    def __init__(self, folder: Path) -> None:
        numbers = torch.Generator().manual_seed(0)
        tensors = {
            "network/weight": torch.rand(3, 4, generator=numbers),
            "network/steps": torch.tensor(7),
            "random/cpu": torch.get_rng_state()[:64].clone(),
            "epoch/order": torch.randperm(9, generator=numbers),
        }
        epoch = EpochMetrics(
            epoch=1, train_loss=2.5, train_accuracy=0.25, test_loss=2.25, test_accuracy=0.5,
            training_seconds=1.5, evaluation_seconds=0.5,
        )  # fmt: skip
        record = CheckpointRecord(
            run_hash=RUN, training_hash=CODE, versions={"torch": "2"},
            device=Device(kind="cpu", name="a processor", threads=1),
            epoch=2, step=3, seconds=0.5, history=[epoch], learning_rates=[0.0005],
            resumptions=[], started="2026-01-01T00:00:00Z",
        )  # fmt: skip
        self._work = folder / "work"
        Checkpoints(self._work).write(record, tensors)
        (self._file,) = self._work.iterdir()
        content = self._file.read_bytes()
        length = int.from_bytes(content[:8], "little")
        self._header = json.loads(content[8 : 8 + length])
        self._body = content[8 + length :]

    def make(self, random: Random) -> bytes:
        whole = _file(self._header, self._body)
        metadata = self._header["__metadata__"]
        match random.randrange(8):
            case 0 | 1:
                return whole
            case 2 | 3:
                return changed_bytes(random, whole)
            case 4:
                record = json.dumps(changed_data(random, json.loads(metadata["record"])))
                return _file(
                    {**self._header, "__metadata__": {**metadata, "record": record}}, self._body
                )
            case 5:
                odd = random.choice([{}, {"record": "[" * 100_000}, {"record": "x", "sha256": ""}])
                return _file({**self._header, "__metadata__": odd}, self._body)
            case 6:
                return _file(changed_data(random, self._header), self._body)
            case _:
                return _file(self._header, changed_bytes(random, self._body))

    def read(self, path: Path) -> None:
        path.replace(self._file)
        with _warnings() as said:
            found = Checkpoints(self._work).newest(RUN, CODE)
        if found is None:
            raise PassedOver("\n".join(said))


def _file(header: Any, body: bytes) -> bytes:
    # In the order of the names: safetensors itself writes them as its hash table has them.
    text = json.dumps(header, sort_keys=True).encode()
    return len(text).to_bytes(8, "little") + text + body
