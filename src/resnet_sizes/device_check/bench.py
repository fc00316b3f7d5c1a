"""What checks work with: networks, images and runs on a device, and what they find."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from traceback import extract_tb
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from resnet_sizes.forecast.cost import ignore
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.run import CompileMode, Precision, RunFile, RunSettings
from resnet_sizes.schemas.run.tensors import DatasetArrays, DatasetInfo, dataset_identity
from resnet_sizes.schemas.study.protocol import ModelName, TrainingRecipe
from resnet_sizes.schemas.study.sources import DatasetSpec
from resnet_sizes.schemas.study.study import TrainingSpec
from resnet_sizes.training.capabilities import check_precision, fastest_precision
from resnet_sizes.training.devices.gpus import Gpu
from resnet_sizes.training.devices.select import describe, select_device, set_threads
from resnet_sizes.training.engine.batches import DeviceData, FeatureData, Preprocessor
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.engine.networks import build_network, ready_for_training
from resnet_sizes.training.engine.numerics import set_determinism
from resnet_sizes.training.features.extraction import FeatureExtractor
from resnet_sizes.training.job.results import code, versions

CLASSES = 10

TEST_IMAGES = 16

PROBE = {"trainable": "head", "input_size": 224}

MODES: tuple[CompileMode, ...] = ("none", "cuda-graph")
"""Steps as they come, and recorded ones."""

READINGS: dict[str, dict[str, Any]] = {
    "scratch-32": {},
    "scratch-cifar-stem": {"stem": "cifar"},
    "augmented": {"augmentation": "flip-crop"},
    "finetune-112": {"input_size": 112},
    "probe-224": PROBE,
    "probe-224-bn-train": PROBE | {"frozen_batch_norm": "train", "optimizer": "sgd"},
}
"""What the protocols of config.yaml ask of a device. Weights are random, which costs the same."""


@dataclass
class Bench:
    """A device under check, and what one check finds."""

    device: torch.device
    quick: bool
    folder: Path
    numbers: dict[str, float | str] = field(default_factory=dict)
    """What is measured."""
    faults: list[str] = field(default_factory=list)
    """What is wrong."""

    @property
    def models(self) -> tuple[ModelName, ...]:
        """Those that are checked."""
        return ("resnet18",) if self.quick else ("resnet18", "resnet50", "resnet152")

    def precisions(self) -> list[Precision]:
        """Those that the device computes in hardware."""
        if self.device.type != "cuda":
            return list(dict.fromkeys(["fp32", fastest_precision(self.device)]))
        found: list[Precision] = ["fp32"]
        for precision in ("tf32", "bf16", "fp16"):
            with suppress(UserError):
                check_precision(precision, self.device)
                found.append(precision)
        return found

    def within(self, what: str, value: float, limit: float) -> None:
        """Record a number; it is a fault where it is above its limit, or no number."""
        # JSON has no infinite numbers.
        self.numbers[what] = value if np.isfinite(value) else str(value)
        if not value <= limit:
            self.faults.append(f"{what}: {value:.3g}, allowed {limit:g}")

    @contextmanager
    def case(self, name: str) -> Iterator[None]:
        """One case among several: its exception is a fault, and the others are tried too."""
        try:
            yield
        except Exception as error:
            self.faults.append(f"{name}: {described(error)}")

    def run(self, reading: str = "scratch-32", **changes: Any) -> RunFile:
        """A run file, of ResNet-18 unless `changes` say otherwise."""
        recipe = TrainingRecipe(**READINGS[reading], precision=changes.get("precision", "fp32"))
        names = set(RunSettings.model_fields)
        settings: dict[str, Any] = TrainingSpec(epochs=1).model_dump(include=names)
        settings |= {"protocol": reading, "model": "resnet18", "seed": 0, "reading": recipe}
        settings |= {"compile": changes.get("compile_mode", "none"), "dataset_identity": "0" * 64}
        return RunFile(**(settings | changes))

    def trainer(self, run: RunFile, arrays: DatasetArrays) -> Trainer:
        """What trains a run, made as a job makes it."""
        set_determinism(run.deterministic, run.seed, run.precision)
        network = ready_for_training(self.network(run), run.reading, self.device, run.precision)
        data = DeviceData.on(self.device, arrays)
        if not run.keeps_features:
            return Trainer(run, network, data, self.device)
        extractor = FeatureExtractor(run, network, data, self.device, ignore)
        train, test = (each.to(self.device) for each in extractor.train_and_test()[:2])
        features = FeatureData(train, data.train_labels, test, data.test_labels)
        return Trainer(run, network.get_submodule(run.entry.head), features, self.device)

    @staticmethod
    def network(run: RunFile) -> nn.Module:
        """The network of a run on the CPU, with the same random weights each time. Its batch
        normalisation has seen some of the images: else a deep one's outputs overflow in 16 bits."""
        recipe = run.reading.model_copy(update={"precision": "fp32"})
        return deepcopy(_network(run.model, recipe.model_dump_json()))


@lru_cache(maxsize=1)
def _network(model: ModelName, recipe_json: str) -> nn.Module:
    torch.manual_seed(0)
    recipe = TrainingRecipe.model_validate_json(recipe_json)
    network = build_network(model, recipe, CLASSES)
    pixels = torch.from_numpy(images(8).train_images)
    update_bn([Preprocessor(recipe, torch.device("cpu"), "fp32")(pixels)], network.eval())
    return network


def images(train: int, test: int = TEST_IMAGES) -> DatasetArrays:
    """Random images and labels, always the same."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (train + test, 3, 32, 32), dtype=np.uint8)
    labels = random.integers(0, CLASSES, train + test)
    return DatasetArrays(pixels[:train], labels[:train], pixels[train:], labels[train:])


def random_info(arrays: DatasetArrays) -> DatasetInfo:
    """What stands beside random images in the file of a dataset."""
    train, test = len(arrays.train_labels), len(arrays.test_labels)
    return DatasetInfo(
        spec=DatasetSpec(source="image-folder", path="random"),
        content="other",
        class_names=[f"class {number}" for number in range(CLASSES)],
        train_images=train,
        test_images=test,
        full_train_images=train,
        full_test_images=test,
        identity=dataset_identity(arrays),
        source_file=None,
        source_sha256=None,
    ).sealed()


def last_logits(trainer: Trainer) -> torch.Tensor:
    """Those of the test images after the last epoch, float32 `[N, classes]` on the CPU."""
    return [logits for _, logits in trainer.epochs(ignore)][-1]


def described(error: BaseException) -> str:
    """An exception's kind and message, and where in our code it came up, on one line."""
    own = [each for each in extract_tb(error.__traceback__) if "resnet_sizes" in each.filename]
    place = f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{place}"


def device_found(name: str, gpu: Gpu | None) -> dict[str, Any]:
    """What the record says of a device. Raises UserError if it is not there."""
    device = select_device(name)
    set_threads("auto")
    records = {"device": describe(device, gpu), "code": code()}
    found = {name: record.model_dump(mode="json") for name, record in records.items()}
    return found | {"versions": versions(device)}


def check_made(module: str, name: str, device: str, quick: bool, folder: Path) -> dict[str, Any]:
    """What a check finds, as its record has it; whatever a device does wrong is a fault."""
    bench = Bench(select_device(device), quick, folder)
    set_threads("auto")
    try:
        getattr(import_module(module, __package__), name)(bench)
    except Exception as error:
        bench.faults.append(described(error))
    state = "failed" if bench.faults else "passed"
    return {"state": state, "reasons": bench.faults, "numbers": bench.numbers}
