"""The noise of an image is measured, and more of its kind can be drawn."""

from __future__ import annotations

import numpy as np
import pytest

from napari_nanoqr.design.record import record_design
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.reading.noise import measure_noise


def test_white_noise_is_measured() -> None:
    noise = measure_noise(np.random.default_rng(1).normal(50, 7, (200, 150)).astype(np.float32))
    assert noise is not None
    assert noise.sigma.mean() == pytest.approx(7, rel=0.03)
    assert noise.alike < 0.03


@pytest.mark.parametrize("electrons", [30, 400])
@pytest.mark.parametrize("pixels", [5, 10])
def test_a_symbol_under_the_noise_is_not_taken_for_noise(electrons: int, pixels: int) -> None:
    frames = simulate_micrograph(
        record_design(), electrons_per_pixel=electrons, pixel_size_nm=49 / pixels, frames=12,
        rotation_deg=20, seed=1,
    ).image.astype(np.float32)  # fmt: skip
    noise = measure_noise(frames[0])
    assert noise is not None
    true = frames.std(axis=0, ddof=1)
    assert np.sqrt((noise.sigma**2).mean()) == pytest.approx(np.sqrt((true**2).mean()), rel=0.03)
    assert np.corrcoef(noise.sigma.ravel(), true.ravel())[0, 1] > 0.15


def test_noise_that_neighbours_in_a_row_share_is_drawn_as_it_is() -> None:
    white = np.random.default_rng(2).normal(size=(300, 302)).astype(np.float32)
    image = 10 * (white[:, 1:-1] + 0.3 * (white[:, 2:] + white[:, :-2]))
    noise = measure_noise(image)
    assert noise is not None
    drawn = noise.draw(np.random.default_rng(3))
    assert drawn.std() == pytest.approx(image.std(), rel=0.04)
    for along_rows, tolerance in ((1, 0.04), (0, 0.04)):
        shifted = np.roll(drawn, 1, axis=along_rows)
        expected = np.corrcoef(image.ravel(), np.roll(image, 1, axis=along_rows).ravel())[0, 1]
        found = np.corrcoef(drawn.ravel(), shifted.ravel())[0, 1]
        assert found == pytest.approx(expected, abs=tolerance)


def test_a_drawn_picture_has_no_noise() -> None:
    squares = np.kron(np.random.default_rng(4).random((20, 20)) < 0.5, np.ones((8, 8)))
    assert measure_noise((200 * squares).astype(np.float32)) is None
    assert measure_noise(np.zeros((60, 60), np.float32)) is None
    assert measure_noise(np.zeros((4, 4), np.float32)) is None
