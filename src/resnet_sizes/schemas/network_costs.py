"""What the networks cost: a generated table, so that nobody needs torch to look it up."""

from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import Field

from resnet_sizes.schemas.base import SCHEMA_VERSION, Record
from resnet_sizes.schemas.study.protocol import ModelName

FILE = "network_costs.json"


class NetworkCost(Record):
    """One network at one input size; bytes are those of float32."""

    model: ModelName
    stem: Literal["imagenet", "cifar"]
    input_size: int = Field(ge=32)
    macs_per_image: int = Field(ge=1, description="Multiply-accumulates of one forward pass.")
    parameters: int = Field(ge=1)
    head_parameters: int = Field(ge=1, description="Those of the last layer.")
    training_bytes_per_image: int = Field(
        ge=1, description="Tensors kept for the backward pass when everything is trained."
    )
    inference_bytes_per_image: int = Field(
        ge=1, description="Most bytes of activations alive at once in a forward pass alone."
    )


class NetworkCosts(Record):
    """`network_costs.json`, written by `resnet-sizes costs`."""

    schema_version: Literal[1] = SCHEMA_VERSION
    classes: int = Field(ge=1)
    networks: list[NetworkCost] = Field(min_length=1)

    def of(self, model: str, stem: str, input_size: int) -> NetworkCost | None:
        """The entry of a network, or None where the table has none."""
        wanted = (model, stem, input_size)
        for entry in self.networks:
            if (entry.model, entry.stem, entry.input_size) == wanted:
                return entry
        return None


@cache
def shipped_network_costs() -> NetworkCosts:
    """The table that comes with the package."""
    text = files("resnet_sizes.schemas").joinpath(FILE).read_text(encoding="utf-8")
    return NetworkCosts.model_validate_json(text)
