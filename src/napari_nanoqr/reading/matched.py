"""One value a module: the filter matched to its pulse, the leak of its neighbours removed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.pulse import Pulse
from napari_nanoqr.reading.pulse_shapes import REACH
from napari_nanoqr.reading.subsample import MARGIN


def equalised(
    cells: NDArray[np.float32],
    pulse: Pulse,
    signs: NDArray[np.float64],
    open_share: float,
) -> tuple[NDArray[np.float64], float]:
    """Return a value for each module, about -1 for dark and 1 for light.

    Parameters
    ----------
    cells : (3, 3, rows, columns) float32 array
        Grey values with the margin.
    pulse : Pulse
        What a module does to them.
    signs : (rows, columns) float array
        What is expected of each module, from all but its own value as far as possible.
    open_share : float
        Mean variance of the modules that are not known.

    Returns
    -------
    values : (rows - 6, columns - 6) float array
        Matched filter, neighbours cancelled, what is left of them weighed down (linear least
        mean squares, 3 x 3 modules).
    sigma : float
        Noise of the values as the model expects it.

    References
    ----------
    M. Tüchler, R. Koetter and A. C. Singer, IEEE Trans. Commun. 50 (2002) 754: equalisation
    with soft cancelling.
    """
    left = cells - pulse.expected(signs)
    near = pulse.taps[:, :, 1:-1, 1:-1]
    # each module's cells, and those of its eight neighbours, against its pulse
    rows, columns = signs.shape
    matched = np.zeros((rows - 4, columns - 4))
    for k in range(3):
        for m in range(3):
            # module j shows in the cells of j - (k - 1) with tap k
            shifted = left[:, :, 3 - k : rows - 1 - k, 3 - m : columns - 1 - m]
            matched += np.tensordot(near[:, :, k, m], shifted, axes=2)
    leak = _overlap(near, pulse.taps, REACH)
    noise = _overlap(near, near, REACH) * pulse.noise
    reach = range(-1, 2)
    places = [(a, b) for a in reach for b in reach]
    # matched[j + d] holds leak[-d] of module j
    own = np.array([leak[REACH - a, REACH - b] for a, b in places])
    full = _overlap_of_kernel(leak)
    covariance = np.array(
        [
            [
                open_share * full[a - c, b - d] + noise[REACH + a - c, REACH + b - d]
                for c, d in places
            ]
            for a, b in places
        ]
    )
    covariance -= open_share * np.outer(own, own)
    covariance[np.diag_indices(9)] += 1e-6 * np.trace(covariance)
    weights = np.linalg.solve(covariance, own)
    gain = float(weights @ own)
    values = signs[MARGIN:-MARGIN, MARGIN:-MARGIN].copy()
    height, width = values.shape
    for weight, (a, b) in zip(weights, places, strict=True):
        values += weight / gain * matched[1 + a : 1 + a + height, 1 + b : 1 + b + width]
    return values, float(np.sqrt(1 / max(gain, 1e-12)))


def _overlap(
    one: NDArray[np.float64], other: NDArray[np.float64], reach: int
) -> NDArray[np.float64]:
    """Return the sums of products of two pulses, the second displaced by whole modules."""
    grow = reach + (one.shape[-1] - other.shape[-1]) // 2
    wide = np.pad(other, ((0, 0), (0, 0), (grow, grow), (grow, grow)))
    size = one.shape[-1]
    result = np.empty((2 * reach + 1, 2 * reach + 1))
    for a in range(2 * reach + 1):
        for b in range(2 * reach + 1):
            result[a, b] = (one * wide[:, :, a : a + size, b : b + size]).sum()
    return result


class _Kernel(dict[tuple[int, int], float]):
    """Values by displacement, zero where there is none."""

    def __missing__(self, key: tuple[int, int]) -> float:
        return 0.0


def _overlap_of_kernel(leak: NDArray[np.float64]) -> _Kernel:
    """Return the covariance that random modules have after leaking."""
    table = _overlap(leak[None, None], leak[None, None], 2)
    return _Kernel({(a, b): float(table[a + 2, b + 2]) for a in range(-2, 3) for b in range(-2, 3)})
