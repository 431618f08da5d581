"""Smoothing by whole rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from napari_nanoqr.reading.smooth import block_means, smoothed, turned


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0, 5))
def test_smoothing_is_a_gaussian_mean(rows: int, columns: int, sigma: float) -> None:
    image = np.random.default_rng(rows).normal(100, 30, (rows, columns)).astype(np.float32)
    expected = gaussian_filter(image, sigma, mode="nearest", truncate=3.0)
    np.testing.assert_allclose(smoothed(image, sigma), expected, atol=1e-2)


def test_smoothing_leaves_an_even_image_even_and_the_given_one_alone() -> None:
    image = np.full((40, 1024), 7, dtype=np.float32)
    soft = smoothed(image, 2.5)
    np.testing.assert_allclose(soft, 7, rtol=1e-6)
    assert soft is not image
    assert soft.dtype == np.float32


@pytest.mark.parametrize("shape", [(1, 1), (3, 1024), (1024, 3)])
def test_turning_exchanges_rows_and_columns(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.testing.assert_array_equal(turned(image), image.T)
    assert turned(image).flags.c_contiguous


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 7))
def test_a_block_mean_is_that_of_its_pixels(rows: int, columns: int, factor: int) -> None:
    image = np.random.default_rng(rows).normal(100, 30, (rows, columns)).astype(np.float32)
    before = image.copy()
    means = block_means(image, factor)
    assert means.shape == (rows // factor, columns // factor)
    for i, j in np.ndindex(*means.shape):
        block = image[i * factor : (i + 1) * factor, j * factor : (j + 1) * factor]
        assert means[i, j] == pytest.approx(block.mean(), rel=1e-4)
    means += 1
    np.testing.assert_array_equal(image, before)
