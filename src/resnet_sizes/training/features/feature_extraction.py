"""Passes over a dataset through a frozen backbone, and what they take."""

import math
from collections.abc import Callable

import torch
from torchvision.models.resnet import ResNet

from resnet_sizes.io.errors import Stopped
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.training.engine.clock import Clock
from resnet_sizes.training.engine.frozen import Backbone
from resnet_sizes.training.engine.inputs import DeviceData
from resnet_sizes.training.engine.precision import autocast
from resnet_sizes.training.engine.preprocessing import Preparation, evaluation_batch
from resnet_sizes.training.features.partial_features import PartialFeatures

BatchDone = Callable[[int], object]


class BackbonePass:
    """Sends the images of one run through its network's layers but the head, in batches."""

    def __init__(
        self,
        run: RunFile,
        network: ResNet,
        data: DeviceData,
        device: torch.device,
        batch_done: BatchDone,
    ) -> None:
        """`network` is in evaluation mode; `batch_done` is told the number of images done."""
        self._data = data
        self._backbone = Backbone(network).eval()
        self._prepare = Preparation(run.reading, device)
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
        """The first batch chooses kernels. A plain loop does that once, not once an epoch, so it
        does not belong into a time that is multiplied by the epochs."""
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
