"""One value a module: the filter matched to its pulse, the leak of its neighbours removed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.bonds import beside, pictures
from napari_nanoqr.reading.pulse import Pulse, inner, products
from napari_nanoqr.reading.pulse_shapes import REACH
from napari_nanoqr.reading.subsample import CELLS, fine

_FAR = 12
"""Modules across which the filter is looked at where it acts on a single one."""

_LEAST_ENERGY = 0.15
"""Of a module between dark ones, as a share of the common pulse's: there is always something."""


def equalised(
    cells: NDArray[np.float32],
    pulse: Pulse,
    signs: NDArray[np.float64],
    variance: float,
    contrast: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return a value for each module, about -1 for dark and 1 for light.

    Parameters
    ----------
    cells : (3, 3, rows, columns) float32 array
        Grey values with the margin.
    pulse : Pulse
        What a module does to them.
    signs : (rows, columns) float array
        What is expected of each module.
    variance : float
        Mean variance of these expectations.
    contrast : (rows, columns) float array
        By how much less than usual modules show.

    Returns
    -------
    values : (rows - 6, columns - 6) float array
        Matched filter, neighbours cancelled, what is left of them weighed down (linear least
        mean squares over the whole symbol), without what was expected of the module itself.
    scale : (rows - 6, columns - 6) float array
        Noise of each value relative to that of a module without bonds.
    sigma : float
        That noise, as the model expects it.

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
    left = cells - pulse.expected(signs, contrast)
    noise = pulse.noise + _open_bonds(pulse, signs)
    transfer = rfft2(pulse.picture.astype(np.float32), s=fine_shape)
    matched = irfft2(rfft2(fine(left), s=fine_shape) * transfer.conj(), s=fine_shape) / noise
    # a pulse's picture begins with the first cell of the module REACH before its own
    at_modules = np.roll(matched[::CELLS, ::CELLS], (REACH, REACH), axis=(0, 1))
    overlap = irfft2(np.abs(transfer) ** 2, s=fine_shape)[::CELLS, ::CELLS] / noise
    power = rfft2(overlap).real
    kept = 1 / (1 + variance * power)
    gain = float(irfft2(power * kept, s=shape)[0, 0])
    change = irfft2(rfft2(at_modules) * kept, s=shape)[:rows, :columns]
    rest = float(irfft2(kept, s=shape)[0, 0])
    sigma = float(np.sqrt(rest / max(gain, 1e-12)))
    share = np.ones_like(signs)
    if pulse.bonds.any():
        # what is left of the neighbours is taken out before modules are looked at with their bonds
        left -= pulse.summed(variance * change)
        around = beside(signs.clip(-1, 1))
        change += _of_bonds(left, pulse, around) / noise
        share = _shares(pulse, around, variance, noise)
    change /= max(gain, 1e-12) * share
    values: NDArray[np.float64] = signs + change / contrast
    return inner(values), inner(share**-0.5), sigma


def _open_bonds(pulse: Pulse, signs: NDArray[np.float64]) -> float:
    """Return the variance that bonds of modules of which little is known yet add to a cell."""
    known = float((inner(products(signs)) ** 2).mean())
    # two bonds a module
    return max(1 - known, 0.0) * 2 * float((pictures(pulse.bonds)[0] ** 2).sum()) / CELLS**2


def _of_bonds(
    left: NDArray[np.float32], pulse: Pulse, around: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what bonds add to the matched filter of each module.

    A module's own pulse is what it changes in the image: the common one, and its bonds with
    those signs that its neighbours have.
    """
    rows, columns = around.shape[1:]
    padded = np.pad(left, ((0, 0), (0, 0), (1, 1), (1, 1)))
    matched = np.zeros((rows, columns))
    for signs_there, bond in zip(around, pictures(pulse.bonds), strict=True):
        seen = np.zeros((rows, columns), dtype=np.float32)
        for k, m in zip(*np.nonzero(bond.any(axis=(0, 1))), strict=True):
            part = bond[:, :, k, m].astype(np.float32)
            seen += np.tensordot(part, padded[:, :, k : k + rows, m : m + columns], axes=2)
        matched += signs_there * seen
    return matched


def _shares(
    pulse: Pulse, around: NDArray[np.float64], variance: float, noise: float
) -> NDArray[np.float64]:
    """Return what can be seen of each module with its bonds, relative to one without.

    That is the energy of what it changes in the image, less what may as well be its neighbours.
    """
    from scipy.fft import irfft2, rfft2

    size = (_FAR, _FAR)
    fine_size = (CELLS * _FAR, CELLS * _FAR)
    parts = np.zeros((1 + len(around), *fine_size))
    side, first = len(pulse.picture), CELLS * (_FAR // 2)
    parts[0, first : first + side, first : first + side] = pulse.picture
    first += CELLS * (REACH - 1)
    for part, bond in zip(parts[1:], pictures(pulse.bonds), strict=True):
        part[first : first + 3 * CELLS, first : first + 3 * CELLS] = fine(bond)
    transfer = rfft2(pulse.picture, s=fine_size)
    matched = irfft2(rfft2(parts) * transfer.conj(), s=fine_size)[:, ::CELLS, ::CELLS]
    power = rfft2(irfft2(np.abs(transfer) ** 2, s=fine_size)[::CELLS, ::CELLS]).real / noise
    taken = irfft2(rfft2(matched) * (variance / (1 + variance * power)), s=size) / noise
    flat = parts.reshape(len(parts), -1)
    seen = flat @ flat.T - matched.reshape(len(parts), -1) @ taken.reshape(len(parts), -1).T
    weights = np.concatenate((np.ones((1, *around.shape[1:])), around))
    energy = np.einsum("aij,ab,bij->ij", weights, seen / seen[0, 0], weights, optimize=True)
    return np.asarray(np.maximum(energy, _LEAST_ENERGY), dtype=np.float64)
