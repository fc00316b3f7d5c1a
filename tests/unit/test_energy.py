"""Joules of a run: exactly what the counters gained, in all attempts, or nothing at all."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch
from report_studies import in_both_languages, table_row
from synthetic import make_study

from pretend_gpus import LIBRARY, PretendGpus, uuid
from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.schemas.paths import RunFolder, StudyFolder
from resnet_sizes.schemas.run.metrics import Energy
from resnet_sizes.training.devices import energy
from resnet_sizes.training.devices.energy import energy_meter
from resnet_sizes.training.devices.gpus import Gpu, Nvml
from small_runs import run_of, small_dataset, train_run


@pytest.fixture
def nvml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nvml:
    """The pretend library, whose GPUs `PretendGpus(tmp_path)` sets."""
    monkeypatch.setenv("PRETEND_GPUS", str(PretendGpus(tmp_path).file))
    spec = importlib.util.spec_from_file_location("pretend", LIBRARY / "pynvml.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Nvml(module)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as Linux has it for a machine with two processors."""
    monkeypatch.setattr(energy, "POWERCAP", tmp_path)
    for name in ("intel-rapl:0", "intel-rapl:0:0", "intel-rapl:1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "max_energy_range_uj").write_text("1000000000\n")
    (tmp_path / "intel-rapl").mkdir()
    return tmp_path


def count(packages: Path, **joules: float) -> None:
    for number, name in enumerate(("first", "second")):
        path = packages / f"intel-rapl:{number}/energy_uj"
        path.write_text(f"{round(joules[name] * 1e6)}\n")


def test_a_gpu_has_taken_what_its_counter_gained(nvml: Nvml, tmp_path: Path) -> None:
    machine, gpu = PretendGpus(tmp_path), Gpu(0, uuid("a"))
    machine.are({"uuid": uuid("a"), "joules": 5_000_000.5})
    meter = energy_meter("cuda", nvml, gpu)
    machine.are({"uuid": uuid("a"), "joules": 5_000_250.75})
    assert meter.look() == Energy(joules=250.25, source="nvml")
    machine.are({"uuid": uuid("a"), "joules": 5_001_000.5})
    assert meter.look() == Energy(joules=1000.0, source="nvml")


def test_a_gpu_that_does_not_count_or_whose_driver_came_anew_gives_nothing(
    nvml: Nvml, tmp_path: Path
) -> None:
    machine, gpu = PretendGpus(tmp_path), Gpu(0, uuid("a"))
    machine.are("a")
    assert energy_meter("cuda", nvml, gpu).look() is None
    machine.are({"uuid": uuid("a"), "joules": 900})
    meter = energy_meter("cuda", nvml, gpu)
    machine.are({"uuid": uuid("a"), "joules": 3})
    assert meter.look() is None
    machine.are({"uuid": uuid("a"), "joules": 4})
    assert meter.look() is None
    assert energy_meter("cuda", None, gpu).look() is None


def test_processors_are_added_up_and_their_counters_may_begin_again(packages: Path) -> None:
    count(packages, first=10, second=990)
    meter = energy_meter("cpu", None, None)
    count(packages, first=15, second=4)
    assert meter.look() == Energy(joules=5 + 14, source="rapl")
    count(packages, first=16, second=5)
    assert meter.look() == Energy(joules=21, source="rapl")


def test_counters_that_may_not_be_read_give_nothing(packages: Path) -> None:
    assert energy_meter("cpu", None, None).look() is None
    count(packages, first=1, second=1)
    meter = energy_meter("cpu", None, None)
    (packages / "intel-rapl:1/energy_uj").unlink()
    assert meter.look() is None


def test_attempts_are_added_up_where_each_was_measured_alike(packages: Path) -> None:
    count(packages, first=0, second=0)
    before = {
        "alike": (Energy(joules=100, source="rapl"), Energy(joules=103, source="rapl")),
        "on a GPU": (Energy(joules=100, source="nvml"), None),
        "unknown": (None, None),
    }
    for kept, expected in before.values():
        count(packages, first=0, second=0)
        meter = energy_meter("cpu", None, None)
        meter.resume_from(kept)
        count(packages, first=1, second=2)
        assert meter.look() == expected


@pytest.mark.parametrize("counted", [True, False])
def test_a_run_tells_its_energy(
    tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch, counted: bool
) -> None:
    if counted:
        count(packages, first=7, second=0)
        step = torch.optim.Adam.step

        def takes_a_joule(*arguments, **options):
            first = int((packages / "intel-rapl:0/energy_uj").read_text()) / 1e6
            count(packages, first=first + 1, second=0)
            return step(*arguments, **options)

        monkeypatch.setattr(torch.optim.Adam, "step", takes_a_joule)
    dataset = small_dataset(tmp_path / "data")
    run = run_of(dataset)
    metrics = train_run(run, dataset, RunFolder(tmp_path / "run"), "cpu")
    steps = -(-48 // run.batch_size) * run.epochs
    assert metrics.energy == (Energy(joules=steps, source="rapl") if counted else None)


def test_the_table_of_costs_has_a_column_where_any_run_was_measured(tmp_path: Path) -> None:
    study = make_study(tmp_path, seeds=(0, 1))
    folder = StudyFolder.of_file(study)
    for seed, joules in ((0, 3600 * 40), (1, 3600 * 50)):
        path = folder.folder / f"runs/scratch-32/resnet18/seed-{seed}/metrics.json"
        measured = json.loads(path.read_text()) | {"energy": {"joules": joules, "source": "nvml"}}
        path.write_text(json.dumps(measured))
    build_evidence(study, folder.evidence, allow_partial=False)
    texts = in_both_languages(read_inputs(study, folder.evidence))
    for language, (head, without) in {
        "pt": ("Energia", "não medida"), "en": ("Energy", "not measured")
    }.items():  # fmt: skip
        costs = texts[language].split("{#tbl-custo}")[0].split("\n\n")[-2]
        assert costs.splitlines()[0].endswith(f"| {head} |")
        assert table_row(costs, "ResNet-18")[-1].endswith("Wh")
        assert "45" in table_row(costs, "ResNet-18")[-1]
        assert table_row(costs, "ResNet-50")[-1] == without
