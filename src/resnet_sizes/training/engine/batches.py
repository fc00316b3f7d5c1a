"""What a network is fed with, in the order that the seed draws: batches of images, or of features.

All images lie on the device; normalisation, size and augmentation are done a batch at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch.nn import functional

from resnet_sizes.schemas.run.run import Precision, RunFile
from resnet_sizes.schemas.run.tensors import DatasetArrays
from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.training.engine.numerics import memory_format

CROP_PADDING = 4  # pixels, as He et al. (2015), section 4.2

SMALLEST_EVALUATION_BATCH = 64
"""Images that keep a device busy at any size."""

NORMALISATION = {
    # Mean and standard deviation by channel (RGB), of pixels in 0…1.
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),  # torchvision's own weights
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),  # of the training images
    "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}


class Preprocessor:
    """uint8 images → what the network takes, for one recipe in one precision on one device."""

    def __init__(self, recipe: TrainingRecipe, device: torch.device, precision: Precision) -> None:
        mean, deviation = NORMALISATION[recipe.normalisation]
        self._mean = torch.tensor(mean, device=device).mul(255).view(1, 3, 1, 1)
        self._scale = torch.tensor(deviation, device=device).mul(255).reciprocal().view(1, 3, 1, 1)
        self._size = recipe.input_size
        self._format = memory_format(precision, device)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 `[N, 3, 32, 32]` → float32 `[N, 3, S, S]`, normalised, as `memory_format` says."""
        batch = images.to(torch.float32).sub_(self._mean).mul_(self._scale)
        if batch.shape[-1] != self._size:
            batch = functional.interpolate(
                batch, size=(self._size, self._size), mode="bilinear", antialias=True
            )
        return batch.contiguous(memory_format=self._format)


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """The random stream of one epoch, on the CPU so that every device draws the same; its order
    depends on nothing that came before."""
    # torch's CPU generator keeps the lower 32 bits of its seed; SeedSequence mixes both into them.
    mixed = np.random.SeedSequence((seed, epoch)).generate_state(1)[0]
    return torch.Generator().manual_seed(int(mixed))


def shuffled_batches(
    images: int, batch_size: int, generator: torch.Generator, device: torch.device
) -> Iterator[torch.Tensor]:
    """Index tensors (int64, on the device) over a random order of all images, as many as
    `batches_per_epoch` says: a last batch of a single image is left out, since batch normalisation
    cannot normalise one value."""
    order = torch.randperm(images, generator=generator).to(device)
    for batch in torch.split(order, batch_size):
        if len(batch) > 1:
            yield batch


def evaluation_batch(asked: int, input_size: int) -> int:
    """Images a step of a forward pass alone: as many as asked for at 32 pixels, and fewer at larger
    sizes, so that maps take about the same memory, but no less than `SMALLEST_EVALUATION_BATCH`. At
    224 pixels a thousand images would take gigabytes in the first layer."""
    same_memory = asked * 32**2 // input_size**2
    return min(asked, max(SMALLEST_EVALUATION_BATCH, same_memory))


def draw_flips_and_shifts(
    count: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Whether to mirror each image, with probability 1/2, bool `[N]`; and by how many pixels to
    shift it down and to the right, int64 `[2, N]`. Drawn on the CPU."""
    flip = torch.rand(count, generator=generator).lt(0.5)
    return flip, torch.randint(0, 2 * CROP_PADDING + 1, (2, count), generator=generator)


def flip_and_crop(images: torch.Tensor, flip: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
    """Mirror and shift each image, uint8 `[N, 3, H, W]`, as `draw_flips_and_shifts` says; what is
    shifted in is zero."""
    count, _, height, width = images.shape
    device = images.device
    # Without waiting for the device, which may still be busy with the step before.
    flip, shifts = flip.to(device, non_blocking=True), shifts.to(device, non_blocking=True)
    padded = functional.pad(images, (CROP_PADDING,) * 4)
    rows = shifts[0].view(-1, 1) + torch.arange(height, device=device)
    columns = torch.arange(width, device=device).expand(count, width)
    columns = torch.where(flip.view(-1, 1), columns.flip(1), columns)
    columns = shifts[1].view(-1, 1) + columns
    each = torch.arange(count, device=device).view(-1, 1, 1)
    # Advanced indices around a slice put the indexed axes first: [N, H, W, 3].
    return padded[each, :, rows.unsqueeze(2), columns.unsqueeze(1)].permute(0, 3, 1, 2)


@dataclass(frozen=True)
class DeviceData:
    """Images on the device: uint8 `[N, 3, 32, 32]`, labels int64 `[N]`."""

    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor
    in_host_memory = False

    @classmethod
    def on(cls, device: torch.device, arrays: DatasetArrays) -> "DeviceData":
        """Copy the arrays to the device once, for the whole run. uint8 is a quarter of fp32's
        memory: all of CIFAR-10 takes 184 MB."""
        return cls(
            *(torch.from_numpy(getattr(arrays, each.name)).to(device) for each in fields(cls))
        )

    def inputs(self, run: RunFile) -> "ImageBatches":
        """Its batches as the run prepares them."""
        return ImageBatches(self, run)


class ImageBatches:
    """Prepared images, float32 `[B, 3, S, S]`."""

    def __init__(self, data: DeviceData, run: RunFile) -> None:
        recipe = run.reading
        self._data = data
        self._augment = recipe.augmentation == "flip-crop"
        self._prepare = Preprocessor(recipe, data.train_images.device, run.precision)
        self._size = recipe.input_size

    def draw(self, count: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """What augmentation draws for a batch, on the CPU."""
        return draw_flips_and_shifts(count, generator) if self._augment else ()

    def train(self, indices: torch.Tensor, *drawn: torch.Tensor) -> torch.Tensor:
        """Training images by int64 indices on the device, augmented as was drawn."""
        images = self._data.train_images[indices]
        return self._prepare(flip_and_crop(images, *drawn) if drawn else images)

    def test(self, batch_size: int) -> Iterator[torch.Tensor]:
        """The test images in their order, in smaller batches where images are large."""
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

    def inputs(self, run: RunFile) -> "FeatureData":
        """Features are prepared already."""
        return self

    @property
    def in_host_memory(self) -> bool:
        """Whether each batch has to be copied to the device."""
        return self.train_features.device != self.train_labels.device

    def draw(self, count: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """Nothing is drawn for features."""
        return ()

    def train(self, indices: torch.Tensor) -> torch.Tensor:
        """Features of training images by int64 indices on the device."""
        features = self.train_features
        return features[indices.to(features.device)].to(indices.device)

    def test(self, batch_size: int) -> Iterator[torch.Tensor]:
        """Features of the test images in their order."""
        for features in torch.split(self.test_features, batch_size):
            # A copy: matrix products round by the alignment of their operands, which is not the
            # same in a memory-mapped file.
            yield features.to(self.test_labels.device, copy=True)


Data = DeviceData | FeatureData
"""A dataset for the loop: labels on the device, and `inputs` that go with them."""
