"""The features of a frozen backbone: computed once, kept on disk, shared by seeds and studies."""

import hashlib
import logging
import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from resnet_sizes.io.errors import WriteError
from resnet_sizes.io.files import write_atomically
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.io.locks import one_process
from resnet_sizes.io.messages import shown_text
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.training.devices.select import describe
from resnet_sizes.training.engine.inputs import DeviceData, FeatureData
from resnet_sizes.training.engine.preprocessing import evaluation_batch
from resnet_sizes.training.features.feature_extraction import BackbonePass
from resnet_sizes.training.features.partial_features import PartialFeatures
from resnet_sizes.training.job.provenance import code, versions
from resnet_sizes.training.supervision.checkpoints import UNREADABLE

log = logging.getLogger("resnet_sizes")

TIMED_SHARE = 0.01
"""Which share of the training images a run that finds its features sends through the backbone."""


@dataclass(frozen=True)
class Features:
    """float32 `[N, F]` on the CPU, with what it took to compute them."""

    train: torch.Tensor
    test: torch.Tensor
    forward_seconds: float
    """Of a pass over the training images, as this run measured it."""
    timed_images: int
    """Over how many images it was measured; of fewer than all it is scaled up."""
    key: str
    reused: bool

    def on(self, device: torch.device, labels: DeviceData) -> FeatureData:
        """The dataset that the head is trained on.

        Features stay in the host's memory where they would take more than half of what the
        device has free: the head's own tensors are small, but other processes may need room.
        """
        size = sum(tensor.nbytes for tensor in (self.train, self.test))
        target = device
        if device.type == "cuda" and size > torch.cuda.mem_get_info(device)[0] // 2:
            target = torch.device("cpu")
        return FeatureData(
            self.train.to(target), labels.train_labels, self.test.to(target), labels.test_labels
        )


def cache_obstacle(run: RunFile) -> str | None:
    """Why the features of a run's frozen backbone cannot be computed once; None if they can."""
    reading = run.reading
    if reading.frozen_batch_norm == "train":
        return (
            "the batch normalisation of the frozen backbone is in train mode, so an image's "
            "features depend on the batch it is in"
        )
    if reading.augmentation != "none":
        return f"augmentation is {reading.augmentation}, so each epoch sees other images"
    if not run.feature_cache:
        return "feature_cache is false"
    return None


def keeps_features(run: RunFile) -> bool:
    """Whether a run trains its head on features that are computed once."""
    return run.reading.trainable == "head" and cache_obstacle(run) is None


def features_key(run: RunFile, device: torch.device) -> str:
    """Hash of all that decides the features, to the last bit: never of the seed.

    Device, threads, batch size and versions are in it because they decide rounding, the code
    because it decides everything.
    """
    described = describe(device)
    reading = run.reading
    return content_hash(
        {
            "model": run.model,
            "weights": run.initial_weights.sha256 if run.initial_weights else None,
            "stem": reading.stem,
            "input_size": reading.input_size,
            "normalisation": reading.normalisation,
            "precision": run.precision,
            "batch_size": evaluation_batch(run.evaluation_batch_size, reading.input_size),
            "deterministic": run.deterministic,
            "dataset": run.dataset_identity,
            "device": [described.kind, described.name],
            "threads": described.threads if described.kind == "cpu" else None,
            "cudnn": _cudnn_version() if described.kind == "cuda" else None,
            "versions": versions(device),
            "code": code().training_hash,
        }
    )


def _cudnn_version() -> int | None:
    version: int | None = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return version


def cached_features(
    folder: Path,
    run: RunFile,
    device: torch.device,
    through: BackbonePass,
    keep_every: float,
    meanwhile: Callable[[], object],
) -> Features:
    """Read the run's features from `folder`, or compute them by a pass `through` the run's
    backbone, and keep them.

    Two runs that want the same features at the same time compute them once: the second waits,
    calling `meanwhile` every second. A pass that is interrupted is kept every `keep_every` seconds
    and goes on.

    A run that finds them measures the pass anew, on a small share of the images: with the time
    of the run that computed them, several seeds would have one measurement between them, and
    seem to vary less than they do.
    """
    key = features_key(run, device)
    path = folder / f"{key}.safetensors"
    with ExitStack() as lock:
        try:
            waiting = f"{run.name}: another run computes the same features; waiting for it"
            lock.enter_context(one_process(path, waiting, meanwhile))
        except OSError as error:  # without a place to keep features there is nothing to guard
            log.warning("%s: cannot be locked (%s)", path, error)
        found = _read(path)
        if found is None:
            partial = PartialFeatures.of(path, keep_every)
            train, test, seconds = through.train_and_test(partial)
            if _keep(path, train, test):
                partial.remove()
            return Features(train, test, seconds, len(train), key, reused=False)
    log.info("%s: features of the frozen backbone are here: %s", run.name, path)
    train, test = found
    seconds, timed = through.time(math.ceil(len(train) * TIMED_SHARE))
    return Features(train, test, seconds, timed, key, reused=True)


def _keep(path: Path, train: torch.Tensor, test: torch.Tensor) -> bool:
    """Whether they could be written."""
    tensors = {"train": train, "test": test}
    metadata = {"sha256": _digest(tensors)}
    try:
        write_atomically(path, lambda target: save_file(tensors, target, metadata))
    except WriteError as error:  # what was computed is not lost for this run
        log.warning("warning: %s The next run computes it again", error)
        return False
    return True


def _read(path: Path) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The features in a file, of training and test images; None where it is missing or damaged,
    so that they are computed."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            # Memory-mapped: the system reads what is used, and runs share the pages.
            tensors = {name: opened.get_tensor(name) for name in ("train", "test")}
        whole = metadata["sha256"] == _digest(tensors)
    except UNREADABLE as error:
        log.warning("%s: is damaged (%s); it is computed again", path, shown_text(str(error)))
        return None
    if not whole:
        log.warning("%s: is not what was written; it is computed again", path)
        return None
    return tensors["train"], tensors["test"]


def _digest(tensors: dict[str, torch.Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().data)
    return digest.hexdigest()
