"""A loop without the costs of a DataLoader: tensors on the device, normalised batch by batch.

It has nothing of the engine's: no channels-last, no fused optimiser, no feature cache, no
compilation. What lies between it and the notebook is the input; between it and the engine, the
engine.
"""

import time
from collections.abc import Callable

import torch
from settings import CLASSES, LEARNING_RATE, Setting
from torch.nn import functional
from torchvision.models import get_model

from resnet_sizes.schemas.run.run import Precision
from resnet_sizes.schemas.run.tensors import DatasetArrays
from resnet_sizes.training.engine.batches import NORMALISATION
from resnet_sizes.training.engine.numerics import autocast


class PlainLoop:
    """Steps of such a loop, timed."""

    def __init__(
        self,
        setting: Setting,
        arrays: DatasetArrays,
        device: torch.device,
        precision: Precision = "fp32",
    ) -> None:
        recipe = setting.recipe
        self.setting = setting
        self.device = device
        self.size = recipe.input_size
        self.images = torch.from_numpy(arrays.train_images[: setting.images]).to(device)
        self.labels = torch.from_numpy(arrays.train_labels[: setting.images]).to(device)
        mean, deviation = NORMALISATION[recipe.normalisation]
        self.mean = torch.tensor(mean, device=device).view(1, 3, 1, 1)
        self.deviation = torch.tensor(deviation, device=device).view(1, 3, 1, 1)
        self.net = get_model(setting.model, weights=None, num_classes=CLASSES).to(device)
        if setting.frozen:
            self.net.requires_grad_(False)
            self.net.fc.requires_grad_(True)
        self.forward: Callable[[torch.Tensor], torch.Tensor] = self.net
        trained = [p for p in self.net.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(trained, lr=LEARNING_RATE)
        self.in_precision = autocast(precision, device)
        self.scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")

    def measure(self) -> float:
        """Seconds of one round."""
        self._synchronise()
        start = time.perf_counter()
        self.train()
        self._synchronise()
        return time.perf_counter() - start

    def train(self) -> float:
        """One round of steps; the sum of their losses."""
        self.net.train(not self.setting.frozen)
        running_loss = 0.0
        order = torch.randperm(len(self.labels), device=self.device)
        for batch in torch.split(order, self.setting.batch_size):
            with self.in_precision():
                outputs = self.forward(self._prepared(self.images[batch]))
                loss = functional.cross_entropy(outputs, self.labels[batch])
            self.optimizer.zero_grad()
            self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            self.scaler.step(self.optimizer)
            self.scaler.update()
            running_loss += loss.item()
        return running_loss

    def _prepared(self, images: torch.Tensor) -> torch.Tensor:
        inputs = (images.float() / 255 - self.mean) / self.deviation
        if inputs.shape[-1] != self.size:
            inputs = functional.interpolate(
                inputs, size=(self.size, self.size), mode="bilinear", antialias=True
            )
        return inputs

    def _synchronise(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
