"""Pulses of a few parameters: what a module that is a blurred square looks like."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.subsample import CELLS

REACH = 2
"""Modules to each side on which a pulse acts."""

_SIDE = 2 * REACH + 1

_WIDTHS = (0.6, 0.75, 0.9, 1.0, 1.1, 1.25)
"""Sides in modules of the square that a module makes: 1 but for etch bias."""

_BLURS = (0.08, 0.15, 0.22, 0.29, 0.36, 0.44, 0.53, 0.64, 0.8)
"""Standard deviations in modules of all that blurs it."""

_TAIL = 1.2
"""The same of what reaches far: beam tails, backscattered electrons."""


def simple_taps(normal: NDArray[np.float64], product: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the best pulse of a few parameters: a blurred square and a wide tail.

    Parameters
    ----------
    normal : (26, 26) float array
        Normal equations of offset and taps.
    product : (9, 26) float array
        Products of cells with offset and taps.

    Returns
    -------
    (9, 25) float array
        Taps.
    """
    # the offset is fitted along with whatever the taps are
    reduced = normal[1:, 1:] - np.outer(normal[1:, 0], normal[0, 1:]) / normal[0, 0]
    wanted = product[:, 1:] - np.outer(product[:, 0], normal[0, 1:]) / normal[0, 0]
    family, tail = _family()
    seen, seen_tail = family @ reduced, tail @ reduced
    ff, ft, tt = (
        (family * seen).sum(axis=(1, 2)),
        (family * seen_tail).sum(axis=(1, 2)),
        float((tail * seen_tail).sum()),
    )
    f, t = (family * wanted).sum(axis=(1, 2)), float((tail * wanted).sum())
    determinant = ff * tt - ft**2
    narrow, wide = (f * tt - t * ft) / determinant, (t * ff - f * ft) / determinant
    best = int(np.argmax(narrow * f + wide * t))
    result: NDArray[np.float64] = narrow[best] * family[best] + wide[best] * tail
    return result


@lru_cache(maxsize=1)
def _family() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return blurred squares of all widths and blurs, ``(n, 9, 25)``, and a wide tail."""
    profiles = [_profile(width, blur) for width in _WIDTHS for blur in _BLURS]
    tail = _profile(1.0, _TAIL)
    squares = [as_taps(np.outer(p, p)).reshape(CELLS**2, -1) for p in profiles]
    return np.stack(squares), as_taps(np.outer(tail, tail)).reshape(CELLS**2, -1)


def _profile(width: float, blur: float) -> NDArray[np.float64]:
    """Return the mean in each cell of a bar that was blurred by a Gaussian, ``(15,)``."""
    edges = (np.arange(CELLS * _SIDE + 1) - CELLS * _SIDE / 2) / CELLS

    def integral(x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of the normal distribution function."""
        z = x / blur
        lower = np.array([math.erf(v / math.sqrt(2)) for v in z]) / 2 + 0.5
        return x * lower + blur * np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)

    return CELLS * np.diff(integral(edges + width / 2) - integral(edges - width / 2))


def as_taps(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a pulse by the cell and the module that it comes from.

    Parameters
    ----------
    picture : (15, 15) float array
        The pulse, three rows and columns a module.

    Returns
    -------
    (3, 3, 5, 5) float array
        Row and column of the cell, then by how far the module is off.
    """
    back = picture.reshape(_SIDE, CELLS, _SIDE, CELLS).transpose(1, 3, 0, 2)
    return back[:, :, ::-1, ::-1]
