"""The class-balanced subset."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.subset import balanced_subset


def _labels(counts: list[int]) -> Any:
    labels = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(1).permutation(labels)


def _names(classes: int) -> list[str]:
    return [f"class{label}" for label in range(classes)]


@st.composite
def _requests(draw: st.DrawFn) -> tuple[list[int], int, int]:
    counts = draw(st.lists(st.integers(1, 12), min_size=2, max_size=8))
    count = draw(st.integers(1, len(counts) * min(counts)))
    return counts, count, draw(st.integers(0, 2**32))


@given(_requests())
def test_a_subset_is_balanced_and_has_the_size_asked_for(
    request: tuple[list[int], int, int],
) -> None:
    counts, count, seed = request
    labels = _labels(counts)
    chosen = balanced_subset(labels, _names(len(counts)), count, seed, "train")
    assert len(set(chosen.tolist())) == len(chosen) == count
    assert sorted(chosen.tolist()) == chosen.tolist()
    shares = np.bincount(labels[chosen], minlength=len(counts))
    assert shares.max() - shares.min() <= 1


@given(_requests())
def test_a_larger_subset_contains_the_smaller(request: tuple[list[int], int, int]) -> None:
    counts, count, seed = request
    labels, names = _labels(counts), _names(len(counts))
    larger = balanced_subset(labels, names, count, seed, "train")
    smaller = balanced_subset(labels, names, max(1, count // 2), seed, "train")
    assert set(smaller.tolist()) <= set(larger.tolist())


def test_a_subset_is_the_same_for_ever() -> None:
    labels = np.arange(30) % 3
    chosen = balanced_subset(labels, _names(3), 7, 0, "train")
    assert chosen.tolist() == [9, 10, 12, 14, 20, 25, 28]


def test_seed_and_part_draw_other_images() -> None:
    labels = np.arange(300) % 3
    draws = [
        balanced_subset(labels, _names(3), 30, seed, part).tolist()
        for seed, part in ((0, "train"), (1, "train"), (0, "test"))
    ]
    assert draws[0] != draws[1]
    assert draws[0] != draws[2]


def test_no_limit_takes_all() -> None:
    assert balanced_subset(_labels([3, 1]), _names(2), None, 0, "test").tolist() == [0, 1, 2, 3]


def test_a_class_with_too_few_images_is_named_with_the_numbers() -> None:
    with pytest.raises(UserError) as error:
        balanced_subset(_labels([9, 4, 9]), _names(3), 15, 0, "test")
    message = str(error.value)
    assert message.startswith(
        "dataset.limit.test: is 15, which needs 5 images of class 'class1', but there are 4 "
        "(and 22 in all 3 classes)."
    )
    assert "Set it to 12 at most" in message
    assert len(balanced_subset(_labels([9, 4, 9]), _names(3), 12, 0, "test")) == 12


def test_more_images_than_there_are_is_an_error() -> None:
    with pytest.raises(UserError, match=r"^dataset\.limit\.train: is 100, .* at most, or to null"):
        balanced_subset(_labels([4, 4]), _names(2), 100, 0, "train")
