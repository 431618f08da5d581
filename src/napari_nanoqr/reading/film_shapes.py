"""Pulses and bonds of films that are milled through, from a model of the milling.

The dose is that of the milled modules, smoothed by the ion beam; the film goes in proportion
until it is gone; the signal turns from the floor's to the film's over an escape depth; and the
microscope smooths all of it.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.subsample import CELLS
from napari_nanoqr.reading.surroundings import REACH, surroundings

_FINE = 3
"""Points a cell and axis."""

_BEAM = (0.12, 0.22, 0.38)
"""Standard deviations in modules of the ion beam and of the modules' own edges."""

_DOSE = (0.8, 1.0, 1.3, 2.0)
"""Dose of a large area over what the film takes."""

_ESCAPE = (0.15, 1.5)
"""Thickness over which the signal turns from the floor's to the film's, in films."""

_PROBE = (0.06, 0.2, 0.45)
"""Standard deviations in modules of all that blurs the image."""

_PATTERN = 26
"""Side in modules of the random pattern on which pulses and bonds are measured."""


@lru_cache(maxsize=1)
def film_shapes() -> NDArray[np.float64]:
    """Return what films of many kinds show, least squares over a random pattern.

    Returns
    -------
    (n, 9, 37) float array
        By cell and surroundings, 1 from the floor to the film; light modules are left standing.
    """
    signs = np.sign(np.random.default_rng(3).normal(size=(_PATTERN, _PATTERN)))
    inside = np.s_[:, REACH:-REACH, REACH:-REACH]
    seen = surroundings(signs)[inside].reshape(len(surroundings(signs)), -1)
    solve = np.linalg.pinv(np.concatenate((np.ones((1, seen.shape[1])), seen)).T)[1:]
    milled = (1 - signs) / 2
    fine = CELLS * _FINE
    at = (np.arange(fine * _PATTERN) + 0.5) / fine
    shapes = []
    probes = [_smoothing(at, probe) for probe in _PROBE]
    for beam in _BEAM:
        profile = _bars(at, beam)
        dose = profile @ milled @ profile.T
        for strength in _DOSE:
            left = np.maximum(1 - strength * dose, 0.0)
            for escape in _ESCAPE:
                film = np.expm1(-left / escape) / math.expm1(-1 / escape)
                for probe in probes:
                    cells = probe @ film @ probe.T
                    by_module = cells.reshape(_PATTERN, CELLS, _PATTERN, CELLS)
                    flat = by_module.transpose(1, 3, 0, 2).reshape(CELLS**2, _PATTERN, _PATTERN)
                    shapes.append(flat[inside].reshape(CELLS**2, -1) @ solve.T)
    return np.stack(shapes)


def _bars(at: NDArray[np.float64], blur: float) -> NDArray[np.float64]:
    """Return the dose of a bar one module wide at each point, ``(points, modules)``."""
    starts = np.arange(_PATTERN)
    erf = np.vectorize(math.erf)
    scale = blur * math.sqrt(2)
    ends = at[:, None] - starts
    result: NDArray[np.float64] = (erf(ends / scale) - erf((ends - 1) / scale)) / 2
    return result


def _smoothing(at: NDArray[np.float64], blur: float) -> NDArray[np.float64]:
    """Return the means of points in cells after smoothing, ``(cells, points)``."""
    weights = np.exp(-0.5 * ((at[:, None] - at) / blur) ** 2)
    weights /= weights.sum(axis=1, keepdims=True)
    means: NDArray[np.float64] = weights.reshape(-1, _FINE, at.size).mean(axis=1)
    return means
