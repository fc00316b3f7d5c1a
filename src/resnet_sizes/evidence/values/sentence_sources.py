"""Where the numbers in the sentence of a verdict come from."""

from collections.abc import Iterator, Mapping

from resnet_sizes.schemas.evidence.values import Source, Value
from resnet_sizes.schemas.evidence.verdicts import Basis, Verdict


def sentence_sources(verdict: Verdict, values: Mapping[str, Value]) -> list[Source]:
    """The files and fields behind the values that a verdict names, and behind what else its
    sentence says: tests of the test images, operations and printed minutes of ratios."""
    keys = [*verdict.values.values(), *_keys_of(verdict)]
    return [source for key in keys if key in values for source in values[key].sources]


def _keys_of(verdict: Verdict) -> Iterator[str]:
    basis = verdict.basis
    if basis is None:
        return
    for ratio in basis.ratios:
        for model in (ratio.model, ratio.base):
            yield f"article.{model}.minutes"
            yield f"{verdict.protocol}.{model}.macs_per_image"
    if _resamples_images(basis):
        for key in verdict.values.values():
            if key.endswith(".accuracy.mean"):
                # It has the predictions themselves as its sources.
                yield key.replace(".accuracy.mean", ".hardest_class.share")


def _resamples_images(basis: Basis) -> bool:
    """Whether a test or a share rests on which images are recognised."""
    return basis.probability is not None or any(found.pairings for found in basis.comparisons)
