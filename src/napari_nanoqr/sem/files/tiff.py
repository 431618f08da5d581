"""TIFF: headers for the vendors' readers, and the pixels of all frames as grey values."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_nanoqr.sem.errors import UnreadableImage
from napari_nanoqr.sem.files.facts import ImageFile
from napari_nanoqr.sem.files.lazy import PagePixels, lazy_levels
from napari_nanoqr.sem.files.sizes import LARGE
from napari_nanoqr.sem.files.tiff_grey import grey_of

SIGNATURES = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_WANTED_TAGS = (270, 34118, 34119, 34680, 34682, 34683, 40092, 50431)
# No compression of pixels does better: deflate ends at 1032 to 1. What claims more has a
# damaged size, and would fill the memory with zeros.
_MOST_COMPRESSED = 2000
# Some writers leave room behind the pixels, but not as much again
_MOST_UNUSED = 2
# Microscopes put the picture first, or after one thumbnail
_PAGES_TO_CHOOSE_FROM = 8


class TiffSource:
    """An open TIFF file: `file` with its headers, `notes` on damage, `pixels`."""

    def __init__(self, path: Path, tiff: tifffile.TiffFile, notes: list[str]) -> None:
        self._path = path
        self._tiff = tiff
        self.notes = notes
        self._page = self._main_page()
        self.file = ImageFile(
            path=path,
            width=int(self._page.imagewidth),
            height=int(self._page.imagelength),
            tags={code: data for code in _WANTED_TAGS if (data := self._raw(code)) is not None},
            resolution=(self._resolution(282), self._resolution(283)),
        )

    def pixels(self, pages: slice | None = None) -> NDArray[Any]:
        """Read all frames.

        Parameters
        ----------
        pages : slice, optional
            The pages to read; by default all that are frames of the main image.

        Returns
        -------
        ndarray
            Grey values, ``(y, x)`` for one frame, ``(frame, y, x)`` for several; pages of
            another shape or kind than the main one, such as thumbnails, are left out.

        Raises
        ------
        UnreadableImage
            If pixels are missing from the file or cannot be decoded.
        """
        try:
            return self._frames(pages)
        except UnreadableImage:
            raise
        except MemoryError as error:
            raise UnreadableImage(
                f"{self._path.name} says it is {self.file.width} x {self.file.height} pixels, "
                "more than the memory holds. It is damaged, or has to be cropped first."
            ) from error
        except Exception as error:
            # decoders raise whatever damage leads them to
            raise UnreadableImage(
                f"The pixels of {self._path.name} cannot be decoded ({error}). "
                "Copy the file again from the microscope, or save it as an uncompressed TIFF."
            ) from error

    def _pages(self, count: int | None = None) -> list[tifffile.TiffPage]:
        pages = [self._tiff.pages[index] for index in range(len(self._tiff.pages))[:count]]
        return cast("list[tifffile.TiffPage]", pages)

    def _main_page(self) -> tifffile.TiffPage:
        pages = self._pages(_PAGES_TO_CHOOSE_FROM)
        pages = [page for page in pages if page.imagewidth and page.imagelength]
        pages = [page for page in pages if not page.is_reduced and not page.is_mask] or pages
        if not pages:
            raise UnreadableImage(f"{self._path.name} is a TIFF without an image in it.")
        return max(pages, key=lambda page: page.imagewidth * page.imagelength)

    def _raw(self, code: int) -> bytes | None:
        tag = self._page.tags.get(code)
        if tag is None:
            tag = self._pages(1)[0].tags.get(code)
        if tag is None:
            return None
        handle = self._tiff.filehandle
        handle.seek(tag.valueoffset)
        # a damaged count must not ask for more memory than there is file
        return bytes(handle.read(min(tag.valuebytecount, handle.size)))

    def _resolution(self, code: int) -> float:
        value = self._page.tags.valueof(code, default=None)
        if isinstance(value, tuple) and len(value) == 2 and value[1]:
            return float(value[0] / value[1])
        return float("nan")

    def levels(self) -> list[Any]:
        """Return a large picture as arrays that read from the file at each slicing.

        Returns
        -------
        list of dask array
            As `lazy_levels` has it, or the levels that the file has; empty where the picture
            is small, or has to be decoded as a whole.

        Raises
        ------
        UnreadableImage
            If pixels are missing from the file or cannot be decoded.
        """
        main = self._page
        if main.imagewidth * main.imagelength * self._planes * len(self._tiff.pages) <= LARGE:
            return []
        pages = self._frame_pages()
        frames = self._planes * len(pages)
        if main.imagewidth * main.imagelength * frames <= LARGE:
            return []
        if not all(PagePixels.can_read(page) for page in pages):
            return []
        for page in pages:
            self._check_complete(page)
        levels = lazy_levels(self._path, pages, self._planes)
        if frames == 1:
            levels = levels[:1] + (self._reductions() or levels[1:])
        # what cannot be decoded at all is better known now than when a viewer draws
        np.asarray(levels[0][..., :1, :1])
        return levels

    @property
    def _planes(self) -> int:
        """Frames under the header of the only page, as ImageJ writes files above 4 GiB."""
        main = self._page
        if len(self._tiff.pages) > 1:
            return 1
        for series in self._series()[:1]:
            if series.size > main.size and series.shape[-2:] == (main.imagelength, main.imagewidth):
                return int(series.size // main.size)
        return 1

    def _series(self) -> list[Any]:
        """Return what tifffile takes for images of several pages, nothing where it stumbles."""
        try:
            return list(self._tiff.series)
        except Exception:
            # over a description that promises what is not there
            return []

    def _frame_pages(self) -> list[tifffile.TiffPage]:
        main = self._page
        return [page for page in self._pages() if _kind(page) == _kind(main)] or [main]

    def _reductions(self) -> list[Any]:
        """Return coarser levels that the file itself holds for its only frame, finest first."""
        main = self._page
        series = [series for series in self._series() if series.keyframe.index == main.index]
        pages = [level.keyframe for level in series[0].levels[1:]] if series else []
        alike = [
            page
            for page in pages
            if page.dtype == main.dtype
            and page.photometric == main.photometric
            and PagePixels.can_read(page)
        ]
        return [lazy_levels(self._path, [page])[0] for page in alike]

    def _frames(self, chosen: slice | None) -> NDArray[Any]:
        main = self._page
        if chosen is None and self._planes > 1:
            self._check_complete(main)
            planes = self._tiff.series[0].asarray().reshape(-1, main.imagelength, main.imagewidth)
            return np.stack([grey_of(main, plane) for plane in planes])
        pages = self._frame_pages() if chosen is None else self._pages()[chosen]
        frames = []
        for page in pages:
            self._check_complete(page)
            frames.append(grey_of(page, page.asarray()))
        if len(frames) == 1:
            # without another copy of what may be most of the memory
            planes = frames[0].reshape(-1, *frames[0].shape[-2:])
        else:
            planes = np.concatenate([frame.reshape(-1, *frame.shape[-2:]) for frame in frames])
        return planes[0] if len(planes) == 1 else planes

    def _check_complete(self, page: tifffile.TiffPage) -> None:
        """Refuse a page that has less data in the file than its size asks for.

        tifffile would fill in zeros.
        """
        size = self._tiff.filehandle.size
        counts = list(page.databytecounts)
        if len(counts) == 1 and page.compression == tifffile.COMPRESSION.NONE:
            # some writers round the count of their only strip up
            counts = [min(counts[0], page.nbytes)]
        missing = max(
            (
                offset + count - size
                for offset, count in zip(page.dataoffsets, counts, strict=False)
            ),
            default=0,
        )
        bits = page.imagewidth * page.imagelength * page.samplesperpixel * int(page.bitspersample)
        most = 1 if page.compression == tifffile.COMPRESSION.NONE else _MOST_COMPRESSED
        if missing > 0 or bits > 8 * most * sum(counts):
            raise UnreadableImage(
                f"{self._path.name} is cut off: pixels are missing at its end. "
                "Copy the file again from the microscope."
            )
        # the other way round, a header that tells too few rows or columns
        uncompressed = page.compression == tifffile.COMPRESSION.NONE
        pieces = next((page.tags[code].count for code in (324, 273) if code in page.tags), 0)
        if pieces > math.prod(page.chunked) or (
            uncompressed and sum(page.databytecounts) > _MOST_UNUSED * max(page.nbytes, 1 << 16)
        ):
            raise UnreadableImage(
                f"{self._path.name} says it is {page.imagewidth} x {page.imagelength} pixels and "
                "holds data of a larger picture: its headers are damaged. Copy the file again "
                "from the microscope."
            )


@contextmanager
def open_tiff(path: Path) -> Iterator[TiffSource]:
    """Open a TIFF file for reading.

    Raises
    ------
    UnreadableImage
        If its headers are damaged.
    """
    with _noted_warnings() as notes:
        try:
            tiff = tifffile.TiffFile(path)
        except Exception as error:
            raise _damaged(path, error) from error
        with tiff:
            try:
                source = TiffSource(path, tiff, notes)
            except UnreadableImage:
                raise
            except Exception as error:
                raise _damaged(path, error) from error
            yield source


def _damaged(path: Path, error: Exception) -> UnreadableImage:
    return UnreadableImage(
        f"{path.name} begins like a TIFF but its headers are damaged ({error}). "
        "Copy the file again from the microscope."
    )


def _kind(page: tifffile.TiffPage) -> tuple[Any, ...]:
    """Return what all frames of one image have in common."""
    return (page.shape, page.dtype, page.photometric, page.is_reduced, page.is_mask)


@contextmanager
def _noted_warnings() -> Iterator[list[str]]:
    """Collect what tifffile logs in this thread instead of letting it onto the screen."""
    notes: list[str] = []
    thread = threading.get_ident()

    def keep(record: logging.LogRecord) -> bool:
        if record.thread != thread:
            return True
        if record.levelno >= logging.ERROR:
            notes.append(f"The TIFF headers are damaged: {record.getMessage()}")
        return False

    logger = logging.getLogger("tifffile")
    logger.addFilter(keep)
    try:
        yield notes
    finally:
        logger.removeFilter(keep)
