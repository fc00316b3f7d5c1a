"""Passes over a dataset through a frozen backbone, and what they take."""

import math
from collections.abc import Callable

import torch
from torchvision.models.resnet import ResNet

from resnet_sizes.records.run import RunFile
from resnet_sizes.training.batches import Preparation, evaluation_batch
from resnet_sizes.training.clock import Clock
from resnet_sizes.training.frozen import Backbone
from resnet_sizes.training.inputs import DeviceData
from resnet_sizes.training.precision import autocast

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

    def train_and_test(self) -> tuple[torch.Tensor, torch.Tensor, float]:
        """Features of all training and of all test images, float32 `[N, F]` on the CPU, and the
        seconds of the pass over the training images."""
        train, seconds = self._timed(self._data.train_images)
        return train, self._features(self._data.test_images), seconds

    @torch.no_grad()  # not inference mode, whose tensors the head's backward pass may not keep
    def _features(self, images: torch.Tensor) -> torch.Tensor:
        parts = []
        for batch in torch.split(images, self._size):
            with self._in_precision():
                parts.append(self._backbone(self._prepare(batch)).float())
            self._batch_done(len(batch))
        return torch.cat(parts).cpu()

    def _timed(self, images: torch.Tensor) -> tuple[torch.Tensor, float]:
        """The same with the seconds that it took.

        The first batch chooses kernels. A plain loop does that once, not once an epoch, so it
        does not belong into a time that is multiplied by the epochs.
        """
        with torch.no_grad(), self._in_precision():
            self._backbone(self._prepare(self._data.train_images[: self._size]))
        clock = Clock(self._device)
        with clock.span():
            features = self._features(images)
        return features, clock.seconds

    def time(self, images: int) -> tuple[float, int]:
        """Seconds of a pass over all training images, measured on whole batches that have
        `images` of them at least; and how many those are."""
        total = len(self._data.train_images)
        count = min(total, math.ceil(images / self._size) * self._size)
        _, seconds = self._timed(self._data.train_images[:count])
        return seconds * total / count, count
