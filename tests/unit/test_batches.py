"""Batches: every image once per epoch, prepared and augmented as the reading says."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import v2

from resnet_sizes.schemas.run.run import batches_per_epoch
from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.training.engine.batches import (
    NORMALISATION,
    Preprocessor,
    draw_flips_and_shifts,
    epoch_generator,
    evaluation_batch,
    flip_and_crop,
    shuffled_batches,
)

CPU = torch.device("cpu")


@given(images=st.integers(2, 300), batch_size=st.integers(2, 64), seed=st.integers(0, 2**32 - 1))
def test_an_epoch_shows_every_image_once_but_a_last_lone_one(images, batch_size, seed):
    batches = list(shuffled_batches(images, batch_size, epoch_generator(seed, 1), CPU))
    shown = torch.cat(batches).tolist()
    assert len(batches) == batches_per_epoch(images, batch_size)
    assert len(set(shown)) == len(shown)
    assert images - len(shown) == (1 if images % batch_size == 1 else 0)
    assert set(shown) <= set(range(images))


def test_the_order_depends_on_seed_and_epoch_alone():
    def order(seed, epoch):
        return torch.cat(list(shuffled_batches(100, 7, epoch_generator(seed, epoch), CPU))).tolist()

    assert order(0, 1) == order(0, 1)
    assert order(0, 1) != order(0, 2)
    assert order(0, 1) != order(1, 1)


@pytest.mark.parametrize("name", NORMALISATION)
def test_preparation_equals_torchvisions_transforms(name):
    images = torch.randint(0, 256, (5, 3, 32, 32), dtype=torch.uint8)
    mean, deviation = NORMALISATION[name]
    theirs = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, deviation)])(
        images
    )
    ours = Preprocessor(TrainingRecipe(normalisation=name), CPU, "fp32")(images)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_larger_input_size_is_reached_by_bilinear_interpolation():
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    ours = Preprocessor(TrainingRecipe(input_size=64, normalisation="half"), CPU, "fp32")(images)
    picture = Image.fromarray(images[0].permute(1, 2, 0).numpy())
    theirs = np.asarray(picture.resize((64, 64), Image.Resampling.BILINEAR), dtype=np.float32)
    expected = torch.from_numpy(theirs / 255 * 2 - 1).permute(2, 0, 1)
    assert ours.shape == (2, 3, 64, 64)
    # Pillow rounds to whole grey levels; one level is 2/255 here.
    torch.testing.assert_close(ours[0], expected, rtol=0, atol=2.01 / 255)


def test_flip_and_crop_gives_windows_of_the_padded_image_or_its_mirror():
    images = torch.randint(1, 256, (64, 3, 32, 32), dtype=torch.uint8)
    augmented = flip_and_crop(images, *draw_flips_and_shifts(64, epoch_generator(0, 1)))
    padded = torch.nn.functional.pad(images, (4, 4, 4, 4))
    mirrored = 0
    for image, source in zip(augmented, padded, strict=True):
        windows = [
            (flip, window.flip(2) if flip else window)
            for row in range(9)
            for column in range(9)
            for flip in (False, True)
            for window in [source[:, row : row + 32, column : column + 32]]
        ]
        matches = [flip for flip, window in windows if torch.equal(image, window)]
        assert matches, "not a window of the padded image"
        mirrored += matches[0]
    assert 16 < mirrored < 48
    assert augmented.dtype == torch.uint8


@pytest.mark.parametrize(
    ("asked", "size", "expected"),
    [(1000, 32, 1000), (1000, 64, 250), (1000, 112, 81), (1000, 224, 64), (20, 224, 20)],
)
def test_evaluation_takes_fewer_images_a_step_where_they_are_larger(asked, size, expected):
    assert evaluation_batch(asked, size) == expected
