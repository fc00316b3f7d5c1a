"""GPUs that torch does not see or has no code for: told before any training, or passed over."""

import os
from pathlib import Path

import pytest
import torch

from child_runs import Home
from pretend_gpus import PretendGpus, outside_of_jobs, uuid

RUN = {"images": 48, "epochs": 1}

V100 = {"uuid": uuid("a"), "name": "Tesla V100", "capability": [7, 0], "memory": 32}
T4 = {"uuid": uuid("b"), "name": "Tesla T4", "capability": [7, 5], "memory": 16}

BUILT_FOR_CUDA = pytest.mark.skipif(torch.version.cuda is None, reason="a torch without CUDA")
REMEDY = "To train on the CPU all the same, set training.device to cpu: in the study, or"


@pytest.fixture
def gpus(tmp_path: Path) -> PretendGpus:
    return PretendGpus(tmp_path / "machine")


def said_by(home: Home, device: str, gpus: PretendGpus, driver: str = "580.95.05") -> str:
    """What a run says that ends before it trains, on a machine whose GPUs torch does not see."""

    def enter() -> None:
        gpus.enter(on_cpu=False)
        os.environ["PRETEND_DRIVER"] = driver

    process = home.fork("--device", device, before=enter)
    process.join(60)
    assert process.exitcode == 1, home.said()
    assert not home.files.metrics.exists()
    return home.said()


@BUILT_FOR_CUDA
@pytest.mark.parametrize("device", ["auto", "cuda", "cuda:0"])
def test_a_gpu_without_code_in_torch_ends_the_run_with_what_would_run(
    gpus: PretendGpus, home: Home, device: str
) -> None:
    gpus.are(V100)
    said = said_by(home, device, gpus)
    assert f"no code for GPU 0 (Tesla V100, {uuid('a')}), of compute capability 7.0; it has" in said
    assert "7.5, 8.0" in said
    assert "pip install torch==" in said
    assert "--index-url https://download.pytorch.org/whl/cu126. " + REMEDY in said
    assert "takes GPU" not in said


@BUILT_FOR_CUDA
def test_a_gpu_without_code_in_torch_is_passed_over_where_another_is(gpus: PretendGpus) -> None:
    gpus.are(V100, T4 | {"processes": {"4": "other"}})
    record = gpus.hold("run", seconds=0).record()
    assert record["visible"] == uuid("b")
    gpus.are(T4, V100 | {"capability": [30, 0]})
    assert gpus.hold("other", seconds=0).record()["visible"] == uuid("b"), "too new"


@BUILT_FOR_CUDA
def test_a_driver_that_is_too_old_is_told_with_the_one_that_is_needed(
    gpus: PretendGpus, home: Home
) -> None:
    gpus.are(T4)
    said = said_by(home, "auto", gpus, driver="418.67")
    assert f"there is GPU 0 (Tesla T4, {uuid('b')}), but torch {torch.__version__} sees no" in said
    assert f"for CUDA {torch.version.cuda}, which needs driver" in said
    assert "or newer; the driver here is 418.67. Update the driver" in said
    assert REMEDY in said


def test_a_gpu_that_torch_does_not_see_is_told_with_what_says_why(
    gpus: PretendGpus, home: Home
) -> None:
    gpus.are("a")
    said = said_by(home, "auto", gpus)
    assert "takes GPU 0" in said
    assert "sees no GPU" in said
    if torch.version.cuda:
        assert "python -c 'import torch; torch.cuda.init()'" in said


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("SLURM_JOB_GPUS", "0", "the job has asked for a GPU (SLURM_JOB_GPUS is '0')"),
        ("SLURM_GPUS", "a100:1", "the job has asked for a GPU (SLURM_GPUS is 'a100:1')"),
        ("CUDA_VISIBLE_DEVICES", "0", "CUDA_VISIBLE_DEVICES is '0'"),
        ("RESNET_SIZES_SCHEDULED", "1", "the job that Snakemake has submitted asks for a GPU"),
    ],
)
def test_a_gpu_that_was_asked_for_and_is_not_there_ends_the_run(
    home: Home, variable: str, value: str, told: str
) -> None:
    def asked() -> None:
        os.environ.clear()
        os.environ.update(outside_of_jobs() | {variable: value})

    process = home.fork("--device", "auto", before=asked)
    process.join(60)
    assert process.exitcode == 1
    assert told in home.said()
    assert REMEDY in home.said()
    process = home.fork("--device", "cpu", before=asked)
    process.join(60)
    assert process.exitcode == 0, home.said()


@pytest.mark.parametrize("visible", [None, "", "-1", "NoDevFiles"])
def test_without_a_gpu_or_where_all_are_hidden_a_run_is_made_on_the_cpu_without_a_word(
    gpus: PretendGpus, home: Home, visible: str | None
) -> None:
    gpus.are(*([] if visible is None else ["a"]))

    def there() -> None:
        gpus.enter()
        os.environ.update({} if visible is None else {"CUDA_VISIBLE_DEVICES": visible})

    process = home.fork("--device", "auto", before=there)
    process.join(60)
    assert process.exitcode == 0, home.said()
    assert "warning" not in home.said()
    assert home.metrics().device.kind == "cpu"
