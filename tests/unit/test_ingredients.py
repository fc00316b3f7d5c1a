"""What each ingredient of the engine gives: the steps compute the same, and the table compares."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from ingredients import contestants, table
from settings import Setting

CPU = torch.device("cpu")


def test_an_ingredient_is_held_against_the_step_before_and_what_is_tried_against_the_last():
    rates = {"plain loop": [100.0], "+ one": [150.0], "tried: another": [75.0], "+ two": [300.0]}
    setting = {"case": "scratch-32", "model": "resnet18", "precision": "fp32", "rates": rates}
    rows = {row[3]: row[5:] for row in table({"settings": [setting]}).rows}
    assert rows["+ one"] == ["1.50 (1.50–1.50)", "1.50 (1.50–1.50)"]
    assert rows["tried: another"] == ["0.75 (0.75–0.75)", "0.50 (0.50–0.50)"]
    assert rows["+ two"] == ["3.00 (3.00–3.00)", "2.00 (2.00–2.00)"]


def test_ingredients_compute_the_same_losses_as_the_plain_loop():
    setting = Setting("scratch-32", "resnet18", 4, 1, 1)
    losses = []
    for contestant in contestants(setting, "fp32", CPU)[:5]:
        [measure] = contestant.measure.args
        loop = measure.__self__
        loop.net.load_state_dict(losses[0][1] if losses else loop.net.state_dict())
        state = {name: tensor.clone() for name, tensor in loop.net.state_dict().items()}
        torch.manual_seed(0)
        losses.append((loop.train(), state))
    assert len(losses) == 5
    assert [loss for loss, _ in losses] == pytest.approx([losses[0][0]] * 5, rel=1e-4)
