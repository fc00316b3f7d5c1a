"""Names of classes as a reader of the report's language expects them."""

from resnet_sizes.schemas.study.study import DataContent

_CIFAR10_PT = {
    "airplane": "avião",
    "automobile": "automóvel",
    "bird": "pássaro",
    "cat": "gato",
    "deer": "cervo",
    "dog": "cachorro",
    "frog": "sapo",
    "horse": "cavalo",
    "ship": "navio",
    "truck": "caminhão",
}
_LONGEST = 14
_CIFAR10: tuple[DataContent, ...] = ("cifar10", "cifar10-reencoded")


def class_label(name: str, content: str, language: str) -> str:
    """The name of a class of a dataset with this content, in one language.

    CIFAR-10's classes have English names in its files; a user's own classes are called what the
    user called them.
    """
    if language == "pt" and content in _CIFAR10:
        return _CIFAR10_PT.get(name, name)
    return name


def short_label(label: str) -> str:
    """The same where there is little room."""
    return label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…"
