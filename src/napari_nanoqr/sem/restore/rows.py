"""Rows of an image, each moved by its own amount."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def moved_rows(
    frame: NDArray[Any], path: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return what a frame shows along a path, between pixels by linear interpolation.

    Parameters
    ----------
    frame : (y, x) array
        Grey values.
    path : (rows, 2) float array
        How far (y, x) from each row of the result, in pixels, the frame shows what belongs there.

    Returns
    -------
    (rows, x) float32 array
        The values; outside the frame those of its edge.
    (rows, x) bool array
        What lies within the frame.
    """
    # it may still lie in its file
    frame = np.asarray(frame)
    height, width = frame.shape
    y = np.arange(len(path)) + path[:, 0]
    top = np.clip(np.floor(y).astype(np.intp), 0, max(height - 2, 0))
    below = np.minimum(top + 1, height - 1)
    share = np.clip(y - top, 0, 1).astype(np.float32)[:, None]
    lines = frame[top] * (1 - share)
    lines += frame[below] * share
    shift = np.clip(path[:, 1], -width, width)
    whole = np.floor(shift).astype(np.intp)
    part = (shift - whole).astype(np.float32)[:, None]
    # each row beside its own edge, so that rows are moved by where they are begun
    reach = int(np.abs(whole).max()) + 1
    beside = np.pad(lines, ((0, 0), (reach, reach)), mode="edge")
    starts = np.arange(len(path)) * beside.shape[1] + reach + whole
    views = np.lib.stride_tricks.sliding_window_view(beside.reshape(-1), width)
    left, right = views[starts], views[starts + 1]
    result = left + part * (right - left)
    # half a pixel beyond the last centre still is in the frame
    from_x, to_x = np.ceil(-0.5 - shift), np.floor(width - 0.5 - shift)
    columns = np.arange(width)
    inside = (columns >= from_x[:, None]) & (columns <= to_x[:, None])
    inside &= ((y >= -0.5) & (y <= height - 0.5))[:, None]
    return np.asarray(result, dtype=np.float32), inside


def seen_from(track: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the path of a frame for each row of what it shows.

    Parameters
    ----------
    track : (rows, 2) float array
        Where the specimen was (y, x) while each row was scanned, in pixels.

    Returns
    -------
    (rows, 2) float array
        The same for the row in which each row of the specimen is seen.
    """
    rows = np.arange(len(track), dtype=np.float64)
    path = track
    # where a row is seen depends on how far it was moved then: a few steps settle it
    for _ in range(3):
        at = rows + path[:, 0]
        path = np.stack([np.interp(at, rows, along) for along in track.T], axis=-1)
    return path


class Bands:
    """Rows of a frame, taken together in bands.

    Parameters
    ----------
    rows : int
        How many rows there are.
    count : int
        Into how many bands they are divided.
    """

    def __init__(self, rows: int, count: int) -> None:
        self.rows, self.count = rows, count
        edges = np.rint(np.linspace(0, rows, count + 1)).astype(np.intp)
        self._sizes = np.diff(edges)
        self._which = np.repeat(np.arange(count), self._sizes)
        self._middles = (edges[1:] + edges[:-1] - 1) / 2

    def sums(
        self, values: NDArray[np.float64], at: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Return sums over bands, ``(bands, n)``, of ``(rows, n)`` values.

        The values may belong to other rows than they stand in, which then are told.
        """
        which = self._which
        if at is not None:
            which = which[np.clip(np.rint(at), 0, self.rows - 1).astype(np.intp)]
        return np.stack([np.bincount(which, v, self.count) for v in values.T], axis=-1)

    def means(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return means over bands, ``(bands, n)``, of ``(rows, n)`` values."""
        return np.asarray(self.sums(values) / self._sizes[:, None])

    def spread(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``(bands, n)`` values for each row, linear between and beyond the middles."""
        if self.count == 1:
            return np.repeat(values, self.rows, axis=0)
        y = np.arange(self.rows, dtype=np.float64)
        at = np.clip(np.searchsorted(self._middles, y) - 1, 0, self.count - 2)
        before, after = self._middles[at], self._middles[at + 1]
        share = ((y - before) / (after - before))[:, None]
        return np.asarray(values[at] * (1 - share) + values[at + 1] * share)
