"""What runs that follow each other in one process share: settings, a device, what lies on it. No
torch, which looks for devices only once: one has to be held first."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from resnet_sizes.schemas.run.tensors import DatasetArrays, DatasetInfo, read_dataset
from resnet_sizes.schemas.run.weights import WeightsInfo
from resnet_sizes.training.devices.gpu_slots import DeviceSlot
from resnet_sizes.training.supervision.launch import RunOptions

if TYPE_CHECKING:
    import torch

    from resnet_sizes.training.engine.batches import DeviceData


@dataclass
class Workplace:
    """What the runs of a process have in common."""

    path: Path
    """The tensor file of the dataset."""
    device: str
    """As `training.device`."""
    weights: WeightsInfo | None
    options: RunOptions
    slot: DeviceSlot | None = None
    """Once a run has needed a device, which is held to the end."""
    images: "DeviceData | None" = None
    """On the device, once a run has put them there."""
    features: "dict[str, tuple[torch.Tensor, torch.Tensor]]" = field(default_factory=dict)
    """Of training and test images, by their key."""

    @cached_property
    def dataset(self) -> tuple[DatasetInfo, DatasetArrays]:
        """Read and verified once."""
        return read_dataset(self.path)
