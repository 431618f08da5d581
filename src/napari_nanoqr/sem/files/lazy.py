"""Pixels of a large TIFF that are read when they are asked for, piece by piece."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_nanoqr.sem.errors import UnreadableImage
from napari_nanoqr.sem.files.sizes import SCREEN
from napari_nanoqr.sem.files.tiff_grey import grey_of

# Pixels that one request decodes at most, where the file leaves the choice
_CHUNK = 1 << 22
# A strip or tile of more pixels costs so much at each request that the whole is loaded instead
_LARGEST_SEGMENT = 1 << 23


class PagePixels:
    """Grey values of one page, as an array that reads from the file at each slicing.

    The file is open only meanwhile, so that it can be moved or deleted on every system.

    Parameters
    ----------
    path : Path
        The file.
    page : tifffile.TiffPage
        Read from the file while it was open.
    step : int
        Only every so many-th row and column.
    frame : int
        Which of several planes that lie behind each other under the page's header.
    """

    ndim = 2

    def __init__(self, path: Path, page: tifffile.TiffPage, step: int = 1, frame: int = 0) -> None:
        self._path, self._page, self._step = path, page, step
        self._as_is = bool(page.is_memmappable)
        self._offset = page.dataoffsets[0] + frame * page.nbytes
        # what tifffile would otherwise look up in the file, which is closed by then
        self._decode, self._tables = page.decode, page.jpegtables
        one = np.zeros((1, 1, page.samplesperpixel)[: len(page.axes)], page.dtype)
        self.dtype = grey_of(page, one).dtype
        self.shape = tuple(-(-length // step) for length in (page.imagelength, page.imagewidth))

    @staticmethod
    def can_read(page: tifffile.TiffPage) -> bool:
        """Tell whether parts of a page cost less than all of it."""
        if page.axes not in ("YX", "YXS") or page.imagedepth > 1 or page.dtype is None:
            return False
        if page.is_memmappable:
            return True
        return (
            len(page.dataoffsets) == math.prod(page.chunked)
            and page.chunks[0] * page.chunks[1] <= _LARGEST_SEGMENT
        )

    @property
    def chunks(self) -> tuple[int, int]:
        """Rows and columns that are best read together."""
        rows, columns = (1, 1) if self._as_is else self._page.chunks[:2]
        # in coarse levels a piece still covers a good part of the file
        pixels = _CHUNK * min(self._step, 4) ** 2
        wide = min(max(math.isqrt(pixels) // columns, 1) * columns, self._page.imagewidth)
        high = min(max(pixels // wide // rows, 1) * rows, self._page.imagelength)
        return -(-high // self._step), -(-wide // self._step)

    def __getitem__(self, wanted: tuple[slice | int, slice | int]) -> NDArray[Any]:
        """Read rows and columns; a number instead of a slice takes its axis away.

        Raises
        ------
        UnreadableImage
            If the file is gone or cannot be decoded.
        """
        rows, columns = (
            np.atleast_1d(np.arange(length)[part]) * self._step
            for length, part in zip(self.shape, wanted, strict=True)
        )
        axes = tuple(axis for axis, part in enumerate(wanted) if not isinstance(part, slice))
        if not (len(rows) and len(columns)):
            return np.empty((len(rows), len(columns)), self.dtype).squeeze(axes)
        try:
            pixels = self._stored(rows, columns) if self._as_is else self._decoded(rows, columns)
        except Exception as error:
            # decoders raise whatever damage leads them to
            raise UnreadableImage(
                f"The pixels of {self._path.name} cannot be read ({error}). Open the file again "
                "from where it is now, or copy it again from the microscope."
            ) from error
        return grey_of(self._page, pixels).squeeze(axes)

    def _stored(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[Any]:
        """Read pixels that lie in the file as they are.

        Not through a memory map: it would count as memory of this process, and drag in many
        times what a coarse level needs.
        """
        page = self._page
        dtype = np.dtype(page.dtype).newbyteorder(page.parent.byteorder)
        samples = (page.samplesperpixel,) if len(page.axes) == 3 else ()
        pixel = dtype.itemsize * math.prod(samples)
        first, last = int(columns[0]), int(columns[-1]) + 1
        line = np.empty((last - first, *samples), dtype)
        pixels = np.empty((len(rows), len(columns), *samples), dtype)
        with self._path.open("rb") as file:
            for number, row in enumerate(rows):
                file.seek(self._offset + (int(row) * page.imagewidth + first) * pixel)
                if file.readinto(line.data.cast("B")) != line.nbytes:
                    raise EOFError("it is shorter than it was")
                pixels[number] = line[_slice(columns - first)]
        return pixels

    def _decoded(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[Any]:
        page = self._page
        high, wide = page.chunks[:2]
        across = -(-page.imagewidth // wide)
        samples = (page.samplesperpixel,) if len(page.axes) == 3 else ()
        pixels = np.zeros((len(rows), len(columns), *samples), page.dtype)
        across_parts = _by_segment(columns, wide)
        with self._path.open("rb") as file:
            for y, to_rows, from_rows in _by_segment(rows, high):
                for x, to_columns, from_columns in across_parts:
                    index = y * across + x
                    file.seek(page.dataoffsets[index])
                    data = file.read(page.databytecounts[index])
                    segment = self._decode(data, index, jpegtables=self._tables)[0]
                    if segment is not None:
                        segment = segment.reshape(*segment.shape[1:3], *samples)
                        pixels[to_rows, to_columns] = segment[from_rows, from_columns]
        return pixels


def lazy_levels(path: Path, pages: list[tifffile.TiffPage], frames: int = 1) -> list[Any]:
    """Return the frames of a TIFF as lazy arrays, at full size and ever coarser.

    Parameters
    ----------
    path : Path
        The file, which has to stay where it is.
    pages : list of TiffPage
        One a frame, alike; or one with all frames behind its header.
    frames : int
        Planes under the header of the only page.

    Returns
    -------
    list of dask array
        ``(y, x)``, or ``(frame, y, x)`` for several frames; each level has every second pixel
        of the one before, and the last fits on a screen.
    """
    import dask.array as da

    levels = []
    step = 1
    while True:
        planes = [PagePixels(path, page, step) for page in pages]
        if len(pages) == 1:
            planes = [PagePixels(path, pages[0], step, frame) for frame in range(frames)]
        arrays = [
            da.from_array(
                plane, plane.chunks, name=False, asarray=False, meta=np.empty((0, 0), plane.dtype)
            )  # type: ignore[no-untyped-call]
            for plane in planes
        ]
        levels.append(
            arrays[0] if len(arrays) == 1 else da.stack(arrays)  # type: ignore[no-untyped-call]
        )
        if max(planes[0].shape) <= SCREEN:
            return levels
        step *= 2


def _by_segment(indices: NDArray[np.intp], length: int) -> list[tuple[int, slice, slice]]:
    """Return for each segment along an axis where its pixels go to, and which they are in it."""
    segments = indices // length
    parts = []
    for segment in np.unique(segments):
        own = np.flatnonzero(segments == segment)
        parts.append((int(segment), _slice(own), _slice(indices[own] - segment * length)))
    return parts


def _slice(indices: NDArray[np.intp]) -> slice:
    """Return evenly spaced indices as a slice, which neither copies nor reads between them."""
    if len(indices) == 0:
        return slice(0, 0)
    step = int(indices[1] - indices[0]) if len(indices) > 1 else 1
    return slice(int(indices[0]), int(indices[-1]) + 1, step)
