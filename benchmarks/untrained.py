"""`resnet-sizes` with a training that takes no time: for the workflow's own cost.

    python benchmarks/untrained.py train … (as `resnet-sizes train …`)

The command is the real one, but what it imports as `resnet_sizes.training.job.run` is this file: it
checks the dataset as a run does, and writes drawn results. Torch is never imported; all else that
a run costs is there, locks and the choice of a device as well.
"""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit"))

from resnet_sizes.cli.app import main
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.paths import RunFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.training.job.workplace import Workplace


def train_on_device(run: RunFile, folder: RunFolder, place: Workplace, *_: Any) -> Metrics:
    """Write results without any training."""
    from synthetic_runs import write_run

    info, _arrays = place.dataset
    if info.identity != run.dataset_identity:
        raise UserError(f"{place.path}: is not the run's.")
    write_run(folder, run, info, accuracy=0.8, minutes=1.0, losses=(2.0, 0.5))
    return read_record(folder.metrics, Metrics, "")


if __name__ == "__main__":
    module = ModuleType("resnet_sizes.training.job.run")
    module.train_on_device = train_on_device  # type: ignore[attr-defined]
    sys.modules["resnet_sizes.training.job.run"] = module
    main()
