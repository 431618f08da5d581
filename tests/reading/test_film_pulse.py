"""Modules of a film that is milled through: a pulse each, and bonds between neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_nanoqr.reading.equalise import module_likelihoods
from napari_nanoqr.reading.film_shapes import film_shapes
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.pulse import Pulse, fit_pulse
from napari_nanoqr.reading.subsample import CELLS, MARGIN, sample_cells
from napari_nanoqr.reading.surroundings import BONDS, doubts, surroundings
from napari_nanoqr.symbols.encode import encode

SYMBOL = encode(b"a film that is milled through", "L", version=3)
PITCH = 8


def film(dose: float, milled_light: bool = False) -> tuple[np.ndarray, Grid]:
    """Return a film of which milling leaves what the dose does not take, and its grid."""
    dark = np.pad(SYMBOL.matrix, 4)
    milled = np.kron(~dark if milled_light else dark, np.ones((PITCH, PITCH)))
    left = np.maximum(1 - dose * gaussian_filter(milled, 0.25 * PITCH), 0)
    corner = 4 * PITCH - 0.5
    far = corner + PITCH * SYMBOL.modules
    corners = np.array([[corner, corner], [corner, far], [far, far], [far, corner]])
    return left, Grid.from_corners(corners, SYMBOL.matrix.shape)


def learned(image: np.ndarray, grid: Grid) -> tuple[Pulse, np.ndarray]:
    cells = sample_cells(image.astype(np.float32), grid)
    signs = np.pad(np.where(SYMBOL.matrix, -1.0, 1.0), MARGIN, constant_values=1.0)
    every = np.ones(signs.shape, bool)
    pulse = fit_pulse(cells, signs, np.zeros_like(signs), every)
    return pulse, (cells - pulse.expected(signs))[..., MARGIN:-MARGIN, MARGIN:-MARGIN]


@pytest.mark.parametrize("milled_light", [False, True])
def test_bonds_explain_what_pulses_alone_leave(milled_light: bool) -> None:
    image, grid = film(1.6, milled_light)
    pulse, left = learned(image, grid)
    signs = np.pad(np.where(SYMBOL.matrix, -1.0, 1.0), MARGIN, constant_values=1.0)
    alone = Pulse(pulse.taps, np.zeros_like(pulse.bonds), pulse.offset, pulse.noise)
    cells = sample_cells(image.astype(np.float32), grid)
    without = (cells - alone.expected(signs))[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    assert left.std() < 0.6 * without.std()
    # pairs of a kind keep more film than one milled module beside another takes
    assert pulse.bonds.sum() > 0


def test_a_film_that_is_not_milled_through_has_no_bonds() -> None:
    image, grid = film(0.6)
    pulse, left = learned(image, grid)
    assert np.abs(pulse.bonds).sum() < 0.1 * np.abs(pulse.taps).sum()
    assert left.std() < 0.1 * image.std()


def test_the_pictures_of_a_pulse_and_its_bonds_add_up_to_what_is_expected() -> None:
    image, grid = film(1.6)
    pulse, _ = learned(image, grid)
    signs = np.zeros((11, 11))
    signs[5, 5] = signs[5, 6] = 1.0
    expected = pulse.expected(signs) - pulse.offset
    shown = expected.transpose(2, 0, 3, 1).reshape(33, 33)
    module, right, _ = pulse.pictures
    summed = np.zeros((33, 33))
    summed[9:24, 9:24] += module + right
    summed[9:24, 12:27] += module
    np.testing.assert_allclose(shown, summed, atol=1e-5)


def test_a_film_reads_at_less_dose_than_pulses_alone_would_need() -> None:
    image, grid = film(1.6)
    rng = np.random.default_rng(4)
    noisy = (image + rng.normal(0, 1.1, image.shape)).astype(np.float32)
    found = module_likelihoods(noisy, grid)
    assert ((found.llr < 0) != SYMBOL.matrix).mean() < 0.06


def test_every_film_shape_has_the_same_bonds_in_all_directions() -> None:
    shapes = film_shapes()
    bonds = shapes[:, :, -BONDS:].mean(axis=1)
    np.testing.assert_allclose(bonds[:, 2], bonds[:, 3], atol=0.02)
    np.testing.assert_allclose(bonds[:, 2], bonds[:, 7], atol=0.02)


def test_surroundings_that_are_known_are_not_in_doubt() -> None:
    signs = np.sign(np.random.default_rng(0).normal(size=(9, 8)))
    assert surroundings(signs).shape == (25 + BONDS, 9, 8)
    assert not doubts(signs, np.zeros_like(signs)).any()
    # a product is as open as its more open half
    variance = np.zeros_like(signs)
    signs[4, 4], variance[4, 4] = 0.0, 1.0
    assert doubts(signs, variance)[12, 4, 4] == 1.0
    assert CELLS * doubts(signs, variance)[25:, 4, 4].max() == CELLS
