"""The features of a frozen backbone: when they can be kept, and the pass that computes them."""

import json
import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torchvision.models.resnet import ResNet

from resnet_sizes.io.errors import Stopped, WriteError
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.training.engine.batches import DeviceData, Preprocessor, evaluation_batch
from resnet_sizes.training.engine.clock import Clock
from resnet_sizes.training.engine.networks import Backbone
from resnet_sizes.training.engine.numerics import autocast
from resnet_sizes.training.tensor_files import DamagedTensors, read_tensors, write_tensors

log = logging.getLogger("resnet_sizes")

BatchDone = Callable[[int], object]


def cache_obstacle(run: RunFile) -> str | None:
    """Why the features of a run's frozen backbone cannot be computed once; None if they can."""
    recipe = run.reading
    if recipe.frozen_batch_norm == "train":
        return (
            "the batch normalisation of the frozen backbone is in train mode, so an image's "
            "features depend on the batch it is in"
        )
    if recipe.augmentation != "none":
        return f"augmentation is {recipe.augmentation}, so each epoch sees other images"
    if not run.feature_cache:
        return "feature_cache is false"
    return None


def keeps_features(run: RunFile) -> bool:
    """Whether a run trains its head on features that are computed once."""
    return run.reading.trainable == "head" and cache_obstacle(run) is None


@dataclass
class PartialFeatures:
    """Features of the images done so far, training images first, in batches as they came.

    They are written now and then, so that a pass that is interrupted goes on where it stood.
    """

    path: Path | None = None
    """None where nothing is kept."""
    every: float = math.inf
    """Seconds after which they are written again."""
    batches: list[torch.Tensor] = field(default_factory=list)
    """float32 `[B, F]`, on the device or the CPU."""
    seconds: float = 0.0
    """How long the pass over the training images took."""
    _last: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, features: Path, every: float) -> "PartialFeatures":
        """What is left of an earlier attempt at this file of features; nothing if damaged."""
        path = features.with_suffix(".partial.safetensors")
        found = cls(path, every)
        if path.is_file():
            try:
                record, tensors = read_tensors(path)
                facts, done = json.loads(record), tensors["features"]
                found.batches = list(torch.split(done.clone(), facts["sizes"]))
                found.seconds = facts["seconds"]
            except (DamagedTensors, OSError, LookupError, ValueError) as error:
                log.warning("%s: %s; the pass starts from the beginning", path, error)
            else:
                log.info("%s: %d images are done already", path, len(done))
        return found

    def images(self) -> int:
        """How many images are done."""
        return sum(len(batch) for batch in self.batches)

    def is_due(self) -> bool:
        """Whether they should be written."""
        return time.monotonic() - self._last >= self.every

    def write(self) -> None:
        """Write them. Where the disk refuses, the pass goes on without."""
        if self.path is None or not self.batches:
            return
        done = torch.cat([batch.cpu() for batch in self.batches])
        facts = {"sizes": [len(batch) for batch in self.batches], "seconds": self.seconds}
        try:
            write_tensors(self.path, {"features": done}, json.dumps(facts))
        except WriteError as error:
            log.warning("warning: %s The run goes on; a stop would cost this pass", error)
        self._last = time.monotonic()

    def remove(self) -> None:
        """Remove the file: the features are complete, and kept elsewhere."""
        if self.path:
            with suppress(OSError):
                self.path.unlink()


class FeatureExtractor:
    """Sends the images of one run through its network's layers but the head, in batches."""

    def __init__(
        self,
        run: RunFile,
        network: ResNet,
        data: DeviceData,
        device: torch.device,
        batch_done: BatchDone,
    ) -> None:
        """`network` is in evaluation mode; `batch_done` gets the number of images of
        each batch, and may raise to stop there."""
        self.run = run
        self._data = data
        self._backbone = Backbone(network).eval()
        self._prepare = Preprocessor(run.reading, device, run.precision)
        self._in_precision = autocast(run.precision, device)
        self._device = device
        self._batch_done = batch_done
        self._size = evaluation_batch(run.evaluation_batch_size, run.reading.input_size)

    def train_and_test(
        self, partial: PartialFeatures | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, float]:
        """Features of all training and of all test images, float32 `[N, F]` on the CPU, and the
        seconds of the pass over the training images. It goes on after what `partial` holds, and
        adds to it."""
        partial = partial or PartialFeatures()
        count = len(self._data.train_images)
        clock = Clock(self._device)

        def keep(asked: bool) -> None:
            if asked or partial.is_due():
                if partial.images() <= count:
                    partial.seconds = clock.so_far()
                with clock.pause():
                    partial.write()

        if partial.images():
            self._batch_done(partial.images())
        self._warm_up()
        if partial.images() < count:
            with clock.span(before=partial.seconds):
                self._extend(partial, self._data.train_images, partial.images(), keep)
            partial.seconds = clock.seconds
        self._extend(partial, self._data.test_images, partial.images() - count, keep)
        done = torch.cat([batch.cpu() for batch in partial.batches])
        return done[:count], done[count:], partial.seconds

    def _extend(
        self,
        partial: PartialFeatures,
        images: torch.Tensor,
        start: int,
        keep: Callable[[bool], object],
    ) -> None:
        left = images[start:]
        for batch in torch.split(left, self._size) if len(left) else ():
            partial.batches.append(self._features(batch))
            try:
                self._batch_done(len(batch))
            except Stopped:
                keep(True)
                raise
            keep(False)

    def _warm_up(self) -> None:
        """The first batch chooses kernels. A plain loop does that once, not once per epoch, so it
        does not belong in a time that is multiplied by the epochs."""
        self._features(self._data.train_images[: self._size])

    @torch.no_grad()  # not inference mode, whose tensors the head's backward pass may not keep
    def _features(self, batch: torch.Tensor) -> torch.Tensor:
        with self._in_precision():
            return self._backbone(self._prepare(batch)).float()  # type: ignore[no-any-return]

    def time(self, images: int) -> tuple[float, int]:
        """Seconds of a pass over all training images, measured on whole batches that have
        `images` of them at least; and how many those are."""
        total = len(self._data.train_images)
        count = min(total, math.ceil(images / self._size) * self._size)
        self._warm_up()
        clock = Clock(self._device)
        with clock.span():
            for batch in torch.split(self._data.train_images[:count], self._size):
                self._features(batch)
                self._batch_done(len(batch))
        return clock.seconds * total / count, count
