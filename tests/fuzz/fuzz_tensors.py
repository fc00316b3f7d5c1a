"""Tensor files: the dataset and predictions."""

import json
from pathlib import Path
from random import Random

import numpy as np
from fuzz_mutations import changed_bytes, changed_data

from data_studies import study_on
from resnet_sizes.schemas.run.tensors import (
    DatasetArrays,
    DatasetInfo,
    dataset_identity,
    read_dataset,
    read_predictions,
    write_dataset,
    write_predictions,
)

_HEADERS = [
    {}, [], "x", {"logits": {}}, {"logits": {"dtype": "F32", "shape": [], "data_offsets": [0, 0]}},
    {"__metadata__": {"a": 1}}, {"__metadata__": {"dataset_info": "{"}},
    {
        name: {"dtype": "BF16", "shape": [1, 2], "data_offsets": [4 * n, 4 * n + 4]}
        for n, name in enumerate(("logits", "labels"))
    },
    {
        "logits": {"dtype": "F32", "shape": [0, 2], "data_offsets": [0, 0]},
        "labels": {"dtype": "I64", "shape": [0], "data_offsets": [0, 0]},
    },
    {
        "logits": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 2**63]},
        "labels": {"dtype": "I64", "shape": [2**62], "data_offsets": [0, 8]},
    },
]  # fmt: skip


class TensorFile:
    """`dataset.safetensors` and `predictions.safetensors`."""

    name = "tensor files"
    suffix = ".safetensors"
    refusals = ()

    def __init__(self, folder: Path) -> None:
        numbers = np.random.default_rng(0)
        arrays = DatasetArrays(
            numbers.integers(0, 256, (4, 3, 32, 32), dtype=np.uint8),
            np.array([0, 1, 0, 1]),
            numbers.integers(0, 256, (2, 3, 32, 32), dtype=np.uint8),
            np.array([0, 1]),
        )
        info = DatasetInfo(
            spec=study_on({"source": "digits"}).dataset, content="digits", class_names=["a", "b"],
            train_images=4, test_images=2, full_train_images=4, full_test_images=2,
            identity=dataset_identity(arrays), source_file=None, source_sha256=None,
        )  # fmt: skip
        write_dataset(folder / "dataset", info, arrays)
        logits = numbers.normal(size=(6, 3)).astype(np.float32)
        write_predictions(folder / "predictions", logits, np.arange(6) % 3)
        self._files = [(folder / name).read_bytes() for name in ("dataset", "predictions")]
        self._reads = [read_dataset, read_predictions]
        self._which = 0

    def make(self, random: Random) -> bytes:
        self._which = random.randrange(2)
        content = self._files[self._which]
        length = int.from_bytes(content[:8], "little")
        header, body = content[8 : 8 + length], content[8 + length :]
        match random.randrange(8):
            case 0:
                return _file(json.dumps(random.choice(_HEADERS)).encode(), random.randbytes(64))
            case 1:
                return content
            case 2 | 3:
                return changed_bytes(random, content, self._files[1])
            case 4:
                return _file(changed_bytes(random, header), body)
            case 5:
                return _file(header, changed_bytes(random, body))
            case _:
                data = json.loads(header)
                if "__metadata__" in data and random.random() < 0.5:
                    info = changed_data(random, json.loads(data["__metadata__"]["dataset_info"]))
                    data["__metadata__"]["dataset_info"] = json.dumps(info)
                else:
                    data = changed_data(random, data)
                return _file(json.dumps(data).encode(), body)

    def read(self, path: Path) -> None:
        self._reads[self._which](path)


def _file(header: bytes, body: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header + body
