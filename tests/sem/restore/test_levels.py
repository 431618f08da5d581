"""Two grey levels that change slowly, whatever is written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from napari_nanoqr.sem.restore.levels import two_levels
from napari_nanoqr.symbols.encode import encode

MODULES = np.pad(encode("levels", version=2).matrix, 5)


def written() -> np.ndarray:
    """1 for light and 0 for dark, edges blurred, ``(210, 210)``."""
    return gaussian_filter(np.kron(np.where(MODULES, 0.0, 1.0), np.ones((6, 6))), 1.0)


Y, X = (np.linspace(-1, 1, n) for n in written().shape)


@given(
    down=st.floats(-0.5, 0.5), right=st.floats(-0.5, 0.5), bowl=st.floats(-0.4, 0.4),
    noise=st.sampled_from([0.0, 0.2]),
)  # fmt: skip
@settings(max_examples=12, deadline=None)
def test_brightness_that_changes_is_found(
    down: float, right: float, bowl: float, noise: float
) -> None:
    field = down * Y[:, None] + right * X + bowl * Y[:, None] ** 2
    image = 100 * (written() + field)
    image += np.random.default_rng(0).normal(0, 100 * noise, image.shape)
    levels = two_levels(image.astype(np.float32))
    inner = slice(30, -30)
    found = (levels.middle - levels.middle.mean()) / 100
    apart = found - field + field.mean()
    assert np.abs(apart[inner, inner]).max() < 0.1
    assert levels.contrast[inner, inner].mean() == pytest.approx(100, rel=0.15)


def test_a_contrast_that_changes_is_found() -> None:
    gain = 1 + 0.3 * X
    levels = two_levels((gain * (50 + 100 * written())).astype(np.float32))
    np.testing.assert_allclose(
        levels.contrast[100, 40:-40] / levels.contrast[100].mean(), gain[40:-40], atol=0.12
    )


def test_what_is_written_is_not_taken_for_uneven() -> None:
    levels = two_levels((100 * written()).astype(np.float32))
    assert np.ptp(levels.middle) < 5
    assert np.ptp(levels.contrast) < 10


@pytest.mark.parametrize("shape", [(40, 40), (1, 1), (2, 300)])
def test_an_even_image_has_one_level(shape: tuple[int, int]) -> None:
    levels = two_levels(np.full(shape, 7.0, np.float32))
    np.testing.assert_allclose(levels.middle, 7, atol=1e-3)
    assert (levels.contrast > 0).all()
