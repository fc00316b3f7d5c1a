"""The benchmarks' code: it runs on tiny settings, and its tables say what was measured."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from contest import Contestant, take_turns
from engine import executed_macs
from figures import best_notebook, frozen_seconds, ratio, together
from notebook_loop import NotebookLoop, images_needed
from plain_loop import PlainLoop
from profile_step import group_of
from settings import MODELS, Setting, full_plan, noise_images
from tables import document, growth_table, other_ways_table, share_table, speed_table, spread_text

from copied_process import copied
from resnet_sizes.training.engine.networks import macs_per_image

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
CPU = torch.device("cpu")


def call(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return copied().run(list(arguments), Path.cwd(), BENCHMARKS / script)


def call_in_new_python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """For what starts processes of its own. torch's compiler, which would take minutes, hands
    functions back as they are."""
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    environment = os.environ | {"TORCHDYNAMO_DISABLE": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.mark.long
def test_one_command_measures_everything_and_keeps_samples_and_tables(tmp_path):
    base = tmp_path / "made" / "here"
    options = ("--quick", "--device", "cpu", "--models", "resnet18", "--out", str(base))
    done = call_in_new_python("run.py", *options)
    assert done.returncode == 0, done.stderr
    result = json.loads(base.with_suffix(".json").read_text(encoding="utf-8"))
    assert [setting["case"] for setting in result["settings"]] == ["scratch-32", "frozen-224"]
    for setting in result["settings"]:
        rates = setting["rates"]
        assert {"notebook/0", "notebook/1", "notebook/2", "plain/fp32", "ours/fp32"} < set(rates)
        assert len(rates["ours/fp32"]) == len(rates["plain/fp32"]) == setting["rounds"]
        assert all(rate > 0 for samples in rates.values() for rate in samples)
        assert ("compiled/fp32" in rates) == (setting["case"] == "scratch-32")
    assert (
        result["frozen_runs"][0]["training_seconds"] > result["frozen_runs"][0]["forward_seconds"]
    )
    assert result["growth"][0]["peak_memory_bytes"] > result["growth"][0]["idle_memory_bytes"] > 0
    text = base.with_suffix(".md").read_text(encoding="utf-8")
    for part in ("Speed of training", "50 epochs", "Share of the device's peak", "How cost grows"):
        assert part in text
        assert part in done.stdout
    for fact in (torch.__version__.split("+")[0], result["machine"]["name"], "1 threads"):
        assert fact in text
    assert [path.name for path in sorted(base.parent.iterdir())] == ["here.json", "here.md"]


def test_a_profile_shares_the_whole_step_out_to_its_groups():
    done = call(
        "profile_step.py", "--device", "cpu", "--batch-size", "4", "--steps", "1", "--markdown"
    )
    assert done.returncode == 0, done.stderr
    lines = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if "|" in line]
    header, _, *rows = lines
    cells = {row[0]: dict(zip(header[1::2], map(float, row[1::2]), strict=True)) for row in rows}
    for loop in ("plain loop, ms", "engine, ms"):
        total = cells.pop("all") if loop == "engine, ms" else cells["all"]
        parts = [row[loop] for name, row in cells.items() if name != "all"]
        assert sum(parts) == pytest.approx(total[loop], abs=0.05 * len(parts) + 0.1)
        assert cells["convolutions and matrix products, backward"][loop] > 0
        assert cells["optimiser"][loop] > 0


def test_an_unknown_network_is_told_with_those_that_can_be_measured():
    done = call("run.py", "--quick", "--models", "resnet18,resnet19")
    assert done.returncode == 1
    assert done.stderr == (
        "error: --models: found 'resnet18,resnet19'; allowed: resnet18, resnet50, resnet152.\n"
    )


def test_contestants_take_turns_and_slow_alternatives_drop_out():
    calls: list[str] = []

    def contestant(name: str, seconds: float) -> Contestant:
        settles = name not in ("a", "b", "c")
        return Contestant(name, 10, lambda: calls.append(name) or seconds, settles)

    contestants = [
        contestant("a", 1),
        contestant("b", 1.01),
        contestant("c", 2),
        contestant("d", 4),
    ]
    rates = take_turns(contestants, rounds=3, warm_ups=1, alternatives=["a", "b", "c"])
    assert "".join(calls) == "d" + "abcdd" + "abdd" + "abdd"
    assert rates == {"a": [10] * 3, "b": [10 / 1.01] * 3, "c": [5], "d": [2.5] * 3}


def test_the_best_notebook_is_one_that_was_measured_in_every_round():
    rates = {"notebook/0": [9.0, 8.0], "notebook/1": [10.0, 6.0], "notebook/2": [30.0], "x": [99.0]}
    assert best_notebook(rates) == "notebook/0"


def test_a_ratio_is_of_medians_and_its_spread_within_rounds():
    found = ratio([2.0, 6.0, 4.0], [1.0, 2.0, 4.0])
    assert (found.median, found.low, found.high) == (2.0, 1.0, 3.0)


def test_networks_together_take_the_sum_of_their_times():
    assert together([[10.0, 20.0], [30.0, 20.0]]) == [15.0, 20.0]


def setting_result(case: str, model: str, **rates: list[float]) -> dict:
    return {
        "case": case,
        "model": model,
        "passes": 1 if case == "frozen-224" else 3,
        "macs_per_image": 1_000_000,
        "executed_macs_per_image": 500_000 if case == "frozen-224" else 1_500_000,
        "compiled": {"fp32": "none", "bf16": "reduce-overhead"},
        "rates": {label.replace("_", "/"): values for label, values in rates.items()},
    }


@pytest.fixture
def result() -> dict:
    """A measurement with round numbers, of a device that has a faster precision."""
    rates = {
        "notebook_0": [100.0, 100.0, 120.0],
        "notebook_2": [50.0],
        "plain_fp32": [110.0, 110.0, 110.0],
        "ours_fp32": [150.0, 200.0, 240.0],
        "product_fp32": [1e9, 1e9, 1e9],
        "plain_bf16": [150.0, 150.0, 150.0],
        "ours_bf16": [400.0, 400.0, 400.0],
        "product_bf16": [2e9, 2e9, 2e9],
    }
    start = {"case": "scratch-32", "model": "resnet18", "train_images": 512, "input_size": 32}
    start |= {"varied": "start", "value": "", "epochs": 2, "training_seconds": 4.0}
    start |= {"training_samples": [4.0], "last_epoch_seconds": 1.5}
    start |= {"peak_memory_bytes": 2**30, "idle_memory_bytes": 2**29}
    more = {"varied": "images", "value": 1024, "training_seconds": 6.0}
    more |= {"training_samples": [5.0, 6.0, 7.0]}
    run = {"model": "resnet18", "precision": "bf16", "train_images": 512, "epochs": 50}
    run |= {"notebook_epoch_seconds": 10.0, "training_seconds": 20.0, "wall_seconds": 25.0}
    return {
        "machine": {
            "name": "Some CPU",
            "device": "cpu",
            "date": "2026-11-24",
            "started": "2026-11-24T00:00:00Z",
            "memory_bytes": 2**34,
            "threads": 2,
            "cores": 4,
            "instructions": "AVX2",
            "system": "Linux",
            "versions": {"torch": "2.14.1"},
            "git_commit": "abc",
            "git_dirty": True,
        },
        "quick": False,
        "choices": {"compile": "auto"},
        "precisions": ["fp32", "bf16"],
        "product_size": 2048,
        "settings": [
            setting_result("scratch-32", "resnet18", **rates),
            setting_result("scratch-32", "resnet50", **rates),
            setting_result("frozen-224", "resnet18", **rates),
        ],
        "heads": {"resnet18": {"fp32": [1e4], "bf16": [2e4]}},
        "frozen_runs": [run],
        "growth_precision": "bf16",
        "growth_batch_size": 256,
        "growth": [start, start | more],
        "seconds": 60.0,
    }


def test_precisions_have_rows_of_their_own_against_the_notebook_in_fp32(result):
    rows = [row for row in speed_table(result).rows if row[1] == "resnet18"]
    assert [row[:4] for row in rows] == [
        ["scratch-32", "resnet18", "fp32", "0 workers"],
        ["scratch-32", "resnet18", "bf16", "0 workers"],
        ["frozen-224", "resnet18", "fp32", "0 workers"],
        ["frozen-224", "resnet18", "bf16", "0 workers"],
    ]
    assert rows[0][4:8] == [
        *("100 (100–120)", "110 (110–110)", "200 (150–240)", "2.00 (1.50–2.00)"),
    ]
    assert rows[1][7] == "4.00 (3.33–4.00)"


def test_other_ways_stand_beside_ours_of_the_same_precision(result):
    assert other_ways_table(result).rows == []
    result["settings"][0]["rates"]["compiled/bf16"] = [200.0, 200.0, 100.0]
    [row] = other_ways_table(result).rows
    ours = result["settings"][0]["rates"]["ours/bf16"]
    assert row[:5] == ["scratch-32", "resnet18", "bf16", "compiled", "200 (100–200)"]
    assert row[6] == spread_text(ratio(ours, [200.0, 200.0, 100.0]))


def test_networks_of_a_case_have_a_row_together(result):
    rows = [row for row in speed_table(result).rows if row[1] == "together"]
    assert [row[2] for row in rows] == ["fp32", "bf16"]
    assert rows[0][4] == "100 (100–120)"


def test_a_device_without_a_faster_precision_is_said_to_have_none(result):
    result["precisions"] = ["fp32"]
    table = speed_table(result)
    assert {row[2] for row in table.rows} == {"fp32 = fastest"}
    assert any("no faster precision" in note for note in table.notes)
    assert not any("bf16" in note for note in table.notes)


def test_a_frozen_run_is_one_pass_and_the_head_against_a_pass_in_each_epoch(result):
    setting = result["settings"][2]
    seconds = frozen_seconds(result, setting, "fp32", images=1000, epochs=50)
    assert seconds["notebook"] == 50 * 1000 / 100
    assert seconds["plain"] == pytest.approx(50 * 1000 / 110)
    assert seconds["ours"] == 1000 / 200 + 50 * 1000 / 1e4


def test_a_share_of_the_peak_counts_three_passes_where_all_is_trained(result):
    shares = {(row[0], row[2]): row[6] for row in share_table(result).rows}
    assert shares["scratch-32", "fp32"] == "60.0 % (45.0–72.0)"
    assert shares["frozen-224", "fp32"] == "20.0 % (15.0–24.0)"
    assert shares["scratch-32", "bf16"] == "60.0 % (60.0–60.0)"


def test_a_share_of_the_peak_is_told_of_the_executed_products_too(result):
    executed = {(row[0], row[2]): row[7:] for row in share_table(result).rows}
    assert executed["scratch-32", "fp32"] == ["50%", "30.0 % (22.5–36.0)"]
    assert executed["frozen-224", "fp32"] == ["50%", "10.0 % (7.5–12.0)"]


def test_on_a_cpu_products_with_padding_are_not_executed():
    small, large = (Setting(case, "resnet18", 2, 1, 1) for case in ("scratch-32", "frozen-224"))
    nominal = [
        setting.passes * macs_per_image(setting.model, setting.recipe, 10)
        for setting in (small, large)
    ]
    shares = [executed_macs(s, CPU) / macs for s, macs in zip((small, large), nominal, strict=True)]
    assert 0.6 < shares[0] < 0.8
    assert shares[1] == pytest.approx(1, abs=0.02)


def test_growth_is_told_against_the_first_row(result):
    rows = growth_table(result).rows
    more = ["scratch-32", "images: 1024", "6.00 (5.00–7.00)", "1.50", "1.500", "1,024", "512"]
    assert rows[1] == more


def test_the_markdown_names_the_machine_and_marks_what_was_computed(result):
    text = document(result)
    for part in ("Some CPU", "16 GiB", "2 threads", "torch 2.14.1", "git abc with changes"):
        assert part in text
    assert "| resnet18 | bf16 | measured whole | 512 | 8.3 min (one epoch × 50) |" in text
    assert "| resnet18 | fp32 | computed | 5000 |" in text
    assert "Compiled (reduce-overhead): scratch-32 resnet18 bf16, scratch-32 resnet50 bf16," in text


@pytest.mark.parametrize("loop", ["notebook", "plain"])
def test_a_rival_trains_the_head_alone_where_the_backbone_is_frozen(loop):
    setting = Setting("frozen-224", "resnet18", 2, 1, 1)
    arrays = noise_images(images_needed(setting), 2)
    torch.manual_seed(0)
    if loop == "notebook":
        rival = NotebookLoop(setting, arrays, CPU)
        before = {name: value.clone() for name, value in rival.net.state_dict().items()}
        seconds = rival.measure(workers=0)
    else:
        rival = PlainLoop(setting, arrays, CPU)
        before = {name: value.clone() for name, value in rival.net.state_dict().items()}
        seconds = rival.measure()
    assert seconds > 0
    changed = {k for k, value in rival.net.state_dict().items() if not value.equal(before[k])}
    assert changed == {"fc.weight", "fc.bias"}


def test_both_rivals_feed_the_same_pixels_to_the_network():
    setting = Setting("scratch-32", "resnet18", 2, 1, 1)
    arrays = noise_images(images_needed(setting), 2)
    plain = PlainLoop(setting, arrays, CPU)
    image, label = NotebookLoop(setting, arrays, CPU).dataset[1]
    torch.testing.assert_close(plain._prepared(plain.images[1:2])[0], image)
    assert label == plain.labels[1]


def test_the_full_plan_measures_each_network_under_each_case():
    for device in (CPU, torch.device("cuda")):
        plan = full_plan(device, MODELS)
        found = [(setting.case, setting.model) for setting in plan.settings]
        assert found == [(c, m) for c in ("scratch-32", "frozen-224") for m in MODELS]
        assert all(setting.rounds >= 3 for setting in plan.settings)


def test_work_in_a_backward_pass_belongs_to_the_layer_it_comes_from():
    class Event:
        def __init__(self, name: str, parent: "Event | None" = None) -> None:
            self.name, self.cpu_parent = name, parent

    node = Event("autograd::engine::evaluate_function: ConvolutionBackward0")
    assert group_of(Event("aten::mm", node)) == "convolutions and matrix products, backward"
    forward = Event("aten::mkldnn_convolution", Event("aten::conv2d"))
    assert group_of(forward) == "convolutions and matrix products, forward"
    filling = Event("aten::fill_", Event("aten::empty", Event("aten::conv2d")))
    assert group_of(filling) == "filling new memory (deterministic mode)"


def test_the_time_of_many_runs_is_measured_on_few(tmp_path):
    done = call("digest_runs.py", "--seeds", "2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("42 runs, ")
