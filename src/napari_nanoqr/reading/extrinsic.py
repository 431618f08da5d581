"""What is known of a module from all but its own place in the image.

An equaliser that is told what it said itself believes it the more: leak that was taken for a
module returns as the module's neighbours, field that was taken for modules returns as modules.
What the equaliser gets back must be what it has not said.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.evidence import Levels, Values

_SHARE = 0.7
"""How much of its own word is taken from a module. All of it is right where what is left of the
neighbours is noise of a normal distribution; where hardly any module is in doubt, none is best.
"""

_MOST = 1.5
"""Farther out than this nothing is expected of a module, dark being -1 and light 1."""


def expected_by_others(
    seen: Values, levels: Levels, soft: NDArray[np.float64], open_: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], float]:
    """Return what is expected of modules before their own values are looked at.

    Parameters
    ----------
    seen : Values
        Equalised values.
    levels : Levels
        Means and noise of dark and light modules.
    soft : (rows, columns) float array
        Expectation of each module given its value, -1 to 1.
    open_ : (rows, columns) bool array
        Modules of which it is not known what was written.

    Returns
    -------
    signs : (rows, columns) float array
        The expectations.
    variance : float
        Their mean variance over the open modules; 0 where none is open.

    References
    ----------
    T. P. Minka, UAI 2001 (expectation propagation); S. Rangan, P. Schniter and A. K. Fletcher,
    IEEE Trans. Inf. Theory 65 (2019) 6664: dividing what is known by what a value said, both
    taken as normal, with one variance for all.
    """
    if not open_.any():
        return soft, 0.0
    middle = (levels.light.mean + levels.dark.mean) / 2
    half = (levels.light.mean - levels.dark.mean) / 2
    said = (seen.values - middle) / half
    noise = (levels.light.sigma**2 + levels.dark.sigma**2) / 2 / half**2 * seen.scale**2
    doubt = _doubt(noise)
    # as much as there is, distributed as it is expected to be
    doubt *= float((1 - soft**2)[open_].mean()) / float(doubt[open_].mean())
    share = _SHARE * np.clip(doubt / noise, 0.0, 0.9)
    signs = np.clip((soft - share * said) / (1 - share), -_MOST, _MOST)
    return signs, float((doubt / (1 - share))[open_].mean())


def _doubt(noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean variance of a sign that was seen once, with noise of a variance."""
    variances, means = _table()
    doubt: NDArray[np.float64] = np.interp(np.log(noise), np.log(variances), means)
    return doubt


@lru_cache(maxsize=1)
def _table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    variances = np.geomspace(0.01, 10, 60)
    soft = np.tanh(1 / variances[:, None] + nodes / np.sqrt(variances[:, None]))
    return variances, np.maximum(1 - soft @ weights / weights.sum(), 1e-4)
