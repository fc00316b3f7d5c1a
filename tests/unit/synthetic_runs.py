"""The files of one run with known results, as the training would have written them."""

import hashlib
from pathlib import Path

import numpy as np

from resnet_sizes.io.files import write_json
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.hardware import shipped_network_costs
from resnet_sizes.schemas.paths import RunFolder
from resnet_sizes.schemas.run.metrics import (
    Code,
    Device,
    EpochMetrics,
    FeatureCache,
    Metrics,
    Sharing,
)
from resnet_sizes.schemas.run.run import RunFile, RunSettings
from resnet_sizes.schemas.run.tensors import DatasetInfo, write_predictions
from resnet_sizes.schemas.run.weights import InitialWeights, weights_version

CODE = Code(training_hash="c" * 64, git_commit="d" * 40, git_dirty=False)

PARAMETERS = {
    "resnet18": 11_181_642,
    "resnet34": 21_289_802,
    "resnet50": 23_528_522,
    "resnet101": 42_520_650,
    "resnet152": 58_164_298,
}
MACS = {
    "resnet18": 37_016_576,
    "resnet34": 74_900_000,
    "resnet50": 83_400_000,
    "resnet101": 160_000_000,
    "resnet152": 235_000_000,
}

HEAD_PARAMETERS = {
    "resnet18": 5_130,
    "resnet34": 5_130,
    "resnet50": 20_490,
    "resnet101": 20_490,
    "resnet152": 20_490,
}
for _depth, _parameters, _macs in (
    (20, 269_722, 40_551_040),
    (32, 464_154, 68_862_592),
    (44, 658_586, 97_174_144),
    (56, 853_018, 125_485_696),
    (110, 1_727_962, 252_887_680),
):
    for _kind in ("resnet", "plain"):  # shortcuts of the networks for CIFAR-10 have no weights
        PARAMETERS[f"{_kind}{_depth}"] = _parameters
        MACS[f"{_kind}{_depth}"] = _macs
        HEAD_PARAMETERS[f"{_kind}{_depth}"] = 650

for cost in shipped_network_costs().networks:  # of further networks as they are
    PARAMETERS.setdefault(cost.model, cost.parameters)
    MACS.setdefault(cost.model, cost.macs_per_image)
    HEAD_PARAMETERS.setdefault(cost.model, cost.head_parameters)
HEAD_SHARE = 0.02
"""Of an epoch through the whole network, so much is the steps of the head."""


def run_file(settings: RunSettings, info: DatasetInfo) -> RunFile:
    """The run file on a device that computes in bf16, with weights files that do not exist."""
    reading = settings.reading
    steps = -(-info.train_images // settings.batch_size)
    return RunFile.model_validate(
        settings.model_dump()
        | {
            "epochs": settings.epochs or -(-(settings.iterations or 0) // steps),
            "dataset_identity": info.identity,
            "precision": "bf16" if reading.precision == "auto" else reading.precision,
            "compile_mode": "reduce-overhead" if settings.compile == "auto" else settings.compile,
            "initial_weights": initial_weights(settings.model, reading.weights),
        }
    )


def initial_weights(model: str, weights: str) -> InitialWeights | None:
    """What a run would record of its weights; the SHA-256 is made up."""
    if weights == "none":
        return None
    sha256 = hashlib.sha256(f"{model} {weights}".encode()).hexdigest()
    if weights not in ("V1", "V2", "default"):
        return InitialWeights(name="file", file=Path(weights).name, sha256=sha256)
    name = f"{model.replace('resnet', 'ResNet')}_Weights.IMAGENET1K_"
    name += weights_version(model, weights)
    return InitialWeights(name=name, file=f"{model}-{sha256[:8]}.pth", sha256=sha256)


def has_cache(run: RunFile) -> bool:
    """Whether the features of the run's frozen backbone are computed once."""
    reading = run.reading
    exact = reading.frozen_batch_norm == "eval" and reading.augmentation == "none"
    return reading.trainable == "head" and exact and run.feature_cache


def _cache(run: RunFile, equivalent_seconds: float, *, reused: bool) -> FeatureCache:
    return FeatureCache(
        key=hashlib.sha256(f"{run.protocol} {run.model}".encode()).hexdigest(),
        reused=reused,
        forward_seconds=equivalent_seconds * (1 - HEAD_SHARE) / run.epochs,
        timed_images=256,
    )


def write_run(
    folder: RunFolder,
    run: RunFile,
    info: DatasetInfo,
    *,
    accuracy: float,
    minutes: float,
    losses: tuple[float, float],
    shared: bool = False,
) -> None:
    """Write `predictions.safetensors` and `metrics.json` of one run."""
    correct = round(accuracy * info.test_images)
    classes = len(info.class_names)
    labels = np.arange(info.test_images, dtype=np.int64) % classes
    chosen = labels.copy()
    chosen[correct:] = (chosen[correct:] + 1) % classes
    logits = np.zeros((info.test_images, classes), dtype=np.float32)
    # No two runs give the same logits; float32 tells 2^21 numbers apart between 4 and 5.
    draw = int.from_bytes(hashlib.sha256(run.name.encode()).digest()[:4]) >> 11
    logits[np.arange(info.test_images), chosen] = 4.0 + draw / 2**21
    write_predictions(folder.predictions, logits, labels)

    final = correct / info.test_images
    seconds, cache = minutes * 60, None
    if has_cache(run):
        cache = _cache(run, seconds, reused=run.seed > 0)
        seconds *= HEAD_SHARE
    history = _epochs(run.epochs, final, seconds, losses)
    best = max(history, key=lambda epoch: epoch.test_accuracy)
    metrics = Metrics(
        run=run,
        run_hash=content_hash(run),
        epochs=history,
        final_test_accuracy=final,
        best_test_accuracy=best.test_accuracy,
        best_epoch=best.epoch,
        training_seconds=seconds + (cache.forward_seconds if cache and not cache.reused else 0),
        equivalent_training_seconds=minutes * 60 if cache else None,
        feature_cache=cache,
        parameters=PARAMETERS[run.model],
        trainable_parameters=HEAD_PARAMETERS[run.model]
        if run.reading.trainable == "head"
        else PARAMETERS[run.model],
        macs_per_image=MACS[run.model],
        peak_memory_bytes=1_500_000_000,
        device=Device(kind="cuda", name="Synthetic GPU", index=0, threads=4),
        sharing=Sharing(looks=2, shared=int(shared), others=["train"] if shared else []),
        versions={"torch": "2.14.1", "torchvision": "0.29.1", "python": "3.11.9"},
        dataset_identity=info.identity,
        code=CODE,
        started=f"2025-01-0{1 + run.seed % 9}T08:00:00Z",
        finished=f"2025-01-0{1 + run.seed % 9}T20:00:00Z",
    )
    write_json(folder.metrics, metrics)


def _epochs(
    count: int, final: float, seconds: float, losses: tuple[float, float]
) -> list[EpochMetrics]:
    """Losses fall geometrically; the epoch before the last is the best on the test images."""
    first, last = losses
    steps = np.linspace(0.0, 1.0, count) if count > 1 else np.ones(1)
    history = []
    for number, step in enumerate(steps, start=1):
        accuracy = final * (0.5 + 0.5 * float(step))
        if number == count:
            accuracy = final
        elif number == count - 1:
            accuracy = min(1.0, final + 0.002)
        history.append(
            EpochMetrics(
                epoch=number,
                train_loss=first * (last / first) ** float(step) if number < count else last,
                train_accuracy=min(1.0, accuracy + 0.01),
                test_loss=last + 0.3,
                test_accuracy=accuracy,
                training_seconds=seconds / count,
                evaluation_seconds=1.0,
            )
        )
    return history
