"""The same run gives the same predictions, bit by bit, in another process."""

import shutil
from pathlib import Path

import pytest
import torch

from engine_steps import coloured_patches, recipe_of, run_of, train_by_command, write_state_dict
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.study.protocol import ModelName

pytestmark = pytest.mark.slow

# With augmentation, ResNet-18 is tested in test_training.py. Several threads could race.
RUNS = [
    ("resnet18", 2),
    pytest.param("resnet50", 2, marks=pytest.mark.long),
    pytest.param("resnet152", 1, marks=pytest.mark.long),
]


@pytest.mark.parametrize(("model", "threads"), RUNS)
def test_the_same_seed_gives_bitwise_equal_predictions(
    tmp_path: Path, model: ModelName, threads: int
) -> None:
    arrays = coloured_patches(train=48, test=20)
    reading = recipe_of("scratch-32", model)
    run = run_of(arrays, model=model, reading=reading, epochs=1, threads=threads)
    found = []
    for name, new_python in (("first", True), ("second", False)):
        (tmp_path / name).mkdir()
        folder = train_by_command(run, arrays, tmp_path / name, new_python=new_python)
        found.append(folder.predictions.read_bytes())
    assert found[0] == found[1]


def test_kept_features_give_the_same_bits_as_features_computed_again(tmp_path: Path) -> None:
    arrays = coloured_patches(train=48, test=20)
    reading = recipe_of("probe-224", "resnet18").model_copy(update={"input_size": 64})
    weights = write_state_dict(tmp_path / "weights.pth", "resnet18", reading, arrays)
    run = run_of(arrays, weights, protocol="probe-224", reading=reading)
    found, reused = [], []
    for name in ("here", "here", "elsewhere"):
        (tmp_path / name).mkdir(exist_ok=True)
        folder = train_by_command(run, arrays, tmp_path / name, weights, new_python=False)
        found.append(folder.predictions.read_bytes())
        cache = read_record(folder.metrics, Metrics, "").feature_cache
        assert cache is not None
        reused.append(cache.reused)
    assert reused == [False, True, False]
    assert found[0] == found[1] == found[2]


def twice_on_cuda(folder: Path, precision: str, compile: str) -> list[bytes]:
    """Predictions of a run in two processes, each of which compiles for itself."""
    # Several evaluation batches: the outputs of a CUDA graph last until its next replay.
    arrays = coloured_patches(train=100, test=20)
    reading = recipe_of("scratch-32", "resnet18").model_copy(update={"precision": precision})
    run = run_of(
        arrays,
        reading=reading,
        precision=precision,
        compile=compile,
        compile_mode=compile,
        evaluation_batch_size=5,
        epochs=5,
    )
    found = []
    for name in ("first", "second"):
        home = folder / f"{compile}-{name}"
        home.mkdir()
        found.append(train_by_command(run, arrays, home, device="cuda").predictions.read_bytes())
    return found


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16", "fp16"])
def test_the_same_seed_gives_the_same_bits_on_cuda(tmp_path: Path, precision: str) -> None:
    # A replayed step is the same kernels with the same arguments as one that is not.
    first, *others = (
        found
        for compile in ("none", "cuda-graph")
        for found in twice_on_cuda(tmp_path, precision, compile)
    )
    assert others == [first] * 3
    first, second = twice_on_cuda(tmp_path, precision, "reduce-overhead")
    assert first == second


@pytest.mark.long
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_two_processes_that_compile_for_themselves_give_the_same_bits(tmp_path: Path) -> None:
    # The last layer alone: compiling a whole network takes a CPU many minutes.
    arrays = coloured_patches(train=48, test=20)
    reading = recipe_of("probe-224", "resnet18").model_copy(update={"input_size": 64})
    weights = write_state_dict(tmp_path / "weights.pth", "resnet18", reading, arrays)
    run = run_of(arrays, weights, reading=reading, compile="default", compile_mode="default")
    found = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        folder = train_by_command(run, arrays, tmp_path / name, weights)
        found.append(folder.predictions.read_bytes())
        compiled = read_record(folder.metrics, Metrics, "").preparation_seconds
        assert compiled is not None
        assert compiled > 1
    assert found[0] == found[1]
