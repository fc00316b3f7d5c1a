"""What a study is made from: its images, and where these and the initial weights are fetched."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from resnet_sizes.io.messages import without_secrets
from resnet_sizes.schemas.base import Number, Record

ArticleContent = Literal["cifar10", "cifar10-reencoded", "digits", "article"]
"""Contents of a dataset by which an article may be tested; `article` is declared by the user."""

DataContent = Literal[ArticleContent, "other"]


class Limit(Record):
    """A class-balanced subset; `null` means all images."""

    train: int | None = Field(None, ge=2)
    """Training images at most; 2 at least, which batch normalisation needs."""
    test: int | None = Field(None, ge=1, description="Test images at most.")


class DatasetSpec(Record):
    """Which images, and how they are brought to 32×32 RGB."""

    source: str = Field(
        "cifar10", pattern=r"^(cifar10|image-folder|digits|[A-Za-z_]\w*(\.\w+)*:[A-Za-z_]\w*)$"
    )
    """`cifar10`: the official archive; `image-folder`: a directory, zip or tar with
    `train/<class>/…` and `test/<class>/…`; `digits`: scikit-learn's handwritten digits;
    `module:function`: a function of your own in `module.py`, in the working directory."""
    path: str | None = Field(None, min_length=1)
    """The folder or archive of `image-folder`; for `cifar10` a local copy of the official
    archive, packed or unpacked, used instead of a download; what a function of your own is called
    with. `~`, variables and addresses are not expanded."""
    content: Literal["auto", "cifar10-reencoded", "article", "other"] = "auto"
    """What an `image-folder` is declared to hold: `cifar10-reencoded` (CIFAR-10 with other pixels
    than the official ones), `article` (the images that the article names) or `other`. `auto`: what
    the source says, and `other` for a folder. Whatever is declared, images and labels that are all
    those of the official archive are taken for it, in any order and under any names of files, once
    `src/resnet_sizes/data/official_cifar10.json` has their identity, which nobody has made yet:
    `resnet-sizes data` tells it where the official archive is."""
    resize: bool = False
    """Whether images of other sizes are resized to 32×32, or are an error."""
    limit: Limit = Field(default_factory=Limit, description="A class-balanced subset.")
    subset_seed: int = Field(0, ge=0, lt=2**32)
    """Seed that draws the subset of `limit`."""

    @property
    def declared_content(self) -> DataContent:
        """What the data are, as far as source and declaration tell."""
        match self.source:
            case "cifar10" | "digits":
                return self.source
        return "other" if self.content == "auto" else self.content

    @property
    def own_code(self) -> tuple[Path, str] | None:
        """File and name of a function of the user's own that gives the images."""
        module, _, function = self.source.partition(":")
        return (Path(*module.split(".")).with_suffix(".py"), function) if function else None

    @property
    def own_files(self) -> list[Path]:
        """Files and folders of the user's own that decide the pixels, the source first."""
        code = [self.own_code[0]] if self.own_code else []
        return code + ([Path(self.path)] if self.path else [])

    @model_validator(mode="after")
    def _source_and_keys_fit(self) -> "DatasetSpec":
        if self.source == "image-folder" and self.path is None:
            raise ValueError(
                "source is 'image-folder' but path is not set. Set dataset.path to a folder, zip "
                "or tar archive with train/<class>/… and test/<class>/…"
            )
        if self.source == "digits" and self.path is not None:
            raise ValueError(
                f"source is 'digits', which has no files, but path is {self.path!r}. "
                "Set dataset.path to null, or dataset.source to image-folder"
            )
        if self.source in ("cifar10", "digits") and self.content != "auto":
            raise ValueError(
                f"content is {self.content!r} but source is {self.source!r}: only an image-folder "
                "or a source of your own can be declared. Set dataset.content to auto"
            )
        return self


class Cifar10Download(Record):
    """Where the official archive comes from and how it is recognised."""

    file: str = Field("cifar-10-python.tar.gz", pattern=r"^[A-Za-z0-9._-]+$")
    """Name of the archive."""
    md5: str = Field("c58f30108f718f92721af3b95e74349a", pattern=r"^[0-9a-f]{32}$")
    """MD5 of the archive, as its authors publish it."""
    bytes: int = Field(170_498_071, ge=1, description="Size of the archive in bytes.")
    mirrors: list[str] = Field([], description="Addresses tried in this order before the origin.")
    origin: str = Field(
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", pattern=r"^https?://"
    )
    """The authors' own address, tried last."""


class WeightsDownload(Record):
    """Where torchvision's weights come from. Their names hold the beginning of their SHA-256."""

    mirrors: list[Annotated[str, Field(pattern=r"^https?://")]] = Field([])
    """Addresses of folders that hold the files under torchvision's names, tried in this order
    before torchvision's own address."""


class Downloads(Record):
    """What is fetched from the network, and where it is put."""

    folder: str = Field("downloads", min_length=1, description="Folder of downloaded files.")
    allow_http: bool = False
    """Whether addresses need not begin with `https://`: for tests and for a server of one's own
    network. What arrives is held against its hash either way."""
    timeout: Number = Field(20.0, gt=0, le=600)
    """Seconds without an answer after which an address is left."""
    cifar10: Cifar10Download = Field(default_factory=Cifar10Download)
    """The official CIFAR-10 archive."""
    weights: WeightsDownload = Field(default_factory=WeightsDownload)
    """torchvision's pre-trained weights."""

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
