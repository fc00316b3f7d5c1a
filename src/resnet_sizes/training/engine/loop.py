"""The training loop: one run, epoch by epoch."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.optim import SGD, Adam, AdamW, Optimizer

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.metrics import EpochMetrics
from resnet_sizes.schemas.run.progress import CheckpointRecord
from resnet_sizes.schemas.run.run import RunFile, batches_per_epoch
from resnet_sizes.schemas.run.subset import balanced_subset
from resnet_sizes.schemas.study.schedules import SCHEDULES, Moment
from resnet_sizes.training.engine import state
from resnet_sizes.training.engine.batches import (
    Data,
    epoch_generator,
    evaluation_batch,
    shuffled_batches,
)
from resnet_sizes.training.engine.clock import Clock
from resnet_sizes.training.engine.numerics import autocast, compiled
from resnet_sizes.training.engine.step_graph import CudaRecorder, StepGraph
from resnet_sizes.training.tensor_files import Tensors

log = logging.getLogger("resnet_sizes")

StepDone = Callable[[torch.Tensor], object]
"""Called after each step with its mean loss, a float32 scalar on the device."""

BatchDone = Callable[[], object]
"""Called after each batch of an evaluation."""


@dataclass
class Trainer:
    """All that one run trains with: the whole network and images, or the head alone and what the
    frozen rest of the network has made of them, the features. `network` is changed in place."""

    run: RunFile
    network: nn.Module
    data: Data
    device: torch.device

    def __post_init__(self) -> None:
        recipe = self.run.reading
        self.optimizer = build_optimizer(self.run, self.network, self.device)
        self._clock = Clock(self.device)
        self._inputs = self.data.inputs(self.run)
        self._forward = compiled(self.network, self.run.compile_mode, self._clock)
        self._in_precision = autocast(self.run.precision, self.device)
        # float16 has so few exponents that small gradients vanish unless they are scaled up.
        self._scaler = torch.amp.GradScaler(self.device.type, enabled=self.run.precision == "fp16")
        images = len(self.data.train_labels)
        self.in_epoch = batches_per_epoch(images - self.run.validation, self.run.batch_size)
        """Steps of a whole epoch."""
        self.steps = self.run.steps(images)
        """Steps of the whole training."""
        self.validation: torch.Tensor | None = None
        """Indices of the training images that are held out, int64 `[N]` on the device."""
        if self.run.validation:
            self.validation, self._trained = self._split()
        self._train_errors: list[float] = []  # of the epochs that are done
        # Of a frozen backbone in eval mode nothing may move, its running statistics included.
        self._whole_in_eval = recipe.trainable == "head" and recipe.frozen_batch_norm == "eval"
        self._graph = self._step_graph()
        self.epoch = state.Epoch(1)
        """The epoch under way, or the next one."""

    def _split(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Indices of the training images that are held out, and of the others."""
        labels, seed = self.data.train_labels.cpu().numpy(), self.run.subset_seed or 0
        names = [str(label) for label in range(labels.max() + 1)]
        held_out = balanced_subset(labels, names, self.run.validation, seed, "validation")
        others = np.setdiff1d(np.arange(len(labels)), held_out)
        return torch.from_numpy(held_out).to(self.device), torch.from_numpy(others).to(self.device)

    def tensors(self) -> Tensors:
        """All state that is tensors, copied to the CPU: to be asked for between two steps."""
        return (
            state.network_tensors(self.network)
            | state.optimizer_tensors(self.optimizer)
            | state.epoch_tensors(self.epoch)
            | state.random_tensors(self.device)
        )

    def numbers(self) -> dict[str, Any]:
        """The rest of the state, as `CheckpointRecord` names it."""
        under_way = self.epoch.generator is not None and not self.epoch.trained
        return {
            "epoch": self.epoch.number,
            "step": self.epoch.step,
            "seconds": self._clock.so_far() if under_way else self.epoch.seconds,
            "learning_rates": [group["lr"] for group in self.optimizer.param_groups],
            "scaler": self._scaler.state_dict() or None,
            "preparation_seconds": self.preparation_seconds,
        }

    def restore(self, record: CheckpointRecord, tensors: Tensors) -> None:
        """Go back to where a checkpoint was written."""
        state.restore_network(self.network, tensors)
        state.restore_optimizer(self.optimizer, tensors)
        state.restore_random(tensors, self.device)
        self._train_errors = [1 - epoch.train_accuracy for epoch in record.history]
        if record.scaler:
            self._scaler.load_state_dict(record.scaler)
        self._clock.preparation = record.preparation_seconds
        if self._graph:
            self._graph.forget()
        self.epoch = state.restored_epoch(
            record.epoch, record.step, record.seconds, tensors, self.device
        )

    @property
    def preparation_seconds(self) -> float:
        """Time of compiling and recording, which is in no other time; of all attempts."""
        return self._clock.preparation

    def pause(self) -> AbstractContextManager[None]:
        """A block whose time is no training time."""
        return self._clock.pause()

    def epochs(
        self, step_done: StepDone, batch_done: BatchDone = lambda: None
    ) -> Iterator[tuple[EpochMetrics, torch.Tensor]]:
        """Train and evaluate from `epoch` on; after each epoch its metrics and the test logits.

        Logits are float32 `[N_test, classes]` on the CPU. `step_done`, and `batch_done` in the
        evaluation, may raise to stop there. Raises UserError when a loss is not finite.
        """
        while self.epoch.number <= self.run.epochs:
            number = self.epoch.number
            # Warming up counts once per attempt: a resumed run has more of it.
            with self._clock.span(before=self.epoch.seconds):
                loss, accuracy = self._train_epoch(self.epoch, step_done)
            training_seconds = self.epoch.seconds = self._clock.seconds
            self.epoch.trained = True
            self._train_errors.append(1 - accuracy)
            with self._clock.span():
                logits = self.test_logits(batch_done)
                validation_accuracy = self._validation_accuracy(batch_done)
            labels = self.data.test_labels
            test_loss = functional.cross_entropy(logits, labels)
            self._stop_unless_finite(test_loss, number)
            metrics = EpochMetrics(
                epoch=number,
                train_loss=loss,
                train_accuracy=accuracy,
                test_loss=test_loss.item(),
                test_accuracy=_accuracy(logits, labels),
                validation_accuracy=validation_accuracy,
                training_seconds=training_seconds,
                evaluation_seconds=self._clock.seconds,
            )
            self.epoch = state.Epoch(number + 1)
            yield metrics, logits.cpu()

    def _train_epoch(self, epoch: state.Epoch, step_done: StepDone) -> tuple[float, float]:
        """Mean loss and accuracy over the epoch's steps, each image under the weights of its
        own step, as a notebook's running loss is."""
        self.network.train(not self._whole_in_eval)
        generator = epoch_generator(self.run.seed, epoch.number)
        count = len(self.data.train_labels) - self.run.validation
        whole = shuffled_batches(count, self.run.batch_size, generator, self.device)
        batches = islice(whole, self.steps - (epoch.number - 1) * self.in_epoch)
        sizes = [len(indices) for indices in islice(batches, epoch.step)]
        if epoch.random is not None:
            generator.set_state(epoch.random)
        epoch.generator = generator
        # Losses and counts stay on the device: reading them in each step would stop it each time.
        losses = epoch.losses
        correct = epoch.correct
        if correct is None:
            correct = epoch.correct = torch.zeros((), dtype=torch.int64, device=self.device)
        for indices in batches:
            loss, step_correct = self._step(indices, generator)
            losses.append(loss)
            correct += step_correct
            sizes.append(len(indices))
            if self.device.type == "cpu":  # where looking costs nothing, stop at once
                self._stop_unless_finite(loss, epoch.number, len(losses))
            epoch.step = len(losses)
            step_done(loss)
        by_step = torch.stack(losses).cpu().double()  # MPS has no float64
        for step in (~torch.isfinite(by_step)).nonzero().flatten()[:1].tolist():
            self._stop_unless_finite(by_step[step], epoch.number, step + 1)
        images = sum(sizes)
        weighted = by_step @ torch.tensor(sizes, dtype=torch.float64)
        return weighted.item() / images, correct.item() / images

    def _step_graph(self) -> StepGraph | None:
        if self.run.compile_mode != "cuda-graph":
            return None
        if self.data.in_host_memory:
            log.warning(
                "%s: its steps are not recorded as a CUDA graph, since its features lie in the "
                "host's memory; results are the same",
                self.run.name,
            )
            return None
        return StepGraph(self._compute, CudaRecorder(self.device), self._clock)

    def _step(
        self, indices: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One step of the optimiser: the batch's mean loss and its correct answers."""
        drawn = self._inputs.draw(len(indices), generator)
        if self.validation is not None:
            indices = self._trained[indices]
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        if self._graph is None:
            return self._compute(indices, *drawn)
        rates = [group["lr"] for group in self.optimizer.param_groups]
        return self._graph(rates, indices, *drawn)

    def _learning_rate(self) -> float:
        """Of the next step, by those before it and by the errors that a warm-up waits for."""
        run, recipe, epoch = self.run, self.run.reading, self.epoch
        steps = (epoch.number - 1) * self.in_epoch + epoch.step
        if recipe.warmup and recipe.warmup.is_on(steps, self._train_errors[: epoch.number - 1]):
            return recipe.warmup.learning_rate
        done = steps if run.iterations else epoch.number - 1
        moment = Moment(epoch.number, run.epochs, done, recipe.milestones, recipe.factor)
        return run.learning_rate * SCHEDULES[recipe.schedule](moment)

    def _compute(
        self, indices: torch.Tensor, *drawn: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The step's work on the device, which is never waited for."""
        inputs, labels = self._inputs.train(indices, *drawn), self.data.train_labels[indices]
        loss = torch.zeros((), device=self.device)
        correct = torch.zeros((), dtype=torch.int64, device=self.device)
        # Batch normalisation cannot normalise one value, so each part has two images or more.
        parts = min(self.run.gradient_accumulation, max(1, len(indices) // 2))
        self.optimizer.zero_grad(set_to_none=True)
        shares = zip(inputs.tensor_split(parts), labels.tensor_split(parts), strict=True)
        for part, part_labels in shares:
            with self._in_precision():
                logits = self._forward(part)
            part_loss = functional.cross_entropy(logits.float(), part_labels)
            if parts > 1:  # the mean over the batch is the sum of the parts' shares in it
                part_loss = part_loss * (len(part_labels) / len(labels))
            self._scaler.scale(part_loss).backward()  # type: ignore[no-untyped-call]
            loss += part_loss.detach()
            correct += logits.detach().argmax(1).eq(part_labels).sum()
        self._scaler.step(self.optimizer)
        self._scaler.update()
        return loss, correct

    @torch.inference_mode()
    def test_logits(self, batch_done: BatchDone = lambda: None) -> torch.Tensor:
        """Outputs on the test images, float32 `[N_test, classes]` on the device."""
        return self._logits(self._inputs.test(self.run.evaluation_batch_size), batch_done)

    def _logits(self, batches: Iterator[torch.Tensor], batch_done: BatchDone) -> torch.Tensor:
        self.network.eval()
        parts = []
        for inputs in batches:
            with self._in_precision():
                # A copy: the outputs of a recorded CUDA graph last until its next replay.
                parts.append(self._forward(inputs).to(torch.float32, copy=True))
            batch_done()
        return torch.cat(parts)

    @torch.inference_mode()
    def _validation_accuracy(self, batch_done: BatchDone) -> float | None:
        """On the images that are held out, as they are; None where there are none."""
        if self.validation is None:
            return None
        run = self.run
        size = evaluation_batch(run.evaluation_batch_size, run.reading.input_size)
        batches = map(self._inputs.train, torch.split(self.validation, size))
        return _accuracy(self._logits(batches, batch_done), self.data.train_labels[self.validation])

    def _stop_unless_finite(self, loss: torch.Tensor, epoch: int, step: int | None = None) -> None:
        """Raise UserError for a loss of a step, or of the test images after an epoch."""
        if torch.isfinite(loss):
            return
        rate, precision = self.optimizer.param_groups[0]["lr"], self.run.precision
        # All words stand in the raise itself: the training hash passes over it.
        raise UserError(
            f"{self.run.name}: the {'training' if step else 'test'} loss "
            f"{f'in epoch {epoch}, step {step},' if step else f'after epoch {epoch}'} is "
            f"{loss.item()} (learning rate {rate:g}, precision {precision}). Lower "
            f"training.learning_rate{'' if precision == 'fp32' else ', or take precision fp32'}, "
            "and run the same command again; the epochs before are in log.jsonl."
        )


def _accuracy(logits: torch.Tensor, labels: torch.Tensor) -> float:
    return logits.argmax(1).eq(labels).sum().item() / len(labels)


def build_optimizer(run: RunFile, network: nn.Module, device: torch.device) -> Optimizer:
    """The recipe's optimiser over the trained parameters, fused where the device has that form."""
    recipe = run.reading
    parameters = [p for p in network.parameters() if p.requires_grad]
    fused = device.type in {"cpu", "cuda"}
    if recipe.optimizer == "sgd":
        return SGD(
            parameters,
            lr=run.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            fused=fused,
        )
    kind = Adam if recipe.optimizer == "adam" else AdamW
    return kind(
        parameters,
        lr=run.learning_rate,
        weight_decay=recipe.weight_decay,
        fused=fused,
        capturable=run.compile_mode == "cuda-graph",
    )
