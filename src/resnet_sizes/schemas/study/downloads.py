"""What is fetched from the network, from where, and how it is recognised."""

from typing import Annotated

from pydantic import Field, model_validator

from resnet_sizes.io.messages import without_secrets
from resnet_sizes.schemas.base import Number, Record


class Cifar10Download(Record):
    """Where the official archive comes from and how it is recognised."""

    file: str = Field(
        "cifar-10-python.tar.gz", pattern=r"^[A-Za-z0-9._-]+$", description="Name of the archive."
    )
    md5: str = Field(
        "c58f30108f718f92721af3b95e74349a",
        pattern=r"^[0-9a-f]{32}$",
        description="MD5 of the archive, as its authors publish it.",
    )
    bytes: int = Field(170_498_071, ge=1, description="Size of the archive in bytes.")
    mirrors: list[str] = Field([], description="Addresses tried in this order before the origin.")
    origin: str = Field(
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        pattern=r"^https?://",
        description="The authors' own address, tried last.",
    )


class WeightsDownload(Record):
    """Where torchvision's weights come from. Their names hold the beginning of their SHA-256."""

    mirrors: list[Annotated[str, Field(pattern=r"^https?://")]] = Field(
        [],
        description="Addresses of folders that hold the files under torchvision's names, tried "
        "in this order before torchvision's own address.",
    )


class Downloads(Record):
    """What is fetched from the network, and where it is put."""

    folder: str = Field("downloads", min_length=1, description="Folder of downloaded files.")
    allow_http: bool = Field(
        False,
        description="Whether addresses need not begin with `https://`: for tests and for a server "
        "of one's own network. What arrives is held against its hash either way.",
    )
    timeout: Number = Field(
        20.0, gt=0, le=600, description="Seconds without an answer after which an address is left."
    )
    cifar10: Cifar10Download = Field(
        default_factory=Cifar10Download, description="The official CIFAR-10 archive."
    )
    weights: WeightsDownload = Field(
        default_factory=WeightsDownload, description="torchvision's pre-trained weights."
    )

    @model_validator(mode="after")
    def _addresses_are_encrypted(self) -> "Downloads":
        addresses = [*self.cifar10.mirrors, self.cifar10.origin, *self.weights.mirrors]
        plain = [address for address in addresses if not address.startswith("https://")]
        if plain and not self.allow_http:
            raise ValueError(
                f"{without_secrets(plain[0][:200])!r} does not begin with https://. Name an "
                "address that does, or set downloads.allow_http to true for a server that you trust"
            )
        return self
