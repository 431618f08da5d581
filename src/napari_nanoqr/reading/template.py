"""What an image is expected to show where modules are known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Points
from napari_nanoqr.symbols.layout import Layout

_FINE = 4
"""Template points a module and axis."""

_BLUR = 0.4
"""Standard deviation in modules with which edges are blurred."""

_NEXT = 2
"""Modules to each side that a point still has a share of, at that blur."""

_MOST_POINTS = 8_000
"""More points than this make the fit slower, not better."""


@dataclass(frozen=True, eq=False)
class Template:
    """What an image is expected to show where modules are known.

    Parameters
    ----------
    points : (n, 2) float array
        Module coordinates.
    value, slope : (n,) and (n, 2) float arrays
        Expected brightness, -1 for dark and 1 for light, blurred, and its derivative by module.
    """

    points: Points
    value: NDArray[np.float64]
    slope: NDArray[np.float64]

    def some(self, which: NDArray[np.bool_]) -> Template:
        """Return a part of the points."""
        return Template(self.points[which], self.value[which], self.slope[which])

    def thinned(self) -> Template:
        """Return a quarter of the points: enough where there is hardly any noise."""
        return self.some((np.floor(self.points * _FINE) % 2 == 0).all(axis=1))


def make_template(
    modules: NDArray[np.bool_], known: NDArray[np.bool_], *, thinned: bool = False
) -> Template:
    """Return the expectation for modules that are known.

    Parameters
    ----------
    modules : (rows, columns) bool array
        True = dark.
    known : (rows, columns) bool array
        Which of them count.
    thinned : bool
        A quarter of the points: enough where there is hardly any noise.

    Returns
    -------
    Template
        On a grid of 4 x 4 points in each known module.
    """
    # of the points of all modules every one, or every other row and column
    each = _FINE // 2 if thinned else _FINE
    most = _MOST_POINTS // 4 if thinned else _MOST_POINTS
    rows, columns = np.nonzero(known.repeat(each, axis=0).repeat(each, axis=1))
    if rows.size > most:
        chosen = np.random.default_rng(0).integers(rows.size, size=most)
        rows, columns = rows[chosen], columns[chosen]
    rows, columns = rows * (_FINE // each), columns * (_FINE // each)
    # next to modules that are not known, and outside, the middle between dark and light
    signs = np.pad(np.where(known, np.where(modules, -1.0, 1.0), 0.0), _NEXT)
    # blurred along rows everywhere, along columns only where points are
    across = np.zeros((len(signs), known.shape[1], _FINE))
    for point, shares in enumerate(_share_table()[1:-1]):
        for i, share in enumerate(shares):
            across[:, :, point] += share * signs[:, i : i + known.shape[1]]
    lines = across.reshape(len(signs), -1)
    near = (rows // _FINE)[:, None] + np.arange(2 * _NEXT + 1)
    blurred = lines[near, columns[:, None]]
    sloping = np.asarray(np.gradient(lines, 1 / _FINE, axis=1))[near, columns[:, None]]
    down, down_slope = _shares(rows, _FINE * len(known))
    slope = np.stack(((down_slope * blurred).sum(axis=1), (down * sloping).sum(axis=1)), axis=-1)
    points = (np.stack((rows, columns), axis=-1) + 0.5) / _FINE
    return Template(points, (down * blurred).sum(axis=1), slope)


def _shares(at: NDArray[np.intp], count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how much each of the modules around it has in a point, and the slope of that.

    The slope is that between the points next to it.
    """
    table, within = _share_table(), at % _FINE + 1
    before, after = (at > 0).astype(int), (at < count - 1).astype(int)
    slope = (table[within + after] - table[within - before]) * _FINE
    return table[within], slope / (before + after)[:, None]


@lru_cache(maxsize=1)
def _share_table() -> NDArray[np.float64]:
    """Return the shares of modules in the points of one, and in those just before and after.

    ``(6, 5)``: point, module from two before to two after.
    """
    sigma = _BLUR * _FINE
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    table = np.zeros((_FINE + 2, 2 * _NEXT + 1))
    for point in range(-1, _FINE + 1):
        reached = point + np.arange(-reach, reach + 1)
        np.add.at(table[point + 1], reached // _FINE + _NEXT, kernel)
    return table


@lru_cache(maxsize=32)
def function_template(layout: Layout, *, thinned: bool = False) -> Template:
    """Return the expectation for the modules that all symbols of a kind have in common."""
    return make_template(layout.dark, layout.certain, thinned=thinned)
