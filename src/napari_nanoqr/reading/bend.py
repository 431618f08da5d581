"""Bend a grid as far as the image says more than noise."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.register import Fit, refine
from napari_nanoqr.reading.template import Template

_STIFFNESS = 0.03
"""Of the grid: that terms pay is seen to by another criterion."""


@dataclass(frozen=True, eq=False)
class Model:
    """A fit and what speaks against it.

    Schwarz's criterion (Annals of Statistics 6, 1978): the logarithm of what is left
    unexplained, the modules taken as independent, and a price for each parameter.
    """

    fit: Fit
    cost: float


def priced(fit: Fit, parameters: int, count: int) -> Model:
    """Return a fit of so many parameters to so many modules, and what speaks against it."""
    left = max(1 - fit.correlation**2, 1e-9)
    return Model(fit, float(count * np.log(left) + parameters * np.log(count)))


def bent(image: NDArray[np.float32], straight: Fit, template: Template, count: int) -> Model:
    """Bend a grid as far as that pays: first as a scan bends images, then in any way."""
    best = priced(straight, 6, count)
    for rows_only in (True, False):
        for degree in (2, 3, 4):
            within = by_rows(best.fit.grid, degree) if rows_only else None
            fit = refine(
                image, best.fit.grid, template, degree=degree, stiffness=_STIFFNESS, within=within
            )
            terms = degree + 2 if rows_only else (degree + 1) * (degree + 2) // 2
            # a change of any kind on top of one along rows has the parameters of both
            further = priced(fit, 2 * terms, count)
            if further.cost >= best.cost:
                break
            best = further
    return best


def by_rows(grid: Grid, degree: int) -> NDArray[np.float64]:
    """Return the polynomials that depend on the image's rows alone, beside affine changes.

    An image is scanned row by row: drift, vibration and a scan that is not straight move
    whole rows.
    """
    down, right = grid.perspective[0, :2] * np.array(grid.shape)
    down, right = np.array([down, right]) / (abs(down) + abs(right))
    within = np.zeros(((degree + 1) * (degree + 2) // 2, degree + 2))
    within[:3, :3] = np.eye(3)
    for power in range(2, degree + 1):
        first = power * (power + 1) // 2
        for i in range(power + 1):
            within[first + i, power + 1] = comb(power, i) * down ** (power - i) * right**i
    return np.asarray(np.kron(within, np.eye(2)), dtype=np.float64)
