"""Take out of each module's value what blur and sampling mixed in from its neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.seeing.kernels import fast

REACH = 2
"""Modules on either side that the equaliser uses: 5 x 5 taps."""

_LOADING = 1e-3
"""Added to the variance of a value, so that what is not in the data is not amplified."""


def learnt(
    levels: NDArray[np.float32], decided: NDArray[np.float32], stride: int = 4
) -> NDArray[np.float32]:
    """Learn a linear equaliser from values and what they should be.

    Parameters
    ----------
    levels : (rows, columns) float32 array
        Values of modules without the mean around them; 0 where they are not seen.
    decided : (rows, columns) float32 array
        What they should be, in any unit: -1 or 1, or levels as decided; 0 where not known.
    stride : int
        Every so many rows are used.

    Returns
    -------
    (5, 5) float32 array
        Taps with the least mean square error, were each module decided with no regard to the
        others (linear minimum mean square error, Toeplitz).

    References
    ----------
    J. G. Proakis, M. Salehi, Digital Communications, 5th edition, section 9.4.
    """
    return _solved(_alike(levels, stride), levels, decided, stride)


def self_taught(
    levels: NDArray[np.float32],
    taps: NDArray[np.float32] | None = None,
    rounds: int = 1,
    stride: int = 8,
) -> NDArray[np.float32]:
    """Learn an equaliser from values alone: by what they are decided to be.

    Parameters
    ----------
    levels : (rows, columns) float32 array
        As for :func:`learnt`, of modules with one bit, half of them milled.
    taps : (5, 5) float32 array or None
        A first equaliser that decides; without one the sign of a value does.
    rounds : int
        Each decides anew. Where one module in twenty is wrong, six rounds take as many errors
        away as would 0.1 dB.
    stride : int
        Every so many rows are used.

    Returns
    -------
    (5, 5) float32 array
        Taps.
    """
    alike = _alike(levels, stride)
    for _ in range(rounds):
        clear = levels if taps is None else filtered(levels, taps, stride)
        taps = _solved(alike, levels, np.sign(clear), stride)
    assert taps is not None
    return taps


def _alike(levels: NDArray[np.float32], stride: int) -> NDArray[np.float64]:
    """Return how alike each two of 5 x 5 values are on average, ``(25, 25)``."""
    count = 4 * REACH + 1
    own = np.zeros((2 * REACH + 1, count), np.float64)
    _lags(levels, stride, own)
    lags = np.zeros((count, count))
    lags[2 * REACH :] = own
    lags[: 2 * REACH] = own[:0:-1, ::-1]
    # lag 0 in rows is symmetric by itself, up to what the border leaves
    lags[2 * REACH] = (own[0] + own[0, ::-1]) / 2
    places = np.array([(i, j) for i in range(-REACH, REACH + 1) for j in range(-REACH, REACH + 1)])
    apart = places[:, None] - places[None] + 2 * REACH
    matrix: NDArray[np.float64] = lags[apart[..., 0], apart[..., 1]]
    matrix[np.diag_indices(len(matrix))] += _LOADING * max(float(own[0, 2 * REACH]), 1e-12)
    return matrix


def _solved(
    alike: NDArray[np.float64],
    levels: NDArray[np.float32],
    decided: NDArray[np.float32],
    stride: int,
) -> NDArray[np.float32]:
    """Return the taps that make of values what was decided."""
    cross = np.zeros((2 * REACH + 1, 2 * REACH + 1), np.float64)
    _with_decisions(levels, decided, stride, cross)
    return np.linalg.solve(alike, cross.ravel()).reshape(cross.shape).astype(np.float32)


def filtered(
    levels: NDArray[np.float32], taps: NDArray[np.float32], stride: int = 1
) -> NDArray[np.float32]:
    """Return the sum of each value and its neighbours times the taps.

    Parameters
    ----------
    levels : (rows, columns) float32 array
        Nothing, 0, is outside.
    taps : (5, 5) float32 array
        As :func:`learnt` returns.
    stride : int
        Of every so many rows one is made, as :func:`learnt` uses them; the others are 0.

    Returns
    -------
    (rows, columns) float32 array
        Equalised values; 0 where ``levels`` is.
    """
    rows, columns = levels.shape
    wide = np.zeros((rows + 2 * REACH, columns + 2 * REACH), np.float32)
    wide[REACH:-REACH, REACH:-REACH] = levels
    out = np.zeros((rows, columns), np.float32) if stride > 1 else np.empty_like(levels)
    _filter(wide, taps, 2 % stride, stride, out)
    return out


@fast
def _lags(levels: NDArray[np.float32], stride: int, own: NDArray[np.float64]) -> None:
    """Sum up products of values with values around them."""
    rows, columns = levels.shape
    for i in range(2, rows - 4, stride):
        here = levels[i, 4 : columns - 4]
        for a in range(5):
            for b in range(9):
                other = levels[i + a, b : b + columns - 8]
                total = np.float32(0)
                for j in range(columns - 8):
                    total += here[j] * other[j]
                own[a, b] += total


@fast
def _with_decisions(
    levels: NDArray[np.float32],
    decided: NDArray[np.float32],
    stride: int,
    cross: NDArray[np.float64],
) -> None:
    """Sum up products of decisions with values around them."""
    rows, columns = levels.shape
    for i in range(2, rows - 4, stride):
        wanted = decided[i, 4 : columns - 4]
        for a in range(5):
            for b in range(5):
                other = levels[i + a - 2, b + 2 : b + columns - 6]
                total = np.float32(0)
                for j in range(columns - 8):
                    total += wanted[j] * other[j]
                cross[a, b] += total


@fast
def _filter(
    wide: NDArray[np.float32],
    taps: NDArray[np.float32],
    first: int,
    stride: int,
    out: NDArray[np.float32],
) -> None:
    rows, columns = out.shape
    for i in range(first, rows, stride):
        line = out[i]
        for j in range(columns):
            line[j] = 0
        for a in range(5):
            row = wide[i + a]
            t0, t1, t2, t3, t4 = taps[a, 0], taps[a, 1], taps[a, 2], taps[a, 3], taps[a, 4]
            for j in range(columns):
                line[j] += (
                    t0 * row[j] + t1 * row[j + 1] + t2 * row[j + 2] + t3 * row[j + 3]
                    + t4 * row[j + 4]
                )  # fmt: skip
        here = wide[i + 2]
        for j in range(columns):
            line[j] = line[j] if here[j + 2] != 0 else np.float32(0)
