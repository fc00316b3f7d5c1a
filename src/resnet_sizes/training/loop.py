"""The training loop: one run, epoch by epoch."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from torch.optim import SGD, Adam, AdamW, Optimizer

from resnet_sizes.records.errors import UserError
from resnet_sizes.records.metrics import EpochMetrics
from resnet_sizes.records.run import RunFile
from resnet_sizes.training.batches import (
    DeviceData,
    Preparation,
    epoch_generator,
    flip_and_crop,
    shuffled_batches,
)
from resnet_sizes.training.clock import Clock

StepDone = Callable[[], object]


@dataclass
class Trainer:
    """All that one run trains with. `network` is changed in place."""

    run: RunFile
    network: nn.Module
    data: DeviceData
    device: torch.device

    def __post_init__(self) -> None:
        self.optimizer = build_optimizer(self.run, self.network, self.device)
        self._prepare = Preparation(self.run.reading, self.device)
        self._clock = Clock(self.device)
        self.schedule: torch.optim.lr_scheduler.LRScheduler | None = None
        if self.run.reading.schedule == "cosine":
            self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
                self.optimizer, T_max=self.run.epochs
            )

    def epochs(self, step_done: StepDone) -> Iterator[tuple[EpochMetrics, torch.Tensor]]:
        """Train and evaluate; after each epoch its metrics and the test logits.

        Logits are float32 `[N_test, classes]` on the CPU. `step_done` is called after each
        step, for a progress bar. Raises UserError when a loss is not finite.
        """
        for epoch in range(1, self.run.epochs + 1):
            with self._clock.span():
                loss, accuracy = self._train_epoch(epoch, step_done)
            training_seconds = self._clock.seconds
            with self._clock.span():
                logits = self._test_logits()
            labels = self.data.test_labels
            metrics = EpochMetrics(
                epoch=epoch,
                train_loss=self._finite(loss, epoch, "training"),
                train_accuracy=accuracy,
                test_loss=self._finite(
                    functional.cross_entropy(logits, labels).item(), epoch, "test"
                ),
                test_accuracy=logits.argmax(1).eq(labels).sum().item() / len(labels),
                training_seconds=training_seconds,
                evaluation_seconds=self._clock.seconds,
            )
            yield metrics, logits.cpu()

    def _train_epoch(self, epoch: int, step_done: StepDone) -> tuple[float, float]:
        """Mean loss and accuracy over the epoch's steps, each image under the weights of its
        own step, as a notebook's running loss is."""
        self.network.train()
        generator = epoch_generator(self.run.seed, epoch)
        # Sums stay on the device: reading them in each step would stop it each time.
        loss_sum = torch.zeros((), device=self.device)
        correct = torch.zeros((), dtype=torch.int64, device=self.device)
        seen = 0
        data = self.data
        for indices in shuffled_batches(
            len(data.train_labels), self.run.batch_size, generator, self.device
        ):
            images, labels = data.train_images[indices], data.train_labels[indices]
            if self.run.reading.augmentation == "flip-crop":
                images = flip_and_crop(images, generator)
            with self._precision():
                logits = self.network(self._prepare(images))
            loss = functional.cross_entropy(logits.float(), labels)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            loss_sum += loss.detach() * len(labels)
            correct += logits.detach().argmax(1).eq(labels).sum()
            seen += len(labels)
            step_done()
        if self.schedule is not None:
            self.schedule.step()
        return loss_sum.item() / seen, correct.item() / seen

    @torch.inference_mode()
    def _test_logits(self) -> torch.Tensor:
        self.network.eval()
        parts = []
        for images in torch.split(self.data.test_images, self.run.evaluation_batch_size):
            with self._precision():
                parts.append(self.network(self._prepare(images)).float())
        return torch.cat(parts)

    def _precision(self) -> AbstractContextManager[object]:
        if self.run.reading.precision == "bf16":
            return torch.autocast(self.device.type, torch.bfloat16)
        return nullcontext()

    def _finite(self, loss: float, epoch: int, which: str) -> float:
        if torch.isfinite(torch.tensor(loss)):
            return loss
        raise UserError(
            f"{self.run.name}: the {which} loss is {loss} in epoch {epoch} (learning rate "
            f"{self.run.learning_rate}, precision {self.run.reading.precision}). Lower "
            "training.learning_rate, or take precision fp32; the epochs before are in log.jsonl."
        )


def build_optimizer(run: RunFile, network: nn.Module, device: torch.device) -> Optimizer:
    """The optimiser of the reading over the trained parameters, in its fused form where the
    device has one."""
    reading = run.reading
    parameters = [p for p in network.parameters() if p.requires_grad]
    fused = device.type in {"cpu", "cuda"}
    if reading.optimizer == "sgd":
        return SGD(
            parameters,
            lr=run.learning_rate,
            momentum=reading.momentum,
            weight_decay=reading.weight_decay,
            fused=fused,
        )
    kind = Adam if reading.optimizer == "adam" else AdamW
    return kind(parameters, lr=run.learning_rate, weight_decay=reading.weight_decay, fused=fused)
