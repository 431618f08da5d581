"""Take the neighbours' light out of each value by what the neighbours are likely to be.

A linear equaliser pays for what it takes out with noise. Once the neighbours are known with some
certainty their light can be subtracted instead: soft interference cancellation, one pass of a
turbo equaliser (M. Tüchler, R. Koetter, A. C. Singer, Turbo equalization: principles and new
results, IEEE Trans. Commun. 50 (2002) 754). How much of each is best is learnt from the marks,
whose modules are known: what is likely of the neighbours was told by the same values, so that a
calculation that takes it for independent goes wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.layout import SIDE, known_modules
from napari_nanoqr.archive.seeing.equalise import REACH
from napari_nanoqr.archive.seeing.kernels import fast
from napari_nanoqr.codes.compiled import compiled

HALF = (2 * REACH + 1) ** 2 // 2
"""Pairs of opposite neighbours in 5 x 5 modules; pulses are even, so both have one weight."""

TERMS = 2 * HALF + 2
"""Weights that are learnt: of the value, of pairs of values, of pairs of neighbours, a constant."""

_LOADING = 2e-3
"""Of the mean square of a term: keeps weights small that a single tile cannot tell."""


@dataclass(frozen=True)
class Lesson:
    """What marks taught: sums of products of terms with terms and with what is right.

    Attributes
    ----------
    squares : (26, 26) float64 array
        Terms with terms.
    wanted : (26,) float64 array
        Terms with what is right.
    """

    squares: NDArray[np.float64]
    wanted: NDArray[np.float64]

    def __add__(self, other: Lesson) -> Lesson:
        return Lesson(self.squares + other.squares, self.wanted + other.wanted)

    @property
    def weights(self) -> NDArray[np.float32]:
        """The ``(26,)`` float32 weights with the least mean square error."""
        loaded = self.squares.copy()
        loaded[np.diag_indices(TERMS)] *= 1 + _LOADING
        loaded[np.diag_indices(TERMS)] += 1e-9
        return np.linalg.solve(loaded, self.wanted).astype(np.float32)


@cache
def teachers() -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the modules that are known in every tile, but for those at its edge.

    Returns
    -------
    places : (n, 2) int32 array
        Rows and columns.
    signs : (n,) float32 array
        -1 where a module is milled, else 1.
    """
    known, bits = known_modules()
    inner = np.zeros_like(known)
    inner[REACH:-REACH, REACH:-REACH] = known[REACH:-REACH, REACH:-REACH]
    places = np.argwhere(inner).astype(np.int32)
    signs = (1 - 2.0 * bits[inner]).astype(np.float32)
    places.setflags(write=False)
    signs.setflags(write=False)
    return places, signs


def taught(levels: NDArray[np.float32], likely: NDArray[np.float32]) -> Lesson:
    """Learn from the marks of one tile.

    Parameters
    ----------
    levels : (512, 512) float32 array
        Values of its modules, 0 where they are not seen.
    likely : (512, 512) float32 array
        What each module is on average, given what is known of it: 1 to -1.

    Returns
    -------
    Lesson
        Lessons of several tiles of one image add up.
    """
    places, signs = teachers()
    terms = np.zeros((len(places), TERMS), np.float32)
    _terms(levels, likely, places, terms)
    seen = levels[places[:, 0], places[:, 1]] != 0
    terms = terms[seen].astype(np.float64)
    return Lesson(terms.T @ terms, terms.T @ signs[seen])


def cancelled(
    levels: NDArray[np.float32], likely: NDArray[np.float32], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return values without what neighbours add to them.

    Parameters
    ----------
    levels, likely : (512, 512) float32 arrays
        As for :func:`taught`.
    weights : (26,) float32 array
        As a :class:`Lesson` has them.

    Returns
    -------
    (512, 512) float32 array
        About 1 or -1, or levels between; 0 where ``levels`` is.
    """
    grids = np.zeros((2, 2 * REACH + 1, 2 * REACH + 1), np.float32)
    flat = grids.reshape(2, -1)
    flat[0, HALF] = weights[0]
    flat[0, :HALF] = weights[1 : 1 + HALF]
    flat[1, :HALF] = weights[1 + HALF : -1]
    flat[:, HALF + 1 :] = flat[:, HALF - 1 :: -1]
    wide = np.zeros((2, SIDE + 2 * REACH, SIDE + 2 * REACH), np.float32)
    wide[0, REACH:-REACH, REACH:-REACH] = levels
    wide[1, REACH:-REACH, REACH:-REACH] = likely
    out = np.empty((SIDE, SIDE), np.float32)
    _both(wide, grids, weights[-1], out)
    return out


@compiled
def _terms(
    levels: NDArray[np.float32],
    likely: NDArray[np.float32],
    places: NDArray[np.int32],
    terms: NDArray[np.float32],
) -> None:
    for n in range(len(places)):
        y, x = places[n]
        terms[n, 0] = levels[y, x]
        for k in range(12):
            a, b = k // 5 - 2, k % 5 - 2
            terms[n, 1 + k] = levels[y + a, x + b] + levels[y - a, x - b]
            terms[n, 13 + k] = likely[y + a, x + b] + likely[y - a, x - b]
        terms[n, 25] = 1


@fast
def _both(
    wide: NDArray[np.float32],
    grids: NDArray[np.float32],
    constant: np.float32,
    out: NDArray[np.float32],
) -> None:
    rows, columns = out.shape
    for i in range(rows):
        line = out[i]
        for j in range(columns):
            line[j] = constant
        for part in range(2):
            for a in range(5):
                row = wide[part, i + a]
                t0, t1, t2 = grids[part, a, 0], grids[part, a, 1], grids[part, a, 2]
                t3, t4 = grids[part, a, 3], grids[part, a, 4]
                for j in range(columns):
                    line[j] += (
                        t0 * row[j] + t1 * row[j + 1] + t2 * row[j + 2] + t3 * row[j + 3]
                        + t4 * row[j + 4]
                    )  # fmt: skip
        here = wide[0, i + 2]
        for j in range(columns):
            line[j] = line[j] if here[j + 2] != 0 else np.float32(0)
