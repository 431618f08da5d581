"""Modules of a film that is milled through: a pulse each, and bonds between neighbours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_nanoqr.reading.bonds import added, beside, no_bonds, pictures, spread
from napari_nanoqr.reading.equalise import module_likelihoods
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.pulse import Pulse, fit_pulse, inner, products
from napari_nanoqr.reading.subsample import MARGIN, sample_cells
from napari_nanoqr.symbols.encode import encode

SYMBOL = encode(b"a film that is milled through", "L", version=3)
SIGNS = np.pad(np.where(SYMBOL.matrix, -1.0, 1.0), MARGIN, constant_values=1.0)
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
    """Return the pulse that all modules teach, and the cells that they taught it from."""
    cells = sample_cells(image.astype(np.float32), grid)
    every = np.ones(SIGNS.shape, bool)
    return fit_pulse(cells, SIGNS, np.zeros_like(SIGNS), every), cells


def parts_of(bonds: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return what bonds add to the cells of all modules, part by part."""
    shape = edges.shape[1:]
    parts = spread(edges, tuple(np.indices(shape).reshape(2, -1)))
    return np.tensordot(bonds.ravel(), parts, axes=1).reshape(3, 3, *shape)


def left_over(cells: np.ndarray, pulse: Pulse) -> float:
    return float(inner(cells - pulse.expected(SIGNS)).std())


@pytest.mark.parametrize("milled_light", [False, True])
def test_bonds_explain_what_pulses_alone_leave(milled_light: bool) -> None:
    pulse, cells = learned(*film(1.6, milled_light))
    assert left_over(cells, pulse) < 0.6 * left_over(cells, replace(pulse, bonds=no_bonds()))


def test_a_film_that_is_not_milled_through_has_no_bonds() -> None:
    image, grid = film(0.6)
    pulse, cells = learned(image, grid)
    assert np.abs(pulse.bonds).max() < 0.02 * abs(pulse.amplitude)
    assert left_over(cells, pulse) < 0.1 * image.std()


def test_bonds_tell_by_how_much_a_module_changes_the_image() -> None:
    rng = np.random.default_rng(0)
    signs = np.where(rng.random((9, 8)) < 0.5, 1.0, -1.0)
    bonds = rng.normal(size=(3, 2))
    other = signs.copy()
    other[4, 4] *= -1
    one, two = (parts_of(bonds, products(s)) for s in (signs, other))
    expected = np.zeros_like(one)
    around = beside(signs)[:, 4, 4]
    expected[:, :, 3:6, 3:6] = 2 * signs[4, 4] * np.tensordot(around, pictures(bonds), axes=1)
    np.testing.assert_allclose(one - two, expected, atol=1e-12)


def test_a_product_of_signs_is_as_open_as_its_more_open_half() -> None:
    signs = np.where(np.random.default_rng(0).random((9, 8)) < 0.5, 1.0, -1.0)
    signs[4, 4] = 0.0
    open_ = products(signs) == 0
    assert open_.sum() == 8  # four edges, each seen from both sides
    # what is no sign of a module does not count for more than one
    np.testing.assert_array_equal(products(3 * signs), products(signs))


def test_less_is_said_of_modules_that_show_less() -> None:
    image, grid = film(1.6)
    noise = np.random.default_rng(4).normal(0, 1.5, image.shape)
    found = module_likelihoods((image + noise).astype(np.float32), grid)
    dark_sides = (beside(SIGNS) < 0).sum(axis=0)[MARGIN:-MARGIN, MARGIN:-MARGIN]
    sure = np.abs(found.llr)
    # so much dose mills into what is left between milled modules
    assert sure[dark_sides >= 3].mean() < 0.85 * sure[dark_sides <= 1].mean()


def test_a_film_reads_at_less_dose_than_pulses_alone_would_need() -> None:
    image, grid = film(1.6)
    rng = np.random.default_rng(4)
    noisy = (image + rng.normal(0, 1.1, image.shape)).astype(np.float32)
    found = module_likelihoods(noisy, grid)
    assert ((found.llr < 0) != SYMBOL.matrix).mean() < 0.06


def test_what_bonds_add_is_the_sum_of_their_parts() -> None:
    rng = np.random.default_rng(2)
    bonds, edges = rng.normal(size=(3, 2)), rng.normal(size=(4, 7, 9))
    np.testing.assert_allclose(added(bonds, edges), parts_of(bonds, edges), atol=1e-5)


def test_parts_are_told_of_single_modules_too() -> None:
    edges = np.random.default_rng(2).normal(size=(4, 7, 9))
    every = spread(edges, tuple(np.indices((7, 9)).reshape(2, -1)))
    some = np.array([0, 3, 6, 2]), np.array([8, 4, 0, 1])
    np.testing.assert_array_equal(spread(edges, some), every[..., some[0] * 9 + some[1]])
