"""Fields of view at their places as one picture that is put together only where it is looked at.

A layer for each field would be the plain way, but napari takes tens of milliseconds for each layer
it adds, and goes through all of them whenever it draws: a thousand are too many.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

CHUNK = 1024
"""Pixels on a side of what is put together at once, where there are not too many of them."""

MOST_CHUNKS = 16_384
"""Of a level: dask goes through all of them whenever something is looked at."""

SMALLEST = 1024
"""Pixels on a side of the coarsest level, at most."""

KEPT_BYTES = 256 * 2**20
"""Of coarse or whole images of fields that are kept in memory."""


class Piece(Protocol):
    """A field of a mosaic."""

    @property
    def title(self) -> str:
        """What the image is called."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""

    @property
    def pixel_size_nm(self) -> float:
        """Of the finest level."""

    @property
    def corner_nm(self) -> tuple[float, float]:
        """Y and x of the centre of the first pixel."""

    @property
    def levels(self) -> int:
        """Each has half of the pixels on a side."""

    def load(self, level: int, rows: slice, columns: slice) -> NDArray[Any]:
        """Read a part of a level."""


class Canvas:
    """All pieces on one plane, later ones over earlier ones.

    Each pixel is that of a piece whose area it is in; nothing is averaged where pieces overlap,
    and no piece is moved by more than half a pixel.

    Parameters
    ----------
    pieces : sequence of Piece
        At least one.
    dtype : dtype
        Of the pixels.
    """

    def __init__(self, pieces: Sequence[Piece], dtype: Any) -> None:
        self.pieces = pieces
        self.dtype = np.dtype(dtype)
        self.pixel_size_nm = min(piece.pixel_size_nm for piece in pieces)
        sizes = np.array([piece.pixel_size_nm for piece in pieces])[:, None]
        # outer corners: y, x of the top left and of the bottom right
        self._first = np.array([piece.corner_nm for piece in pieces]) - sizes / 2
        self._last = self._first + np.array([piece.shape for piece in pieces]) * sizes
        self.corner_nm: tuple[float, float] = tuple(self._first.min(axis=0))
        wanted = (self._last.max(axis=0) - self.corner_nm) / self.pixel_size_nm
        self.levels = 1 + max(0, math.ceil(math.log2(max(wanted.max(), 1) / SMALLEST)))
        block = 2 ** (self.levels - 1)
        rows, columns = (max(1, math.ceil(n / block - 1e-9)) * block for n in wanted)
        self.shape = (rows, columns)
        self._kept: OrderedDict[tuple[int, int], NDArray[Any]] = OrderedDict()
        self._kept_bytes = 0
        self._lock = Lock()

    def arrays(self) -> list[Any]:
        """Return the levels as dask arrays, the finest first."""
        import dask.array

        da: Any = dask.array
        made = []
        for level in range(self.levels):
            source = CanvasLevel(self, level)
            chunk = CHUNK
            while math.prod(math.ceil(n / chunk) for n in source.shape) > MOST_CHUNKS:
                chunk *= 2
            made.append(da.from_array(
                source, chunks=chunk, asarray=False, name=False, meta=np.zeros((0, 0), self.dtype)
            ))  # fmt: skip
        return made

    def region(self, level: int, rows: slice, columns: slice) -> NDArray[Any]:
        """Put a part of a level together.

        Parameters
        ----------
        level : int
            Its pixels are ``2 ** level`` times as large.
        rows, columns : slice
            With start and stop.
        """
        size = self.pixel_size_nm * 2**level
        out = np.zeros((rows.stop - rows.start, columns.stop - columns.start), self.dtype)
        first = np.array(self.corner_nm) + np.array((rows.start, columns.start)) * size
        last = first + np.array(out.shape) * size
        near = ((self._first < last) & (self._last > first)).all(axis=1)
        centres = [
            corner + (np.arange(count) + 0.5) * size
            for corner, count in zip(first, out.shape, strict=True)
        ]
        for number in np.flatnonzero(near):
            self._put(out, int(number), level, centres)
        return out

    def _put(
        self, out: NDArray[Any], number: int, level: int, centres: list[NDArray[np.float64]]
    ) -> None:
        """Put a piece where it belongs."""
        piece = self.pieces[number]
        own = min(max(round(math.log2(self.pixel_size_nm * 2**level / piece.pixel_size_nm)), 0),
                  piece.levels - 1)  # fmt: skip
        size = piece.pixel_size_nm * 2**own
        places, found = [], []
        for axis in (0, 1):
            count = -(-piece.shape[axis] // 2**own)
            index = np.floor((centres[axis] - self._first[number, axis]) / size).astype(np.int64)
            inside = centres[axis] < self._last[number, axis]
            inside &= (index >= 0) & (index < count)
            (place,) = np.nonzero(inside)
            if not len(place):
                return
            places.append(slice(int(place[0]), int(place[-1]) + 1))
            found.append(index[place])
        rows, columns = (slice(int(each[0]), int(each[-1]) + 1) for each in found)
        part = self._load(number, own, rows, columns)
        out[places[0], places[1]] = part[np.ix_(found[0] - rows.start, found[1] - columns.start)]

    def _load(self, number: int, level: int, rows: slice, columns: slice) -> NDArray[Any]:
        piece = self.pieces[number]
        if level < piece.levels - 1:
            return piece.load(level, rows, columns)
        # the coarsest level is needed wherever many fields are seen, and small
        with self._lock:
            kept = self._kept.get((number, level))
            if kept is not None:
                self._kept.move_to_end((number, level))
        if kept is None:
            kept = piece.load(level, slice(None), slice(None))
            with self._lock:
                self._kept[number, level] = kept
                self._kept_bytes += kept.nbytes
                while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
                    self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes
        return kept[rows, columns]

    def warm_up(self, number: int) -> NDArray[Any]:
        """Load the coarsest level of a piece, so that it is there when it is looked at."""
        return self._load(number, self.pieces[number].levels - 1, slice(None), slice(None))


@dataclass(frozen=True, eq=False)
class CanvasLevel:
    """A level of a canvas, as much of an array as dask and napari need."""

    canvas: Canvas
    level: int

    ndim = 2

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = (n // 2**self.level for n in self.canvas.shape)
        return rows, columns

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the pixels."""
        return self.canvas.dtype

    def __getitem__(self, key: tuple[slice, slice]) -> NDArray[Any]:
        rows, columns = (slice(*part.indices(n)) for part, n in zip(key, self.shape, strict=True))
        whole = self.canvas.region(
            self.level, slice(rows.start, rows.stop), slice(columns.start, columns.stop)
        )
        return whole[:: rows.step, :: columns.step]
