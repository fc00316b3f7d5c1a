"""A run's folder, one file of which is not what training wrote: what evidence is made from."""

import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
from fuzz_mutations import changed_bytes, changed_data
from report_studies import study_with_evidence
from safetensors.numpy import load, save

from resnet_sizes.evidence.runs.validate import read_run
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import StudyFile, all_run_settings
from resnet_sizes.schemas.run.tensors import DatasetInfo

_ODD_NUMBERS = [float("nan"), float("inf"), -float("inf"), -0.0, 3e38, 1e-45]
_ODD_LABELS = [-1, 10, 2**31, 2**63 - 1, -(2**63)]
_ODD_TYPES = ["float16", "float64", "int8", "int64", "uint64", "bool"]
_FILES = ("metrics.json", "predictions.safetensors", "run.json")


class RunResults:
    """`metrics.json`, `predictions.safetensors` and `run.json` of one run."""

    name = "results of runs"
    suffix = ".file"
    refusals = ()

    def __init__(self, folder: Path) -> None:
        study = study_with_evidence(folder / "study", seeds=(0,), models=("resnet18",))
        self._study = StudyFolder.of_file(study)
        self._settings = all_run_settings(read_record(study, StudyFile, "").study)[0]
        self._info = read_record(self._study.dataset_info, DatasetInfo, "")
        self._folder = self._study.run(self._settings).folder
        self._whole = {name: (self._folder / name).read_bytes() for name in _FILES}
        self._arrays = load(self._whole["predictions.safetensors"])
        self._changed = "run.json"

    def make(self, random: Random) -> bytes:
        self._changed = random.choice(_FILES)
        content = self._whole[self._changed]
        match random.randrange(8):
            case 0:
                return content
            case 1 | 2:
                return changed_bytes(random, content, self._whole["run.json"])
            case 3:  # of another file of the run
                return self._whole[random.choice(_FILES)]
            case _ if self._changed == "predictions.safetensors":
                return save(self._other_arrays(random))
            case _:
                return json.dumps(changed_data(random, json.loads(content))).encode()

    def read(self, path: Path) -> None:
        for name, content in self._whole.items():
            if name != self._changed:
                (self._folder / name).write_bytes(content)
        path.replace(self._folder / self._changed)
        read_run(self._settings, self._study, self._info)

    def _other_arrays(self, random: Random) -> dict[str, npt.NDArray[Any]]:
        """Well-formed arrays of other values, types, shapes or names."""
        arrays = {name: array.copy() for name, array in self._arrays.items()}
        logits, labels = arrays["logits"], arrays["labels"]
        name = random.choice(("logits", "labels"))
        place = random.randrange(len(labels))
        match random.randrange(8):
            case 0:
                logits[place] = random.choice(_ODD_NUMBERS)
            case 1:
                labels[place] = random.choice(_ODD_LABELS)
            case 2:
                arrays[name] = arrays[name].astype(random.choice(_ODD_TYPES))
            case 3:
                arrays[name] = arrays[name][: random.randrange(len(labels))]
            case 4:
                arrays[name] = np.expand_dims(arrays[name], random.randrange(2))
            case 5:
                del arrays[name]
            case 6:
                arrays[random.choice(("extra", "", "Logits"))] = labels
            case _:  # as good as what was there
                shift = np.float32(random.uniform(-1, 1))
                arrays["logits"] = logits + shift
        return arrays
