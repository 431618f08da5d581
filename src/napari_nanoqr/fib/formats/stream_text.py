"""Points as the lines of a stream file, looked up rather than formatted one by one."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

MOST_UNITS = 9_999_999
"""Longest dwell that fits a word of eight bytes with its tab: a second in units of 100 ns."""

_HIGHEST_STEP = 65535


def stream_lines(units: NDArray[np.int64], steps: NDArray[np.int64]) -> bytes:
    """Return ``dwell x y 1`` of points, tabs between, one line each.

    Parameters
    ----------
    units : (n,) int64 array
        Dwell of each, 0 to :data:`MOST_UNITS`.
    steps : (2, n) int64 array
        All x, and all y, 0 to 65535.

    Returns
    -------
    bytes
        ASCII.
    """
    low, high = int(units.min()), int(units.max())
    if high - low <= _HIGHEST_STEP:
        dwells, chosen = np.arange(low, high + 1), units - low
    else:
        dwells, chosen = np.unique(units, return_inverse=True)
    # the words of eight bytes overlap: what one leaves empty the next one fills
    width = len(str(high)) + 1
    lines = np.empty(
        units.size,
        np.dtype({
            "names": ["dwell", "x", "y"], "formats": ["<u8"] * 3,
            "offsets": [0, width, width + 6], "itemsize": width + 14,
        }),
    )  # fmt: skip
    lines["dwell"] = _words(dwells, b"\t")[chosen]
    lines["x"] = _step_words(b"\t")[steps[0]]
    lines["y"] = _step_words(b"\t1\n")[steps[1]]
    # shorter numbers leave gaps
    return lines.tobytes().translate(None, b"\0")


@lru_cache(maxsize=2)
def _step_words(end: bytes) -> NDArray[np.uint64]:
    return _words(np.arange(_HIGHEST_STEP + 1), end)


def _words(numbers: NDArray[np.int64], end: bytes) -> NDArray[np.uint64]:
    """Write each number and an end into eight bytes; the rest of them are 0."""
    text = np.char.add(numbers.astype("S7"), end)
    return np.frombuffer(text.astype("S8").tobytes(), "<u8")
