"""Studies with known results, written as the training would have written them.

Everything that a reader of results checks is consistent: hashes, counts, and predictions whose
accuracy is the one in the metrics. Nothing is trained.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from resnet_sizes.records.base import content_hash
from resnet_sizes.records.dataset import DatasetInfo
from resnet_sizes.records.files import write_json
from resnet_sizes.records.layout import RunFolder, StudyFolder
from resnet_sizes.records.metrics import Code, Device, EpochMetrics, FeatureCache, Metrics
from resnet_sizes.records.run import RunFile, RunSettings, StudyFile, all_run_settings
from resnet_sizes.records.study import Study
from resnet_sizes.records.tensor_file import write_predictions
from resnet_sizes.records.weights import InitialWeights, weights_version

CODE = Code(training_hash="c" * 64, git_commit="d" * 40, git_dirty=False)
CONFIG = Path(__file__).parents[2] / "config"
LEDGER = CONFIG / "article.yaml"

MODELS = ("resnet18", "resnet50", "resnet152")

# The article's own table; the losses are made up so that its statements on losses hold.
ARTICLE_ACCURACIES = {"resnet18": 0.8084, "resnet50": 0.8355, "resnet152": 0.8594}
ARTICLE_MINUTES = {"resnet18": 41.0, "resnet50": 112.0, "resnet152": 262.0}
ARTICLE_LOSSES = {"resnet18": (1.9, 0.8), "resnet50": (1.7, 0.5), "resnet152": (1.2, 0.4)}

# (train, test) images before any limit; those of `other` are made up.
FULL_IMAGES = {
    "cifar10": (50_000, 10_000),
    "cifar10-reencoded": (50_000, 10_000),
    "digits": (1_437, 360),
    "other": (600, 200),
}
LIMITED_IMAGES = {
    "cifar10": (5_000, 1_000),
    "cifar10-reencoded": (5_000, 1_000),
    "digits": (300, 100),
    "other": (100, 50),
}
SOURCE_FILES = {
    "cifar10": "cifar-10-python.tar.gz",
    "cifar10-reencoded": "images.tar.gz",
    "digits": None,
    "other": "images.tar.gz",
}
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
HEAD_SHARE = 0.02
"""Of an epoch through the whole network, so much is the steps of the head."""

PerSeed = float | Sequence[float]


def make_study(
    folder: Path,
    *,
    name: str = "synthetic",
    content: str = "cifar10",
    models: Sequence[str] = MODELS,
    protocols: Sequence[str] = ("scratch-32",),
    seeds: Sequence[int] = (0, 1, 2),
    accuracies: Mapping[str, PerSeed] = ARTICLE_ACCURACIES,
    minutes: Mapping[str, PerSeed] = ARTICLE_MINUTES,
    losses: Mapping[str, tuple[float, float]] = ARTICLE_LOSSES,
    epochs: int = 50,
    batch_size: int = 256,
    learning_rate: float = 0.0005,
    full: bool = True,
    missing: Collection[str] = (),
    demo: bool = False,
    article: Path = LEDGER,
    readings: Mapping[str, Mapping[str, Any]] | None = None,
    training: Mapping[str, Any] | None = None,
    languages: Sequence[str] = ("pt", "en"),
) -> Path:
    """Write a study below `folder/results/<name>/` and return the path of its `study.json`.

    `accuracies` (fractions, final epoch) and `minutes` (training) hold one number a model, or
    one for each seed; an accuracy is rounded to what the number of test images allows. `losses`
    holds the training loss of the first and the last epoch. `full=False` limits the images.
    `missing` names runs (`scratch-32/resnet50/seed-1`) of which only the run file is written.
    Models that the mappings lack (resnet34, resnet101) must be given by the caller.

    `readings` holds keys of protocols that differ from the default reading (`own_readings` has
    those of the project's configuration), `training` further keys of the training. Where a run
    can have a feature cache it has one, and `minutes` are then its computed minutes: one epoch's
    share but a fiftieth is the pass, which the first seed makes for all.
    """
    study = _study(
        name=name,
        content=content,
        models=models,
        protocols=protocols,
        seeds=seeds,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        full=full,
        demo=demo,
        article=article,
        readings=readings or {},
        training=training or {},
        languages=languages,
    )
    info = _dataset_info(study, content, full)
    files = StudyFolder(folder / "results" / name)
    write_json(files.study, StudyFile(study_hash=content_hash(study), study=study))
    write_json(files.dataset_info, info)
    for settings in all_run_settings(study):
        run = run_file(settings, info)
        write_json(files.run(settings).run, run)
        if run.name not in missing:
            position = list(seeds).index(run.seed)
            write_run(
                files.run(settings),
                run,
                info,
                accuracy=_of_seed(accuracies[run.model], position),
                minutes=_of_seed(minutes[run.model], position),
                losses=losses[run.model],
            )
    return files.study


def own_readings(*names: str) -> dict[str, dict[str, Any]]:
    """Definitions of protocols in the project's configuration."""
    config = yaml.safe_load((CONFIG / "config.yaml").read_text(encoding="utf-8"))
    return {name: config["protocol_definitions"][name] for name in names}


def run_file(settings: RunSettings, info: DatasetInfo) -> RunFile:
    """The run file on a device that computes in bf16, with weights files that do not exist."""
    reading = settings.reading
    return RunFile.model_validate(
        settings.model_dump()
        | {
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
        versions={"torch": "2.14.1", "torchvision": "0.29.1", "python": "3.11.9"},
        dataset_identity=info.identity,
        code=CODE,
        started=f"2025-01-0{1 + run.seed % 9}T08:00:00Z",
        finished=f"2025-01-0{1 + run.seed % 9}T20:00:00Z",
    )
    write_json(folder.metrics, metrics)


def _study(
    *,
    name: str,
    content: str,
    models: Sequence[str],
    protocols: Sequence[str],
    seeds: Sequence[int],
    epochs: int,
    batch_size: int,
    learning_rate: float,
    full: bool,
    demo: bool,
    article: Path,
    readings: Mapping[str, Mapping[str, Any]],
    training: Mapping[str, Any],
    languages: Sequence[str],
) -> Study:
    dataset: dict[str, object] = {"source": content}
    if content in ("cifar10-reencoded", "other"):
        dataset = {"source": "image-folder", "path": "images.tar.gz", "content": content}
    if not full:
        train, test = LIMITED_IMAGES[content]
        dataset["limit"] = {"train": train, "test": test}
    description = {"pt": "leitura de teste", "en": "a reading for tests"}
    return Study.model_validate(
        {
            "name": name,
            "demo": demo,
            "article": str(article),
            "devices": str(CONFIG / "devices.yaml"),
            "dataset": dataset,
            "models": list(models),
            "protocols": list(protocols),
            "seeds": list(seeds),
            "training": {
                "epochs": epochs,
                "batch_size": batch_size,
                "learning_rate": learning_rate,
                **training,
            },
            "protocol_definitions": {
                protocol: {"description": description, **readings.get(protocol, {})}
                for protocol in protocols
            },
            "report": {"languages": list(languages)},
        }
    )


def _dataset_info(study: Study, content: str, full: bool) -> DatasetInfo:
    all_train, all_test = FULL_IMAGES[content]
    train, test = (all_train, all_test) if full else LIMITED_IMAGES[content]
    source_file = SOURCE_FILES[content]
    return DatasetInfo(
        spec=study.dataset,
        content=study.dataset.declared_content,
        class_names=[f"class-{number}" for number in range(10)],
        train_images=train,
        test_images=test,
        full_train_images=all_train,
        full_test_images=all_test,
        identity=hashlib.sha256(f"{content} {train} {test}".encode()).hexdigest(),
        source_file=source_file,
        source_sha256=None if source_file is None else "e" * 64,
    )


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


def _of_seed(values: PerSeed, position: int) -> float:
    return float(values) if isinstance(values, int | float) else float(values[position])
