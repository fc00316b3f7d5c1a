"""The prose of a `.qmd`, for tests that read it as a person would."""

import re

ENGLISH = {
    "the", "and", "of", "with", "accuracy", "loss", "seed", "seeds", "epoch", "epochs", "table",
    "figure", "training", "layers", "layer", "study", "network", "batch", "rate", "results",
    "conclusions", "references", "introduction", "contents", "supported", "contradicted",
    "comparable", "enough", "runs", "missing", "invalid", "weights", "from", "available", "in",
}  # fmt: skip


def body_of(qmd: str) -> str:
    return qmd.split("\n---\n", 1)[1]


def prose_of(qmd: str) -> str:
    """The text without code, ids, citations, file names, titles in other languages."""
    qmd = re.sub(r"\*bootstrap\*", " ", qmd)
    text = re.sub(r"(?s)```.*?```|`[^`]*`|\{[^}]*\}|\]\([^)]*\)|\[-?@[^\]]*\]|@[a-z-]+", " ", qmd)
    return text.replace("dataset CIFAR", "CIFAR")
