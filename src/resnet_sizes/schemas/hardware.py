"""What the audit of the article's minutes computes with: GPUs on which the article may have
trained (measured speeds, memory, assumptions), and what the networks cost."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from resnet_sizes.io.shipped import shipped
from resnet_sizes.io.yaml import read_yaml_record
from resnet_sizes.schemas.base import Number, Record, Versioned
from resnet_sizes.schemas.study.protocol import ModelName

Mode = Literal["training", "inference"]

NETWORK_COSTS_FILE = "network_costs.json"
"""A generated table beside this module, so that nobody needs torch to look costs up."""


class Source(Record):
    """Where a number was published."""

    title: str = Field(min_length=1)
    url: str = Field(pattern=r"^https?://")


class Anchor(Record):
    """A published measurement at 224×224 pixels."""

    network: ModelName
    mode: Mode
    images_per_second: Number = Field(gt=0)
    batch_size: int | None = Field(None, ge=1)
    precision: Literal["fp32", "tf32"] = "fp32"
    source: Source


class Device(Record):
    """One kind of GPU."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: str = Field(min_length=1)
    memory_gib: Number = Field(gt=0, description="As torch reports it, or the nominal size.")
    memory_source: Source
    basis: Literal["measured", "peak"] = "measured"
    """Whether its speed was measured, or follows from its peak."""
    anchors: list[Anchor] = Field(default_factory=list)
    peak_tflops: Number | None = Field(None, gt=0, description="Peak in fp32, two a MAC.")
    peak_source: Source | None = None
    efficiency_of: str | None = None
    """Device with anchors and a peak, whose share of its peak is assumed."""

    @model_validator(mode="after")
    def _has_what_its_basis_needs(self) -> "Device":
        if self.basis == "measured" and not self.anchors:
            raise ValueError(
                f"{self.id}: basis is 'measured' but there are no anchors. Add one with its "
                "source, or set basis to peak with peak_tflops and efficiency_of"
            )
        if self.basis == "peak" and (self.peak_tflops is None or self.efficiency_of is None):
            raise ValueError(f"{self.id}: basis 'peak' needs peak_tflops and efficiency_of")
        if self.peak_tflops is not None and self.peak_source is None:
            raise ValueError(f"{self.id}: peak_tflops needs its peak_source")
        return self


class Assumptions(Record):
    """What no source settles. The reasons stand in `config/devices.yaml`."""

    time_factor: Number = Field(1.5, gt=1)
    """How far predicted and printed minutes may lie apart."""
    backward_factor: Number = Field(3.0, ge=1)
    """Cost of a training step in forward passes, all being trained."""
    memory_allowance_gib: Number = Field(1.0, ge=0)
    """CUDA context, libraries, workspaces and fragments."""
    seed_deviations: list[Number] = Field([0.8])
    """Between-seed deviations of accuracy, in percentage points."""


class Devices(Record):
    """`config/devices.yaml`."""

    schema_version: Literal[1]
    assumptions: Assumptions = Field(default_factory=Assumptions)
    devices: list[Device] = Field(min_length=1)

    @model_validator(mode="after")
    def _devices_fit_together(self) -> "Devices":
        known = {device.id: device for device in self.devices}
        if len(known) != len(self.devices):
            raise ValueError("devices: an id stands twice; each may stand once")
        for device in self.devices:
            other = known.get(device.efficiency_of or "")
            if device.basis == "peak" and not (other and other.anchors and other.peak_tflops):
                raise ValueError(
                    f"devices: {device.id}.efficiency_of is {device.efficiency_of!r}, which is no "
                    "device with anchors and peak_tflops"
                )
        return self


def load_devices(path: Path) -> Devices:
    """A table of devices (YAML), found as by `shipped`. Raises UserError with every problem."""
    remedy = f"Correct {path}, or name another table under devices."
    return read_yaml_record(shipped(path), Devices, "table of devices", remedy)


class NetworkCost(Record):
    """One network at one input size; bytes are those of float32."""

    model: ModelName
    stem: Literal["imagenet", "cifar"]
    input_size: int = Field(ge=32)
    macs_per_image: int = Field(ge=1, description="Multiply-accumulates of one forward pass.")
    parameters: int = Field(ge=1)
    head_parameters: int = Field(ge=1, description="Those of the last layer.")
    training_bytes_per_image: int = Field(ge=1)
    """Tensors kept for the backward pass when everything is trained."""
    inference_bytes_per_image: int = Field(ge=1)
    """Most bytes of activations alive at once in a forward pass alone."""


class NetworkCosts(Versioned):
    """`network_costs.json`, written by `scripts/count_network_costs.py`."""

    classes: int = Field(ge=1)
    networks: list[NetworkCost] = Field(min_length=1)

    def of(self, model: str, stem: str, input_size: int) -> NetworkCost | None:
        """The entry of a network, or None where the table has none."""
        wanted = (model, stem, input_size)
        own = (each for each in self.networks if (each.model, each.stem, each.input_size) == wanted)
        return next(own, None)


@cache
def shipped_network_costs() -> NetworkCosts:
    """The table that comes with the package."""
    text = files("resnet_sizes.schemas").joinpath(NETWORK_COSTS_FILE).read_text(encoding="utf-8")
    return NetworkCosts.model_validate_json(text)
