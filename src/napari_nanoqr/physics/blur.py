"""Gaussian blurs in the frequency domain: exact for any width, and several at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def blur(
    image: NDArray[np.float64],
    cell_nm: float,
    gaussians: Sequence[tuple[float, NDArray[np.float64]]],
    *,
    surroundings: str = "zero",
) -> NDArray[np.float64]:
    """Convolve an image with a sum of Gaussians.

    Parameters
    ----------
    image : (rows, columns) float64 array
        What is blurred.
    cell_nm : float
        Side of its cells.
    gaussians : sequence of (float, (2, 2) array)
        Weight and covariance in nm^2 of each Gaussian, on (x, y). A covariance may be
        slightly negative to take back the width of an interpolation.
    surroundings : {"zero", "edge"}
        What lies beyond the image: nothing, or more of what is at its edge.

    Returns
    -------
    (rows, columns) float64 array
        The blurred image.
    """
    from scipy import fft

    widest = max(max(cov[0, 0], cov[1, 1]) for _, cov in gaussians)
    pad = int(np.ceil(4 * np.sqrt(max(widest, 0.0)) / cell_nm))
    if surroundings == "edge":
        image, inner = np.pad(image, pad, mode="edge"), image
    else:
        inner = image
    rows, columns = inner.shape
    # what is cut off at one side must not come back at the other
    shape = [fft.next_fast_len(n + pad * (surroundings == "zero"), real=True) for n in image.shape]
    ky = fft.fftfreq(shape[0], cell_nm)[:, None]
    kx = fft.rfftfreq(shape[1], cell_nm)[None, :]
    transfer = sum(
        weight * np.exp(-2 * np.pi**2 * (xx * kx**2 + 2 * xy * kx * ky + yy * ky**2))
        for weight, ((xx, xy), (_, yy)) in gaussians
    )
    spectrum = fft.rfft2(image, shape)
    spectrum *= transfer
    blurred = fft.irfft2(spectrum, shape)
    first = pad if surroundings == "edge" else 0
    return np.asarray(blurred[first : first + rows, first : first + columns], dtype=np.float64)
