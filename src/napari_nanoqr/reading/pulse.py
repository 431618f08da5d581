"""What one module does to the image around it, learned from the modules that are known.

The image under a symbol is taken as an offset plus a sum of equal pulses, one a module, its
sign that of the module, and of equal bonds, one for each pair of neighbours. The pulse holds
everything that widens or moves a module: beam tails, etch bias, probe, defocus, detector.
Nothing is assumed about it but that it ends within two modules; bonds are those of a film.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.pulse_shapes import as_taps, simple_taps
from napari_nanoqr.reading.subsample import CELLS, MARGIN
from napari_nanoqr.reading.surroundings import (
    BONDS_DOWN,
    BONDS_RIGHT,
    REACH,
    SIDE,
    doubts,
    surroundings,
)

_MOST_MODULES = 6_000
"""More modules than this make the fit slower, not better."""


@dataclass(frozen=True, eq=False)
class Pulse:
    """What one module adds to the cells around it.

    Parameters
    ----------
    taps : (3, 3, 5, 5) float array
        ``cells[a, b, i, j] = offset + sum(taps[a, b, k, l] * sign[i + k - 2, j + l - 2])``,
        and bonds.
    bonds : (3, 3, 12) float array
        What the products of neighbouring signs add, see
        :func:`~napari_nanoqr.reading.surroundings.surroundings`.
    offset : float
        The middle between an all dark and an all light area.
    noise : float
        Variance of a cell.
    """

    taps: NDArray[np.float64]
    bonds: NDArray[np.float64]
    offset: float
    noise: float

    @property
    def amplitude(self) -> float:
        """Half the grey distance between large light and large dark areas."""
        return float(self.taps.sum() / CELLS**2)

    @property
    def picture(self) -> NDArray[np.float64]:
        """One pulse, ``(15, 15)``, three rows and columns a module."""
        side = CELLS * SIDE
        return self.taps[:, :, ::-1, ::-1].transpose(2, 0, 3, 1).reshape(side, side)

    @property
    def pictures(self) -> NDArray[np.float64]:
        """The pulse, and a module's bonds to the right and down, ``(3, 15, 15)``."""
        bonds = np.zeros((2, SIDE, CELLS, SIDE, CELLS))
        for number, (k, m) in enumerate(BONDS_RIGHT + BONDS_DOWN):
            which = int(number >= len(BONDS_RIGHT))
            bonds[which, REACH - k, :, REACH - m, :] = self.bonds[:, :, number]
        return np.concatenate((self.picture[None], bonds.reshape(2, *self.picture.shape)))

    def expected(self, signs: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the cells that modules should give.

        Parameters
        ----------
        signs : (rows, columns) float array
            -1 to 1, dark to light, the margin included.

        Returns
        -------
        (3, 3, rows, columns) float32 array
            Grey values.
        """
        # cells are single precision as well
        around = surroundings(signs.astype(np.float32))
        taps = np.concatenate(
            (self.taps.reshape(CELLS**2, -1), self.bonds.reshape(CELLS**2, -1)), axis=1
        ).astype(np.float32)
        cells = taps @ around.reshape(len(around), -1) + np.float32(self.offset)
        result: NDArray[np.float32] = cells.reshape(CELLS, CELLS, *signs.shape)
        return result


def fit_pulse(
    cells: NDArray[np.float32],
    signs: NDArray[np.float64],
    variance: NDArray[np.float64],
    counted: NDArray[np.bool_],
) -> Pulse:
    """Fit the pulse by least squares where modules are known, or known with a probability.

    Parameters
    ----------
    cells : (3, 3, rows, columns) float32 array
        Grey values, see :func:`~napari_nanoqr.reading.subsample.sample_cells`.
    signs : (rows, columns) float array
        Expectation of each module, -1 to 1, dark to light. Modules of which nothing is known
        are 0.
    variance : (rows, columns) float array
        Variance of each module given the image, 0 where it is known. Also 0 where nothing is
        known: an unknown neighbour only adds noise to the cells of a known module.
    counted : (rows, columns) bool array
        Modules whose cells are used.

    Returns
    -------
    Pulse
        With what is not symmetric only so far as the image tells it from noise.

    Notes
    -----
    The step of expectation maximisation for a linear model of hidden signs: the products of two
    signs are expected values, so the variance comes on the diagonal.
    """
    inside = np.s_[REACH:-REACH, REACH:-REACH]
    use = counted[inside]
    if use.sum() > _MOST_MODULES:
        use = use & (np.random.default_rng(0).random(use.shape) < _MOST_MODULES / use.sum())
    around = surroundings(signs)[:, *inside][:, use]
    around = np.concatenate((np.ones((1, around.shape[1])), around))
    spread = doubts(signs, variance)[:, *inside][:, use]
    seen = cells[:, :, *inside][:, :, use].reshape(CELLS**2, -1).astype(float)
    middle = seen.mean()
    normal = around @ around.T
    normal[np.diag_indices_from(normal)] += np.append(0.0, spread.sum(axis=1))
    # a little ridge: displacements that never differ have to share, not to explode
    ridge = np.append(0.0, np.full(SIDE**2, 0.02 * use.sum() / SIDE))
    first = SIDE**2 + 1
    inverse = np.linalg.inv(normal[:first, :first] + np.diag(ridge))
    product = (seen - middle) @ around.T
    simple = np.pad(simple_taps(normal, product), ((0, 0), (1, 0)))
    # what the simple pulse leaves over; how much of that is noise is decided below
    solution = (product - simple @ normal)[:, :first] @ inverse
    whole = simple + np.pad(solution, ((0, 0), (0, len(normal) - first)))
    left = seen - middle - whole @ around
    doubt = float((whole[:, 1:] ** 2 @ spread.sum(axis=1)).mean() / use.sum())
    degrees = max(int(use.sum()) - len(normal), 1)
    noise = max(float((left**2).mean()) * use.sum() / degrees + doubt, 1e-12)
    error = noise * np.diag(inverse)[1:].reshape(SIDE, SIDE)
    shape = (CELLS, CELLS, SIDE, SIDE)
    taps = simple[:, 1:first].reshape(shape) + _shrunk(solution[:, 1:].reshape(shape), error)
    bonds = simple[:, first:].reshape(CELLS, CELLS, -1)
    return Pulse(taps, bonds, float(middle + whole[:, 0].mean()), noise)


def _shrunk(taps: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep of each part of a pulse as much as stands out of the noise (James and Stein).

    The parts: what all turns and flips share, what a half turn keeps, the rest; each near and
    far.
    """
    side = CELLS * SIDE
    # cell a of module i + k, seen from module i: the flip makes it a picture of one pulse
    picture = taps[:, :, ::-1, ::-1].transpose(2, 0, 3, 1).reshape(side, side)
    errors = error[::-1, ::-1].repeat(CELLS, axis=0).repeat(CELLS, axis=1)
    turned = [np.rot90(p, n) for p in (picture, picture.T) for n in range(4)]
    square = np.mean(turned, axis=0)
    half_turn = (picture + picture[::-1, ::-1]) / 2
    ring = np.abs(np.arange(side) - side // 2)
    near = np.maximum.outer(ring, ring) <= CELLS + CELLS // 2
    result = np.zeros_like(picture)
    for part, share in ((square, 1 / 8), (half_turn - square, 3 / 8), (picture - half_turn, 1 / 2)):
        for place in (near, ~near):
            energy = float((part[place] ** 2).sum())
            chance = share * float(errors[place].sum())
            result[place] += part[place] * max(0.0, 1 - chance / max(energy, 1e-30))
    return as_taps(result)


def inner(values: NDArray[Any]) -> NDArray[Any]:
    """Return an array of modules without its margin."""
    return values[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
