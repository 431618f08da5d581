"""A fitted symbol: where it is, how its edges lie, and which grey values that stands for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.measuring.blurred import Derivatives, EdgeShape, darkness
from napari_nanoqr.measuring.inverse import centres
from napari_nanoqr.measuring.surround import AROUND
from napari_nanoqr.reading.grid import Grid, Points, polynomials
from napari_nanoqr.reading.interpolation import interpolate

BRIGHTNESS = 3
"""Degree of the polynomial that follows slow changes of the brightness."""

LEVELS = (BRIGHTNESS + 1) * (BRIGHTNESS + 2) // 2
LINEAR = LEVELS + 3 + 2
"""Terms of the brightness; and with those of the contrast, and of how edges follow the density."""

_DENSITY_SIGMA = 0.6
"""Modules. Edges follow how much is milled around them, by the tail of the ion beam and by what
falls back: without that the outermost edges, on whose outer side nothing is milled, would make a
symbol narrower by one or two parts in 10,000."""

_DENSITY_STEPS = 4
"""Points a module at which that is drawn."""


@dataclass(frozen=True, eq=False)
class SymbolFit:
    """A symbol in an image, as exactly as the image tells.

    Parameters
    ----------
    grid : Grid
        Where the modules are.
    steps : (2, 2) float array
        Pixels (y, x) from row to row, ``[:, 0]``, and from column to column, ``[:, 1]``: of the
        straight lattice that is nearest to all modules.
    steps_covariance : (4, 4) float array
        Of ``steps.ravel()``.
    shape : EdgeShape
        Edges in modules, of rows and columns.
    shape_covariance : (4, 4) float array
        Of both biases and both sigmas.
    light, dark : float
        Grey values of large areas, in the middle of the symbol.
    levels_covariance : (2, 2) float array
        Of these.
    strange : (rows, columns) bool array
        Modules that show something else than written and were left out.
    bent : bool
        The lattice is seen not to be straight.
    linear : (15,) float array
        Coefficients of brightness, contrast, and how edges follow what is around them.
    around : (rows + 6, columns + 6) bool array
        What is written and what lies around it, see
        :func:`~napari_nanoqr.measuring.surround.surrounded`.
    dense : (y, x) float32 array
        How much is dark around each place, less the mean.
    sigma : float
        Standard deviation of what the drawing leaves over at a pixel.
    """

    grid: Grid
    steps: NDArray[np.float64]
    steps_covariance: NDArray[np.float64]
    shape: EdgeShape
    shape_covariance: NDArray[np.float64]
    light: float
    dark: float
    levels_covariance: NDArray[np.float64]
    strange: NDArray[np.bool_]
    bent: bool
    linear: NDArray[np.float64] = field(repr=False)
    around: NDArray[np.bool_] = field(repr=False)
    dense: NDArray[np.float32] = field(repr=False)
    sigma: float

    @property
    def light_around(self) -> bool:
        """Most of what lies around the symbol is light."""
        outside = np.ones(self.around.shape, dtype=bool)
        outside[AROUND:-AROUND, AROUND:-AROUND] = False
        return bool(self.around[outside].mean() < 0.5)

    def levels(self, places: Points) -> NDArray[np.float64]:
        """Return the grey values of light and of dark areas at some places, ``(2, n)``."""
        scaled = self.grid.scaled(places)
        light = polynomials(scaled, BRIGHTNESS) @ self.linear[:LEVELS]
        slopes = self.linear[LEVELS : LEVELS + 3]
        return np.stack((light, light + slopes[0] + scaled @ slopes[1:]))

    def expected(self, places: Points, drawn: Derivatives) -> NDArray[np.float64]:
        """Return the grey values that the drawing of a symbol stands for.

        Parameters
        ----------
        places : (n, 2) float array
            Row and column in modules.
        drawn : (7, n) float array
            What :func:`~napari_nanoqr.measuring.blurred.darkness` gives there.
        """
        light, dark = self.levels(places)
        follows = self.linear[LEVELS + 3 :] @ drawn[3:5] * density_at(self.dense, places)
        return np.asarray(light + (dark - light) * (drawn[0] + follows))


def density_of(around: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return how much is dark around each place, less the mean, in quarters of modules."""
    from scipy.ndimage import gaussian_filter

    fine = np.kron(around, np.ones((_DENSITY_STEPS, _DENSITY_STEPS)))
    dense = gaussian_filter(
        fine.astype(np.float32), _DENSITY_SIGMA * _DENSITY_STEPS, mode="nearest"
    )
    inside = around[AROUND:-AROUND, AROUND:-AROUND]
    return np.asarray(dense - np.float32(inside.mean()), dtype=np.float32)


def drawing_of(around: NDArray[np.bool_], shape: EdgeShape, places: Points) -> Derivatives:
    """Return how dark a symbol and what lies around it is at some places, as `darkness` does."""
    return darkness(around, shape, places + AROUND)


def density_at(dense: NDArray[np.float32], places: Points) -> NDArray[np.float64]:
    """Return what :func:`density_of` gives at some places, in modules."""
    seen = interpolate(dense, (places + AROUND) * _DENSITY_STEPS - 0.5)
    return np.asarray(seen, dtype=np.float64)


def brightness_means(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the mean of each brightness polynomial over the symbol."""
    scaled = 2 * centres(shape) / np.array(shape, dtype=float) - 1
    return np.asarray(polynomials(scaled, BRIGHTNESS).mean(axis=0))
