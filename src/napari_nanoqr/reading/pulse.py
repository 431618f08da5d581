"""What one module does to the image around it, learned from the modules that are known.

The image under a symbol is taken as an offset plus a sum of equal pulses, one a module, its
sign that of the module, plus what modules side by side show only together. The pulse holds
everything that widens or moves a module: beam tails, etch bias, probe, defocus, detector.
Nothing is assumed about it but that it ends within two modules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from napari_nanoqr.reading.bonds import ACROSS, ALONG, added, beside, fit_bonds, no_bonds, spread
from napari_nanoqr.reading.pulse_shapes import REACH, as_taps, simple_taps
from napari_nanoqr.reading.subsample import CELLS, MARGIN

_SIDE = 2 * REACH + 1

_MOST_MODULES = 6_000
"""More modules than this make the fit slower, not better."""

_TURNS = 2
"""Pulse and bonds are fitted in turn: they have little to do with each other."""


@dataclass(frozen=True, eq=False)
class Pulse:
    """What one module adds to the cells around it.

    Parameters
    ----------
    taps : (3, 3, 5, 5) float array
        ``cells[a, b, i, j] = offset + sum(taps[a, b, k, l] * sign[i + k - 2, j + l - 2])``.
    offset : float
        The middle between an all dark and an all light area, bonds left out.
    noise : float
        Variance of a cell.
    bonds : (3, 2) float array
        What is added on each edge between equal modules, see :mod:`.bonds`.
    """

    taps: NDArray[np.float64]
    offset: float
    noise: float
    bonds: NDArray[np.float64] = field(default_factory=no_bonds)

    @property
    def amplitude(self) -> float:
        """Half the grey distance between large light and large dark areas."""
        return float(self.taps.sum() / CELLS**2)

    @property
    def picture(self) -> NDArray[np.float64]:
        """One pulse, ``(15, 15)``, three rows and columns a module."""
        side = CELLS * _SIDE
        return self.taps[:, :, ::-1, ::-1].transpose(2, 0, 3, 1).reshape(side, side)

    def expected(
        self, signs: NDArray[np.float64], contrast: NDArray[np.float64] | float = 1.0
    ) -> NDArray[np.float32]:
        """Return the cells that modules should give.

        Parameters
        ----------
        signs : (rows, columns) float array
            -1 to 1, dark to light, the margin included.
        contrast : (rows, columns) float array or float
            By how much less than usual modules show.

        Returns
        -------
        (3, 3, rows, columns) float32 array
            Grey values.
        """
        cells = self.summed(signs * contrast) + np.float32(self.offset)
        if self.bonds.any():
            edges = products(signs) * contrast
            cells += added(self.bonds, edges)
        return cells

    def summed(self, signs: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the sum of the pulses of modules alone, ``(3, 3, rows, columns)``."""
        # cells are single precision as well
        around = neighbours(signs.astype(np.float32), REACH)
        taps = self.taps.astype(np.float32).reshape(CELLS**2, -1)
        cells = taps @ around.reshape(_SIDE**2, -1)
        result: NDArray[np.float32] = cells.reshape(CELLS, CELLS, *signs.shape)
        return result


def products(signs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the product of each module's sign with those of its neighbours.

    Parameters
    ----------
    signs : (rows, columns) float array
        Beyond -1 and 1 they are no signs of modules, and count as these.

    Returns
    -------
    (4, rows, columns) float array
        Left, right, above, below.
    """
    bounded = signs.clip(-1, 1)
    result: NDArray[np.float64] = bounded * beside(bounded)
    return result


def neighbours(values: NDArray[Any], reach: int) -> NDArray[Any]:
    """Return for each module those around it.

    Parameters
    ----------
    values : (rows, columns) float array
        One value a module.
    reach : int
        Modules to each side.

    Returns
    -------
    (2 reach + 1, 2 reach + 1, rows, columns) float array
        A copy of the values for each displacement; outside, the edge goes on.
    """
    rows, columns = values.shape
    padded = np.pad(values, reach, mode="edge")
    side = 2 * reach + 1
    result = np.empty((side, side, rows, columns), dtype=values.dtype)
    for k in range(side):
        for m in range(side):
            result[k, m] = padded[k : k + rows, m : m + columns]
    return result


def fit_pulse(
    cells: NDArray[np.float32],
    signs: NDArray[np.float64],
    variance: NDArray[np.float64],
    counted: NDArray[np.bool_],
    contrast: NDArray[np.float64] | float = 1.0,
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
    contrast : (rows, columns) float array or float
        By how much less than usual modules show.

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
    rows, columns = (place + REACH for place in np.nonzero(use))
    around = np.ones((1 + _SIDE**2, rows.size))
    shown = signs * contrast
    for number, (down, right) in enumerate(np.ndindex(_SIDE, _SIDE)):
        around[1 + number] = shown[rows + down - REACH, columns + right - REACH]
    doubts = np.einsum(
        "klij,ij->kl",
        sliding_window_view(variance * np.square(contrast), use.shape), use.astype(float),
    ).ravel()  # fmt: skip
    seen = cells[:, :, rows, columns].reshape(CELLS**2, -1).astype(float)
    middle = seen.mean()
    normal = around @ around.T
    normal[np.diag_indices_from(normal)] += np.append(0.0, doubts)
    # a little ridge: displacements that never differ have to share, not to explode
    ridge = np.append(0.0, np.full(_SIDE**2, 0.02 * use.sum() / _SIDE))
    inverse = np.linalg.inv(normal + np.diag(ridge))
    square = signs**2
    unsure = (square + variance) * beside(square + variance) - square * beside(square)
    parts, part_doubts = (
        spread(edges, (rows, columns)).reshape(ALONG * ACROSS, -1)
        for edges in (products(signs) * contrast, unsure * np.square(contrast))
    )
    bonds = no_bonds()
    for _ in range(_TURNS):
        alone = seen - middle - (bonds.ravel() @ parts).reshape(seen.shape)
        product = alone @ around.T
        simple = np.pad(simple_taps(normal, product), ((0, 0), (1, 0)))
        # what the simple pulse leaves over; how much of that is noise is decided below
        solution = (product - simple @ normal) @ inverse
        whole = simple + solution
        left = alone - whole @ around
        doubt = float((whole[:, 1:] ** 2 @ doubts).mean() / use.sum())
        degrees = max(int(use.sum()) - len(normal), 1)
        noise = max(float((left**2).mean()) * use.sum() / degrees + doubt, 1e-12)
        together = left.ravel() + bonds.ravel() @ parts
        amplitude = float(whole[:, 1:].sum() / CELLS**2)
        bonds = fit_bonds(parts, together, part_doubts.sum(axis=1), noise, amplitude)
    error = noise * np.diag(inverse)[1:].reshape(_SIDE, _SIDE)
    shape = (CELLS, CELLS, _SIDE, _SIDE)
    taps = simple[:, 1:].reshape(shape) + _shrunk(solution[:, 1:].reshape(shape), error)
    return Pulse(taps, float(middle + whole[:, 0].mean()), noise, bonds)


def _shrunk(taps: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep of each part of a pulse as much as stands out of the noise (James and Stein).

    The parts: what all turns and flips share, what a half turn keeps, the rest; each near and
    far.
    """
    side = CELLS * _SIDE
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
