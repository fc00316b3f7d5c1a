"""What most people would write: the loop of a notebook, as PyTorch's own tutorial on CIFAR-10
teaches it (https://pytorch.org/tutorials/beginner/blitz/cifar10_tutorial.html).

Images are decoded one by one in a `Dataset`, prepared by torchvision's transforms, collected by a
`DataLoader`; the network works in fp32; the loss is read in every step; a frozen network does its
forward pass in every epoch.
"""

import time
from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image
from settings import CLASSES, LEARNING_RATE, Setting
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.models import get_model

from resnet_sizes.schemas.run.tensors import DatasetArrays
from resnet_sizes.training.engine.batches import NORMALISATION

PREFETCHED = 2
"""Batches that a DataLoader worker prepares ahead, by default."""


class PictureDataset(Dataset[tuple[torch.Tensor, int]]):
    """Images in memory that come out as PIL images, as from `torchvision.datasets.CIFAR10`."""

    def __init__(self, arrays: DatasetArrays, transform: transforms.Compose) -> None:
        self.pixels = np.ascontiguousarray(arrays.train_images.transpose(0, 2, 3, 1))
        self.targets = arrays.train_labels.tolist()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        picture = Image.fromarray(self.pixels[index])
        return self.transform(picture), self.targets[index]


class NotebookLoop:
    """Steps of such a loop, timed once its workers are at work."""

    def __init__(self, setting: Setting, arrays: DatasetArrays, device: torch.device) -> None:
        recipe = setting.recipe
        steps = [transforms.ToTensor(), transforms.Normalize(*NORMALISATION[recipe.normalisation])]
        if recipe.input_size != arrays.train_images.shape[-1]:
            steps.insert(0, transforms.Resize(recipe.input_size))
        self.dataset = PictureDataset(arrays, transforms.Compose(steps))
        self.setting = setting
        self.device = device
        self.net = get_model(setting.model, weights=None, num_classes=CLASSES).to(device)
        if setting.frozen:
            for parameter in self.net.parameters():
                parameter.requires_grad = False
            for parameter in self.net.fc.parameters():
                parameter.requires_grad = True
        self.criterion = nn.CrossEntropyLoss()
        trained = [p for p in self.net.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(trained, lr=LEARNING_RATE)

    def measure(self, workers: int) -> float:
        """Seconds of one round.

        In the notebook's favour the workers' start is left out, with a first step in which they
        fill their queue, and so is the wait for them at the end of the epoch.
        """
        loader = DataLoader(
            self.dataset,
            batch_size=self.setting.batch_size,
            shuffle=True,
            num_workers=workers,
            drop_last=True,
        )
        batches = iter(loader)
        self._train(batches, 1)
        self._synchronise()
        start = time.perf_counter()
        self._train(batches, self.setting.steps)
        self._synchronise()
        return time.perf_counter() - start

    def _train(self, batches: Iterator[list[torch.Tensor]], steps: int) -> float:
        self.net.train(not self.setting.frozen)
        running_loss = 0.0
        for _ in range(steps):
            images, labels = next(batches)
            images, labels = images.to(self.device), labels.to(self.device)
            self.optimizer.zero_grad()
            outputs = self.net(images)
            loss = self.criterion(outputs, labels)
            loss.backward()
            self.optimizer.step()
            running_loss += loss.item()
        return running_loss

    def _synchronise(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def images_needed(setting: Setting) -> int:
    """So many that the loader still prepares batches when the last timed step is done."""
    return setting.batch_size * (1 + setting.steps + 2 * PREFETCHED)
