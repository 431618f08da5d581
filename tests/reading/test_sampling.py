"""Modules that are weighed together."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy.ndimage import gaussian_filter

from napari_nanoqr.reading.bonds import no_bonds
from napari_nanoqr.reading.equalise import module_likelihoods
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.pulse import Pulse
from napari_nanoqr.reading.pulse_shapes import as_taps
from napari_nanoqr.reading.sampling import sampled
from napari_nanoqr.symbols.encode import encode

SYMBOL = encode(b"seen through a soft lens", "L", version=3)
PITCH = 8


def picture(blur: float, noise: float, seed: int = 0) -> tuple[np.ndarray, Grid]:
    """Draw the symbol, blurred by so many modules."""
    signs = np.where(np.pad(SYMBOL.matrix, 5), -1.0, 1.0)
    image = gaussian_filter(np.kron(signs, np.ones((PITCH, PITCH))), blur * PITCH)
    image += np.random.default_rng(seed).normal(0, noise, image.shape)
    low, high = 5 * PITCH - 0.5, (5 + SYMBOL.modules) * PITCH - 0.5
    corners = np.array([[low, low], [low, high], [high, high], [high, low]])
    return image.astype(np.float32), Grid.from_corners(corners, SYMBOL.matrix.shape)


def small_pulse(noise: float) -> Pulse:
    """Return a pulse that leaks far into its neighbours, with bonds."""
    at = (np.arange(15) - 7) / 3
    profile = np.exp(-0.5 * (at / 0.6) ** 2)
    bonds = no_bonds()
    bonds[0, 0], bonds[1, 1] = 0.2, 0.1
    return Pulse(as_taps(np.outer(profile, profile)), 0.3, noise, bonds)


def test_few_modules_get_the_likelihoods_of_all_their_combinations() -> None:
    # white noise on independent cells: what the spread is measured to be is one, or hardly more
    pulse = small_pulse(noise=6.0)
    rng = np.random.default_rng(1)
    signs = np.where(rng.random((26, 26)) < 0.5, -1.0, 1.0)
    open_ = np.zeros(signs.shape, dtype=bool)
    open_[10:12, 10:14] = True
    cells = pulse.expected(signs) + rng.normal(0, pulse.noise**0.5, (3, 3, 26, 26))
    states = np.array(list(product((-1.0, 1.0), repeat=8)))
    left = np.zeros(len(states))
    for number, state in enumerate(states):
        trial = signs.copy()
        trial[open_] = state
        left[number] = ((cells - pulse.expected(trial)) ** 2).sum()
    weights = np.exp(-0.5 * (left - left.min()) / pulse.noise)
    exact = weights @ (states > 0) / weights.sum()
    found = sampled(
        cells.astype(np.float32), pulse, np.where(open_, 0.0, signs), np.ones(signs.shape), open_
    )
    share = 1 / (1 + np.exp(-found[open_]))
    assert 0.02 < exact.min() < 0.4 or 0.6 < exact.max() < 0.98
    np.testing.assert_allclose(share, exact, atol=0.08)


def test_modules_that_are_not_open_are_not_weighed() -> None:
    pulse = small_pulse(noise=1.0)
    signs = np.ones((12, 12))
    open_ = np.zeros(signs.shape, dtype=bool)
    open_[5, 5] = True
    found = sampled(pulse.expected(signs), pulse, signs, np.ones(signs.shape), open_)
    assert found[5, 5] > 2
    assert not found[~open_].any()


def test_a_soft_image_says_more_when_modules_are_weighed_together() -> None:
    wrong = {True: 0, False: 0}
    for seed in range(3):
        image, grid = picture(0.55, 1.0, seed)
        for together in wrong:
            found = module_likelihoods(image, grid, together=together)
            wrong[together] += int(((found.llr < 0) != SYMBOL.matrix).sum())
    assert wrong[True] < 0.8 * wrong[False]


def test_the_same_image_says_the_same_twice() -> None:
    image, grid = picture(0.4, 1.0)
    first, second = (module_likelihoods(image, grid, together=True).llr for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_nothing_is_surer_than_an_outlier_lets_it_be() -> None:
    found = module_likelihoods(*picture(0.2, 0.0), together=True)
    assert ((found.llr < 0) == SYMBOL.matrix).all()
    assert np.abs(found.llr[9:-9, 9:-9]).max() < 7
