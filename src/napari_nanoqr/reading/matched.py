"""One value a module: the filter matched to its pulse, the leak of its neighbours removed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.pulse import Pulse
from napari_nanoqr.reading.subsample import CELLS, MARGIN, fine
from napari_nanoqr.reading.surroundings import REACH, beside

_LEAST_ENERGY = 0.1
"""A module that vanishes between its neighbours is not taken for less than this."""


def equalised(
    cells: NDArray[np.float32],
    pulse: Pulse,
    signs: NDArray[np.float64],
    variance: float,
    written: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
    """Return a value for each module, about -1 for dark and 1 for light.

    Parameters
    ----------
    cells : (3, 3, rows, columns) float32 array
        Grey values with the margin.
    pulse : Pulse
        What a module does to them.
    signs : (rows, columns) float array
        What is expected of each module, from all but its own place in the image.
    variance : float
        Mean variance of these expectations.
    written : (rows, columns) float array
        The same with all that is known: a module's bonds count with the signs of the others.

    Returns
    -------
    values : (rows - 6, columns - 6) float array
        Matched filter, neighbours cancelled, what is left of them weighed down (linear least
        mean squares over the whole symbol), without what was expected of the module itself.
    sigma : float
        Noise of the values as the model expects it where a module's bonds weigh each other up.
    strength : (rows - 6, columns - 6) float array
        How much more of a module is to be seen than there, or less: by so much its noise is
        less.

    References
    ----------
    M. Tüchler, R. Koetter and A. C. Singer, IEEE Trans. Commun. 50 (2002) 754: equalisation
    with soft cancelling. The filter is the same for all modules, so that it is one of
    frequencies.
    """
    from scipy.fft import irfft2, next_fast_len, rfft2

    rows, columns = signs.shape
    shape = next_fast_len(rows, real=True), next_fast_len(columns, real=True)
    fine_shape = CELLS * shape[0], CELLS * shape[1]
    left = rfft2(fine(cells - pulse.expected(signs)), s=fine_shape)
    pictures = pulse.pictures.astype(np.float32)
    transfers = [rfft2(picture, s=fine_shape) for picture in pictures if picture.any()]
    matched = [irfft2(left * t.conj(), s=fine_shape)[::CELLS, ::CELLS] for t in transfers]
    # a pulse's picture begins with the first cell of the module REACH before its own
    maps = [np.roll(m, (REACH, REACH), axis=(0, 1)) / pulse.noise for m in matched]
    overlap = irfft2(np.abs(transfers[0]) ** 2, s=fine_shape)[::CELLS, ::CELLS] / pulse.noise
    strength = np.ones((rows, columns))
    at_modules = maps[0]
    if len(maps) > 1:
        around = beside(written)
        for bond, sign in zip((maps[1], np.roll(maps[1], 1, axis=1), maps[2],
                               np.roll(maps[2], 1, axis=0)), around, strict=True):  # fmt: skip
            at_modules[:rows, :columns] += sign * bond[:rows, :columns]
        strength = _strength(pictures, around)
    power = rfft2(overlap).real
    kept = 1 / (1 + variance * power)
    gain = float(irfft2(power * kept, s=shape)[0, 0])
    change = irfft2(rfft2(at_modules) * kept, s=shape)[:rows, :columns] / max(gain, 1e-12)
    inside = np.s_[MARGIN:-MARGIN, MARGIN:-MARGIN]
    values: NDArray[np.float64] = signs[inside] + (change / strength**2)[inside]
    rest = float(irfft2(kept, s=shape)[0, 0])
    return values, float(np.sqrt(rest / max(gain, 1e-12))), strength[inside]


def _strength(pictures: NDArray[np.float32], around: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the root of the energy of what a module changes, its bonds with neighbours included.

    Relative to that of the module alone.
    """
    alone, right, below = np.pad(pictures, ((0, 0), (CELLS, 0), (CELLS, 0)))
    moved = (alone, right, np.roll(right, -CELLS, axis=1), below, np.roll(below, -CELLS, axis=0))
    flat = np.stack(moved).reshape(len(moved), -1).astype(float)
    products = flat @ flat.T
    weights = np.concatenate((np.ones((1, *around.shape[1:])), around))
    energy = np.einsum("irc,ij,jrc->rc", weights, products / products[0, 0], weights)
    return np.asarray(np.sqrt(np.maximum(energy, _LEAST_ENERGY)))
