"""How well a masked symbol can be told from its surroundings (ISO/IEC 18004:2015, 7.8.3.1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# 1:1:3:1:1 with four light modules on one side
_FINDER_LIKE = (
    np.array([1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0], dtype=bool),
    np.array([0, 0, 0, 0, 1, 0, 1, 1, 1, 0, 1], dtype=bool),
)


def best_mask(symbols: NDArray[np.bool_], symbology: str) -> int:
    """Return which of several masks is to be used.

    Parameters
    ----------
    symbols : (n, rows, columns) bool array
        The complete symbol under each mask, True = dark.
    symbology : {"QR", "Micro QR", "rMQR"}
        Each has its own rule; rMQR has only one mask.
    """
    if len(symbols) == 1:
        return 0
    return int(np.argmax(edge_scores(symbols) if symbology == "Micro QR" else -penalties(symbols)))


def edge_scores(symbols: NDArray[np.bool_]) -> NDArray[np.int_]:
    """Return how dark the right and lower edges of Micro QR symbols are (7.8.3.2).

    Parameters
    ----------
    symbols : (n, side, side) bool array
        Complete symbols, True = dark.

    Returns
    -------
    (n,) int array
        16 times the lower of the two counts, plus the other one; the timing patterns' ends do
        not count.
    """
    right, lower = symbols[:, 1:, -1].sum(axis=1), symbols[:, -1, 1:].sum(axis=1)
    return np.asarray(16 * np.minimum(right, lower) + np.maximum(right, lower))


def penalties(symbols: NDArray[np.bool_]) -> NDArray[np.int_]:
    """Return the penalty of each of several symbols of one size.

    Parameters
    ----------
    symbols : (n, side, side) bool array
        Complete symbols, True = dark.

    Returns
    -------
    (n,) int array
        Runs (3 points and more), 2 x 2 blocks (3), finder-like patterns (40) and imbalance
        of dark and light (10 for each 5 %), added up. The quiet zone counts as light.
    """
    both = np.stack((symbols, symbols.transpose(0, 2, 1)))
    total = _runs(both).sum(axis=0) + 40 * finder_likes(symbols)
    corner = symbols[:, 1:, 1:]
    same = (corner == symbols[:, :-1, :-1]) & (corner == symbols[:, 1:, :-1])
    same &= corner == symbols[:, :-1, 1:]
    total += 3 * same.sum(axis=(1, 2))
    dark, count = symbols.sum(axis=(1, 2)), symbols[0].size
    # whole steps of 5 % away from one half
    total += 10 * (np.abs(20 * dark - 10 * count) // count)
    return np.asarray(total)


def _runs(lines: NDArray[np.bool_]) -> NDArray[np.int_]:
    """3 points for a run of 5 modules of one colour, one more for each further module."""
    equal = lines[..., 1:] == lines[..., :-1]
    # windows of five equal modules; a run of n >= 5 has n - 4 of them and earns n - 2 points
    windows = equal[..., 3:] & equal[..., 2:-1] & equal[..., 1:-2] & equal[..., :-3]
    starts = windows.copy()
    starts[..., 1:] &= ~windows[..., :-1]
    return np.asarray(windows.sum(axis=(-2, -1)) + 2 * starts.sum(axis=(-2, -1)))


def finder_likes(symbols: NDArray[np.bool_]) -> NDArray[np.int_]:
    """Return how often rows and columns look as they do across a finder pattern.

    Parameters
    ----------
    symbols : (n, rows, columns) bool array
        Complete symbols, True = dark. The quiet zone counts as light.

    Returns
    -------
    (n,) int array
        Runs in the ratio 1:1:3:1:1 with four light modules on one side, those of the finder
        patterns included.
    """
    return _likes(symbols) + _likes(symbols.transpose(0, 2, 1))


def _likes(lines: NDArray[np.bool_]) -> NDArray[np.int_]:
    padded = np.pad(lines, [(0, 0), (0, 0), (4, 4)])
    width = padded.shape[-1] - 10
    count = np.zeros(len(lines), dtype=int)
    for pattern in _FINDER_LIKE:
        found = np.ones((*lines.shape[:-1], width), dtype=bool)
        for offset, dark in enumerate(pattern):
            part = padded[..., offset : offset + width]
            found &= part if dark else ~part
        count += found.sum(axis=(-2, -1))
    return count
