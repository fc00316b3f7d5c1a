"""Studies with known results, written as the training would have written them.

Everything that a reader of results checks is consistent: hashes, counts, and predictions whose
accuracy is the one in the metrics. Nothing is trained.
"""

import hashlib
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from synthetic_runs import run_file, write_run

from resnet_sizes.io.files import write_json
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import StudyFile, all_run_settings
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.study.study import Study

CONFIG = Path(__file__).parents[2] / "config"
ARTICLE = CONFIG.parent / "articles/santos-2024/article.yaml"

PROTOCOLS: dict[str, dict[str, Any]] = yaml.safe_load(
    (CONFIG / "config.yaml").read_text(encoding="utf-8")
)["protocol_definitions"]

MODELS = ("resnet18", "resnet50", "resnet152")

# The article's own table; the losses are made up so that its claims on losses hold.
ARTICLE_ACCURACIES = {"resnet18": 0.8084, "resnet50": 0.8355, "resnet152": 0.8594}
ARTICLE_MINUTES = {"resnet18": 41.0, "resnet50": 112.0, "resnet152": 262.0}
ARTICLE_LOSSES = {"resnet18": (1.9, 1.2), "resnet50": (1.7, 0.5), "resnet152": (1.2, 0.4)}

# (train, test) images before any limit; those of `other` are made up.
FULL_IMAGES = {
    "cifar10": (50_000, 10_000),
    "cifar10-reencoded": (50_000, 10_000),
    "digits": (1_437, 360),
    "article": (50_000, 10_000),
    "other": (600, 200),
}
LIMITED_IMAGES = {
    "cifar10": (5_000, 1_000),
    "cifar10-reencoded": (5_000, 1_000),
    "digits": (300, 100),
    "article": (5_000, 1_000),
    "other": (100, 50),
}
SOURCE_FILES = {
    "cifar10": "cifar-10-python.tar.gz",
    "cifar10-reencoded": "images.tar.gz",
    "digits": None,
    "article": "images.tar.gz",
    "other": "images.tar.gz",
}
PerSeed = float | Sequence[float]


def make_study(
    folder: Path,
    *,
    name: str = "synthetic",
    content: str = "cifar10",
    models: Sequence[str] = MODELS,
    protocols: Sequence[str] = ("scratch-32",),
    seeds: Sequence[int] | Mapping[str, Sequence[int]] = (0, 1, 2),
    accuracies: Mapping[str, PerSeed] = ARTICLE_ACCURACIES,
    minutes: Mapping[str, PerSeed] = ARTICLE_MINUTES,
    losses: Mapping[str, tuple[float, float]] = ARTICLE_LOSSES,
    epochs: int = 50,
    batch_size: int = 256,
    learning_rate: float = 0.0005,
    full: bool = True,
    missing: Collection[str] = (),
    shared: Collection[str] = (),
    demo: bool = False,
    article: Path = ARTICLE,
    readings: Mapping[str, Mapping[str, Any]] | None = None,
    training: Mapping[str, Any] | None = None,
    languages: Sequence[str] = ("pt", "en"),
) -> Path:
    """Write a study below `folder/results/<name>/` and return the path of its `study.json`.

    `accuracies` (fractions, final epoch) and `minutes` (training) hold one number per model, or
    one for each seed; an accuracy is rounded to what the number of test images allows. `losses`
    holds the training loss of the first and the last epoch. `full=False` limits the images.
    `missing` names runs (`scratch-32/resnet50/seed-1`) of which only the run file is written,
    and `shared` those that had another program on their device in one of two looks.
    Models that the mappings lack (resnet34, resnet101) must be given by the caller.

    `readings` holds keys of protocols that differ from the default reading (`own_readings` has
    those of the project's configuration), `training` further keys of the training. Where a run
    can have a feature cache it has one, and `minutes` are then its computed minutes: one epoch's
    share but a fiftieth is the pass, which the first seed makes for all.
    """
    bibliography = article.parent / "references.bib"
    if not bibliography.exists():  # a test's own file, changed from the first article's
        shutil.copyfile(ARTICLE.parent / bibliography.name, bibliography)
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
            position = study.seeds_of(run.protocol).index(run.seed)
            write_run(
                files.run(settings),
                run,
                info,
                accuracy=_of_seed(accuracies[run.model], position),
                minutes=_of_seed(minutes[run.model], position),
                losses=losses[run.model],
                shared=run.name in shared,
            )
    return files.study


def own_readings(*names: str) -> dict[str, dict[str, Any]]:
    """Definitions of protocols in the project's configuration."""
    return {name: PROTOCOLS[name] for name in names}


def _study(
    *,
    name: str,
    content: str,
    models: Sequence[str],
    protocols: Sequence[str],
    seeds: Sequence[int] | Mapping[str, Sequence[int]],
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
    if content in ("cifar10-reencoded", "article", "other"):
        dataset = {"source": "image-folder", "path": "images.tar.gz", "content": content}
    if not full:
        train, test = LIMITED_IMAGES[content]
        dataset["limit"] = {"train": train, "test": test}
    description = {"pt": "leitura de teste", "en": "a reading for tests"}
    seeds_in_file: list[int] | dict[str, list[int]] = (
        {protocol: list(own) for protocol, own in seeds.items()}
        if isinstance(seeds, Mapping)
        else list(seeds)
    )
    return Study.model_validate(
        {
            "name": name,
            "demo": demo,
            "article": str(article),
            "devices": str(CONFIG / "devices.yaml"),
            "dataset": dataset,
            "models": list(models),
            "protocols": list(protocols),
            "seeds": seeds_in_file,
            "training": {
                **({} if "iterations" in training else {"epochs": epochs}),
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


def _of_seed(values: PerSeed, position: int) -> float:
    return float(values) if isinstance(values, int | float) else float(values[position])
