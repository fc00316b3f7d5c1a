"""The features of a frozen backbone: when they can be kept, and the pass that computes them."""

import json
import logging
import math
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from resnet_sizes.io.errors import Stopped, WriteError
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.training.engine.batches import DeviceData, Preprocessor, evaluation_batch
from resnet_sizes.training.engine.clock import Clock
from resnet_sizes.training.engine.networks import backbone
from resnet_sizes.training.engine.numerics import SHORT_FORMATS, autocast
from resnet_sizes.training.tensor_files import DamagedTensors, read_tensors, write_tensors

log = logging.getLogger("resnet_sizes")

BatchDone = Callable[[int], object]

PIXEL_BYTES = 320
"""Memory of the pass for a pixel of its input: a bottleneck network at 224 pixels takes 13.5 MiB
an image in fp32 (measured on a CPU), and some room is for the convolutions' own use."""

MEMORY_SHARE = 4
"""Part of a GPU's memory that a batch of the pass may take: one in so many."""

LARGEST_BATCH = 1024
"""Images that fill any GPU at 224 pixels, in maps that 32-bit numbers can still count."""

WARM_UP_SECONDS = 0.5
"""A GPU that has been idle takes some tenths of a second to reach its clock rate."""

TIMED_SECONDS = 2.0
TIMED_PASSES = 3
"""What is timed at least."""


def pass_batch(run: RunFile, gpu_memory: int | None) -> int:
    """Images of a batch in the pass through a frozen backbone.

    On CUDA as many as an evaluation's `evaluation_batch_size`, if the device's memory, in bytes,
    allows; in powers of two, so that GPUs of one kind decide alike. It is its whole memory, not
    what is free: a restart has to decide as the run did. Elsewhere, with None, an evaluation's.
    """
    recipe, asked = run.reading, run.evaluation_batch_size
    least = evaluation_batch(asked, recipe.input_size)
    if gpu_memory is None:
        return least
    # Without stride and pooling in the stem, maps have 16 times as many pixels.
    pixels = recipe.input_size**2 * (16 if recipe.stem == "cifar" else 1)
    fitting = gpu_memory // MEMORY_SHARE // (PIXEL_BYTES * pixels)
    return max(least, min(asked, LARGEST_BATCH, 1 << max(0, fitting.bit_length() - 1)))


def gpu_memory(device: torch.device) -> int | None:
    """Bytes of a CUDA device in all; None of others."""
    if device.type != "cuda":
        return None
    return int(torch.cuda.get_device_properties(device).total_memory)


@dataclass(frozen=True)
class PassTime:
    """How long a pass over all training images takes, by repeated passes over some of them."""

    seconds: float
    """The median's, scaled up to all images."""
    images: int
    """In each pass."""
    passes: int


@dataclass
class PartialFeatures:
    """Features of the images done so far, training images first, in batches as they came. They are
    written now and then, so that a pass that is interrupted goes on where it stood."""

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
        network: nn.Module,
        data: DeviceData,
        device: torch.device,
        batch_done: BatchDone,
    ) -> None:
        """`network` is in evaluation mode; its frozen layers are cast to the run's precision, once,
        where autocast would do it in each batch. `batch_done` gets the number of images of each
        batch, and may raise to stop there."""
        self.run = run
        self._data = data
        for name, layer in network.named_children():
            if name != run.entry.head and run.precision in SHORT_FORMATS:
                layer.to(SHORT_FORMATS[run.precision])
        self._backbone = backbone(network, run.entry.head).eval()
        self._prepare = Preprocessor(run.reading, device, run.precision)
        self._in_precision = autocast(run.precision, device)
        self._device = device
        self._batch_done = batch_done
        self.batch = pass_batch(run, gpu_memory(device))
        """Images of a batch, at most."""

    def train_and_test(
        self, partial: PartialFeatures | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, float]:
        """Features of all training and of all test images, float32 `[N, F]` on the CPU, and the
        seconds of the pass over the training images. The pass goes on with `partial`."""
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
        for batch in torch.split(left, self.batch) if len(left) else ():
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
        self._features(self._data.train_images[: self.batch])

    @torch.no_grad()  # not inference mode, whose tensors the head's backward pass may not keep
    def _features(self, batch: torch.Tensor) -> torch.Tensor:
        with self._in_precision():
            return self._backbone(self._prepare(batch)).float()  # type: ignore[no-any-return]

    def time(self) -> PassTime:
        """Time a pass over all training images, by passes over some of them.

        The warm-up decides how many: the batches that it does in `WARM_UP_SECONDS`, one at least.
        So a slow device, where one batch takes seconds, times three batches, and a fast one
        passes long enough for a clock. Nothing is called within a pass: what waits for the device
        there would be timed with it.
        """
        images, clock = self._data.train_images, Clock(self._device)
        batches, warm = 0, 0.0
        while warm < WARM_UP_SECONDS:
            with clock.span():
                self._warm_up()
            self._batch_done(0)
            batches, warm = batches + 1, warm + clock.seconds
        timed = torch.split(images[: batches * self.batch], self.batch)
        seconds: list[float] = []
        while len(seconds) < TIMED_PASSES or sum(seconds) < TIMED_SECONDS:
            with clock.span():
                for batch in timed:
                    self._features(batch)
            seconds.append(clock.seconds)
            self._batch_done(0)
        count = sum(map(len, timed))
        return PassTime(
            statistics.median(seconds) * len(images) / count, count, passes=len(seconds)
        )
