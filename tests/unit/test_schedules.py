"""How the learning rate goes, iterations as the length of a training, images that are held out."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from crashed_runs import Crash, at_step, crash, train
from pydantic import ValidationError

from child_runs import Home
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.schemas.study.schedules import SCHEDULES, Moment
from resnet_sizes.training.engine.batches import FeatureData
from resnet_sizes.training.engine.loop import Trainer
from small_runs import CPU, run_of

IMAGES, CLASSES = 48, 4
STEPS = 3
"""Of an epoch, in batches of 16."""

PAPER: dict[str, Any] = {"schedule": "steps", "milestones": [3, 5], "factor": 0.1}


def trainer_of(run: RunFile) -> Trainer:
    """A last layer on features, whose first tells the image."""
    torch.manual_seed(0)
    labels = torch.arange(IMAGES) % CLASSES
    features = torch.randn(IMAGES, 8) + torch.nn.functional.one_hot(labels, 8)
    data = FeatureData(features, labels, features[:12], labels[:12])
    return Trainer(run, torch.nn.Linear(8, CLASSES), data, CPU)


def rates_of(**changes: Any) -> list[float]:
    """The learning rate of each step."""
    reading = {"optimizer": "sgd"} | changes.pop("reading")
    trainer = trainer_of(run_of(None, reading=reading, learning_rate=0.1, **changes))
    rates: list[float] = []
    list(trainer.epochs(lambda _: rates.append(trainer.optimizer.param_groups[0]["lr"])))
    return rates


def test_steps_divide_the_learning_rate_after_their_epochs() -> None:
    rates = rates_of(reading=PAPER | {"milestones": [1, 3]}, epochs=4)
    assert rates == pytest.approx([0.1] * STEPS + [0.01] * 2 * STEPS + [0.001] * STEPS)


def test_steps_divide_the_learning_rate_after_their_iterations() -> None:
    rates = rates_of(reading=PAPER, epochs=3, iterations=7)
    assert rates == pytest.approx([0.1] * 3 + [0.01] * 2 + [0.001] * 2)


def test_a_warm_up_ends_after_its_steps_and_the_schedule_has_gone_on() -> None:
    warmup = {"learning_rate": 0.02, "steps": 4}
    rates = rates_of(reading=PAPER | {"warmup": warmup}, epochs=3, iterations=7)
    assert rates == pytest.approx([0.02] * 4 + [0.01] + [0.001] * 2)


def test_a_warm_up_ends_after_the_first_epoch_with_so_small_an_error() -> None:
    reading = {"optimizer": "sgd", "warmup": {"learning_rate": 0.3, "until_train_error": 0.55}}
    trainer = trainer_of(run_of(None, reading=reading, learning_rate=0.1, epochs=8))
    rates: list[float] = []
    errors = [
        1 - metrics.train_accuracy
        for metrics, _ in trainer.epochs(
            lambda _: rates.append(trainer.optimizer.param_groups[0]["lr"])
        )
    ]
    first = next(number for number, error in enumerate(errors) if error < 0.55) + 1
    assert 1 <= first < 8
    assert rates == [0.3] * STEPS * first + [0.1] * STEPS * (8 - first)


def test_a_schedule_is_added_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def linear(moment: Moment) -> float:
        return 1 - moment.done / moment.epochs

    with pytest.raises(ValidationError, match=r"'linear'; allowed: constant, cosine, steps"):
        TrainingRecipe(schedule="linear")
    monkeypatch.setitem(SCHEDULES, "linear", linear)
    rates = rates_of(reading={"schedule": "linear"}, epochs=4)
    assert rates[::STEPS] == pytest.approx([0.1, 0.075, 0.05, 0.025])


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"schedule": "step"}, "'step'; allowed: constant"),
        ({"milestones": [3, 3]}, "3 stands twice"),
        ({"milestones": [0]}, "greater than or equal to 1"),
        ({"factor": 0}, "greater than 0"),
        ({"warmup": {"learning_rate": 0.01}}, "has one end"),
        ({"warmup": {"learning_rate": 0.01, "steps": 4, "until_train_error": 0.8}}, "one end"),
    ],
)
def test_wrong_keys_are_refused(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        TrainingRecipe(**keys)


def test_the_last_epoch_may_be_a_part_of_one() -> None:
    run = run_of(None, epochs=3, iterations=7)
    seen: list[torch.Tensor] = []
    trainer = trainer_of(run)
    compute = trainer._compute
    trainer._compute = lambda indices: (seen.append(indices), compute(indices))[1]  # type: ignore
    found = [metrics for metrics, _ in trainer.epochs(lambda _: None)]
    assert len(seen) == 7
    assert [metrics.epoch for metrics in found] == [1, 2, 3]
    assert [run.images_of(epoch, IMAGES) for epoch in (1, 2, 3)] == [48, 48, 16]
    whole = found[-1].train_accuracy * 16
    assert whole == pytest.approx(round(whole))
    # Those of an epoch that is whole are each image once.
    assert sorted(torch.cat(seen[:3]).tolist()) == list(range(IMAGES))


def test_images_that_are_held_out_are_not_trained_on() -> None:
    run = run_of(None, epochs=2, validation=12, subset_seed=3)
    trainer = trainer_of(run)
    seen: list[torch.Tensor] = []
    compute = trainer._compute
    trainer._compute = lambda indices: (seen.append(indices), compute(indices))[1]  # type: ignore
    found = [metrics for metrics, _ in trainer.epochs(lambda _: None)]

    held_out = trainer.validation.tolist()
    assert sorted({*held_out, *torch.cat(seen).tolist()}) == list(range(IMAGES))
    assert not set(held_out) & set(torch.cat(seen).tolist())
    assert np.bincount(trainer.data.train_labels[trainer.validation]).tolist() == [3, 3, 3, 3]
    assert all(metrics.validation_accuracy is not None for metrics in found)
    right = trainer.network(trainer.data.train_features[trainer.validation]).argmax(1)
    labels = trainer.data.train_labels[trainer.validation]
    assert found[-1].validation_accuracy == right.eq(labels).sum().item() / 12
    other = run.model_copy(update={"subset_seed": 4})
    assert trainer_of(other).validation.tolist() != held_out
    with pytest.raises(UserError, match=r"training\.validation: is 52, which needs 13"):
        trainer_of(run.model_copy(update={"validation": 52, "subset_seed": 0}))


@pytest.mark.parametrize("step", [2, 4, 6, 8])
def test_such_a_run_goes_on_and_ends_as_if_it_had_not_crashed(tmp_path, monkeypatch, step):
    reading = {
        "weights": "backbone.pth",
        "trainable": "head",
        "optimizer": "sgd",
        **PAPER,
        "warmup": {"learning_rate": 0.02, "until_train_error": 0.45},
    }
    home = Home.of_probe(
        tmp_path / "home",
        reading=reading,
        epochs=3,
        iterations=8,
        learning_rate=0.1,
        validation=8,
        subset_seed=0,
    )
    whole = home.copy_to(tmp_path / "whole")
    assert len(train(whole).epochs) == 3
    with monkeypatch.context() as patch:
        at_step(patch, step, crash)
        with pytest.raises(Crash):
            train(home)
    assert train(home).resumed == 1
    assert home.result() == whole.result()
    lines = [json.loads(line) for line in home.files.log.read_text().splitlines()]
    assert all(0 <= line["validation_accuracy"] <= 1 for line in lines)
