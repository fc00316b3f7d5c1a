"""`resnet-sizes data`: from the source of images to the tensor file."""

from resnet_sizes.cli.console import result, say
from resnet_sizes.cli.study import StudyPath
from resnet_sizes.schemas.paths import StudyFolder, clamp_future_mtimes
from resnet_sizes.schemas.run.run import read_study


def data(study: StudyPath) -> None:
    """Write the study's data/dataset.safetensors and data/dataset.json; print the former."""
    resolved = read_study(study).study

    from resnet_sizes.data.prepare import prepare_dataset

    folder = StudyFolder.of_file(study)
    info = prepare_dataset(resolved, folder.dataset, folder.dataset_info)
    clamp_future_mtimes(folder, [folder.fetched])
    say(
        f"{info.spec.source}: {info.train_images} training and {info.test_images} test images "
        f"in {len(info.class_names)} classes, identity {info.identity[:12]}…"
    )
    result(str(folder.dataset))
