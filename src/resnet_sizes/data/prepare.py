"""From a study to its tensor file."""

import logging
from pathlib import Path

from resnet_sizes.data.fetch import cifar10_archive, local_source
from resnet_sizes.data.sources.source import PARTS, Source, balanced_subset
from resnet_sizes.io.files import write_json
from resnet_sizes.io.hashes import file_hash
from resnet_sizes.schemas.run.tensors import (
    DatasetArrays,
    DatasetInfo,
    dataset_identity,
    test_images_in_training,
    unordered_identity,
    write_dataset,
)
from resnet_sizes.schemas.study.study import DataContent, Downloads, Study

_log = logging.getLogger(__name__)


def prepare_dataset(study: Study, dataset_path: Path, info_path: Path) -> DatasetInfo:
    """Decode the study's images and write the tensor file, then `dataset.json` beside it.

    Uses no network: what has to be fetched must be there. With `dataset.limit` only the images
    of the subset are decoded and checked. Both files are written atomically. Raises UserError.
    """
    dataset = study.dataset
    source = open_source(study)
    indices = {
        part: balanced_subset(
            source.labels[part],
            source.class_names,
            getattr(dataset.limit, part),
            dataset.subset_seed,
            part,
        )
        for part in PARTS
    }
    arrays = DatasetArrays(
        train_images=source.images("train", indices["train"]),
        train_labels=source.labels["train"][indices["train"]],
        test_images=source.images("test", indices["test"]),
        test_labels=source.labels["test"][indices["test"]],
    )
    file = source.file
    in_training = test_images_in_training(arrays)
    if in_training:
        _log.warning(
            "warning: %d of %d test images stand in the training set too, pixel for pixel; the "
            "report says so. Remove them from one of the two for accuracies on unseen images.",
            in_training,
            len(arrays.test_labels),
        )
    info = DatasetInfo(
        spec=dataset,
        content=_content(study, file),
        class_names=source.class_names,
        train_images=len(arrays.train_labels),
        test_images=len(arrays.test_labels),
        full_train_images=len(source.labels["train"]),
        full_test_images=len(source.labels["test"]),
        identity=dataset_identity(arrays),
        unordered_identity=unordered_identity(arrays, source.class_names),
        test_images_in_training=in_training,
        source_file=file.name if file else None,
        source_sha256=file_hash(file) if file and file.is_file() else None,
    ).sealed()
    write_dataset(dataset_path, info, arrays)
    write_json(info_path, info)
    return info


def open_source(study: Study) -> Source:
    """The images that the study names, listed but not yet decoded. Raises UserError."""
    path = local_source(study)
    if path is None:
        # scikit-learn takes seconds to load.
        from resnet_sizes.data.sources.digits import DigitsSource

        return DigitsSource()
    if study.dataset.source == "cifar10":
        from resnet_sizes.data.sources.cifar10 import Cifar10Source

        return Cifar10Source(path)
    from resnet_sizes.data.sources.image_folder import ImageFolderSource

    return ImageFolderSource(path, study.dataset.resize)


def _content(study: Study, file: Path | None) -> DataContent:
    # A study may name another checksum (a test, a smaller copy). Only the published one
    # makes the pixels the official ones.
    if study.dataset.source == "cifar10" and file and cifar10_archive(Downloads()).mismatch(file):
        return "other"
    return study.dataset.declared_content
