"""One value a module: the filter matched to its pulse, the leak of its neighbours removed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.pulse import Pulse
from napari_nanoqr.reading.pulse_shapes import REACH
from napari_nanoqr.reading.subsample import CELLS, MARGIN, fine


def equalised(
    cells: NDArray[np.float32],
    pulse: Pulse,
    signs: NDArray[np.float64],
    variance: float,
) -> tuple[NDArray[np.float64], float]:
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

    Returns
    -------
    values : (rows - 6, columns - 6) float array
        Matched filter, neighbours cancelled, what is left of them weighed down (linear least
        mean squares over the whole symbol), without what was expected of the module itself.
    sigma : float
        Noise of the values as the model expects it.

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
    transfer = rfft2(pulse.picture.astype(np.float32), s=fine_shape)
    matched = irfft2(left * transfer.conj(), s=fine_shape) / pulse.noise
    # a pulse's picture begins with the first cell of the module REACH before its own
    at_modules = np.roll(matched[::CELLS, ::CELLS], (REACH, REACH), axis=(0, 1))
    overlap = irfft2(np.abs(transfer) ** 2, s=fine_shape)[::CELLS, ::CELLS] / pulse.noise
    power = rfft2(overlap).real
    kept = 1 / (1 + variance * power)
    gain = float(irfft2(power * kept, s=shape)[0, 0])
    change = irfft2(rfft2(at_modules) * kept, s=shape)[:rows, :columns] / max(gain, 1e-12)
    inside = np.s_[MARGIN:-MARGIN, MARGIN:-MARGIN]
    values: NDArray[np.float64] = signs[inside] + change[inside]
    rest = float(irfft2(kept, s=shape)[0, 0])
    return values, float(np.sqrt(rest / max(gain, 1e-12)))
