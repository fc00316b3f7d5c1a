"""What is known of a dataset besides its pixels."""

from typing import Literal

from pydantic import Field

from resnet_sizes.schemas.base import SCHEMA_VERSION
from resnet_sizes.schemas.sealed import Sealed
from resnet_sizes.schemas.study.study import DataContent, DatasetSpec


class DatasetInfo(Sealed):
    """`dataset.json`, and the metadata inside `dataset.safetensors`.

    The tensor file holds `train_images` and `test_images` (uint8, `[N, 3, 32, 32]`, RGB) and
    `train_labels` and `test_labels` (int64, `[N]`).
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    spec: DatasetSpec
    content: DataContent
    class_names: list[str] = Field(min_length=2)
    train_images: int = Field(ge=1)
    test_images: int = Field(ge=1)
    full_train_images: int = Field(ge=1, description="Before `limit`.")
    full_test_images: int = Field(ge=1, description="Before `limit`.")
    identity: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the decoded pixels and labels."
    )
    source_file: str | None = Field(description="Name of the archive or folder it came from.")
    source_sha256: str | None = Field(description="SHA-256 of that archive, if it is one file.")

    @property
    def is_subset(self) -> bool:
        """Whether `limit` left images out."""
        return (self.train_images, self.test_images) != (
            self.full_train_images,
            self.full_test_images,
        )
