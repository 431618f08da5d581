"""Colour becomes grey, and grey that was saved as colour stays what it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from napari_nanoqr.sem.grey import to_grey

grey_images = st.sampled_from([np.uint8, np.uint16, np.float32]).flatmap(
    lambda dtype: arrays(
        dtype,
        array_shapes(min_dims=2, max_dims=3, max_side=6),
        elements=None if dtype is not np.float32 else st.floats(0, 1, width=32),
    )
)


@given(grey_images, st.sampled_from([1, 3, 4]))
def test_a_grey_picture_saved_as_colour_comes_back_exactly(grey, channels):
    colour = np.stack([grey] * channels, axis=-1)
    if channels == 4:
        colour[..., 3] = 1
    back = to_grey(colour)
    assert back.dtype == grey.dtype
    assert np.array_equal(back, grey)


def test_luminance_weighs_green_most_and_keeps_the_type():
    red, green, blue = (np.eye(3, dtype=np.uint8)[k].reshape(1, 1, 3) * 255 for k in range(3))
    values = [int(to_grey(colour)[0, 0]) for colour in (red, green, blue)]
    assert values == [54, 182, 18]
    assert sum(values) in (254, 255)
    assert to_grey(red.astype(np.float64)).dtype == np.float64


def test_alpha_is_left_out_of_account():
    colour = np.zeros((2, 2, 4), np.uint8)
    colour[..., :3] = 90
    assert np.array_equal(to_grey(colour), np.full((2, 2), 90, np.uint8))


def test_a_boolean_picture_becomes_black_and_white():
    colour = np.zeros((1, 2, 3), bool)
    colour[0, 1] = True
    assert to_grey(colour).tolist() == [[0, 255]]


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 7), (4, 5, 0)])
def test_what_has_no_channels_is_refused(shape):
    with pytest.raises(ValueError, match="1 to 4 channels"):
        to_grey(np.zeros(shape, np.uint8))
