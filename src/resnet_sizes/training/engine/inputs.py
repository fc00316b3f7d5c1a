"""What a network is fed with: images, or the features of a frozen backbone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch

from resnet_sizes.schemas.run.tensors import DatasetArrays
from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.training.engine.preprocessing import Preparation, evaluation_batch, flip_and_crop


class Inputs(Protocol):
    """One source of batches for training and evaluation."""

    def train(self, indices: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """What the network takes for these training images (int64 indices on the device).

        Random augmentation draws from `generator`.
        """

    def test(self, batch_size: int) -> Iterator[torch.Tensor]:
        """What the network takes for the test images, in their order.

        `batch_size` is that of the configuration; large images come in smaller batches.
        """


class Data(Protocol):
    """A dataset on the device: labels int64 `[N]`, and the inputs that go with them."""

    @property
    def train_labels(self) -> torch.Tensor:
        """int64 `[N_train]`."""

    @property
    def test_labels(self) -> torch.Tensor:
        """int64 `[N_test]`."""

    def inputs(self, reading: TrainingRecipe) -> Inputs:
        """The batches of this dataset as the reading prepares them."""


@dataclass(frozen=True)
class DeviceData:
    """Images on the device: uint8 `[N, 3, 32, 32]`, labels int64 `[N]`."""

    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor

    @classmethod
    def on(cls, device: torch.device, arrays: DatasetArrays) -> "DeviceData":
        """Copy the arrays to the device once, for the whole run.

        uint8 is a quarter of fp32's memory: all of CIFAR-10 takes 184 MB.
        """
        return cls(
            *(
                torch.from_numpy(array).to(device)
                for array in (
                    arrays.train_images,
                    arrays.train_labels,
                    arrays.test_images,
                    arrays.test_labels,
                )
            )
        )

    def inputs(self, reading: TrainingRecipe) -> Inputs:
        """Prepared batches, float32 `[B, 3, S, S]`."""
        return _Images(self, reading)


class _Images:
    def __init__(self, data: DeviceData, reading: TrainingRecipe) -> None:
        self._data = data
        self._augment = reading.augmentation == "flip-crop"
        self._prepare = Preparation(reading, data.train_images.device)
        self._size = reading.input_size

    def train(self, indices: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        images = self._data.train_images[indices]
        if self._augment:
            images = flip_and_crop(images, generator)
        return self._prepare(images)

    def test(self, batch_size: int) -> Iterator[torch.Tensor]:
        batch = evaluation_batch(batch_size, self._size)
        for images in torch.split(self._data.test_images, batch):
            yield self._prepare(images)


@dataclass(frozen=True)
class FeatureData:
    """Features of a frozen backbone: float32 `[N, F]`, on the device or in the host's memory;
    labels int64 `[N]` on the device."""

    train_features: torch.Tensor
    train_labels: torch.Tensor
    test_features: torch.Tensor
    test_labels: torch.Tensor

    def inputs(self, reading: TrainingRecipe) -> Inputs:
        """Batches of features, float32 `[B, F]`; the reading has nothing left to prepare."""
        return _Features(self)


class _Features:
    def __init__(self, data: FeatureData) -> None:
        self._data = data

    def train(self, indices: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        features, device = self._data.train_features, indices.device
        return features[indices.to(features.device)].to(device)

    def test(self, batch_size: int) -> Iterator[torch.Tensor]:
        device = self._data.test_labels.device
        for features in torch.split(self._data.test_features, batch_size):
            # A copy: matrix products round by the alignment of their operands, which is not the
            # same in a memory-mapped file.
            yield features.to(device, copy=True)
