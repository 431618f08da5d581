"""One image while it is being read: what is known of it, and what was found in it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.image import Source
from napari_nanoqr.reading.prepare import Preparations
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.unread import Unread

_GRID = 48
"""Cells along the longer side when looking for free room."""

_EVEN_CELL = 4
"""Modules along the side of areas that are looked at for whether there is anything in them."""

_EVEN = 2 / 255
"""Share of an image's range of grey values within which an area counts as even."""


@dataclass
class Scene:
    """An image and the codes found in it so far.

    Parameters
    ----------
    source : Source
        The image.
    preparations : Preparations
        Versions of it.
    found : list of Reading
        Codes that were read.
    unread : list of Unread
        Symbols that were seen and could not be read, so far.
    """

    source: Source
    preparations: Preparations
    found: list[Reading] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    @property
    def so_far(self) -> str:
        """How many codes were found, in words."""
        count = len(self.found)
        return "no code" if count == 0 else "1 code" if count == 1 else f"{count} codes"

    def taken(self, corners_yx: NDArray[np.float64]) -> bool:
        """Return whether a code lies where one was read."""
        return any(overlap(corners_yx, reading.corners_yx) for reading in self.found)

    def not_read(self, seen: Unread) -> None:
        """Keep a symbol that was seen and not read, unless there is one already."""
        if not any(overlap(seen.corners_yx, other.corners_yx) for other in self.unread):
            self.unread.append(seen)

    @property
    def still_unread(self) -> list[Unread]:
        """Symbols that were seen, and by no reader read, from top to bottom."""
        left = [seen for seen in self.unread if not self.taken(seen.corners_yx)]
        return sorted(left, key=lambda seen: tuple(seen.corners_yx.min(axis=0)))

    def covered(
        self, picture: NDArray[np.uint8], stretch: tuple[float, float]
    ) -> NDArray[np.uint8]:
        """Return a picture in which the codes that were read no longer show.

        Parameters
        ----------
        picture : (y, x) uint8 array
            A version of the image.
        stretch : tuple of float
            Size of its pixels in pixels of the image, y and x.
        """
        if not self.found:
            return picture
        result = picture.copy()
        grey = int(np.median(picture[::4, ::4]))
        for reading in self.found:
            quad = (reading.corners_yx + 0.5) / np.array(stretch) - 0.5
            low = np.maximum(np.floor(quad.min(axis=0)).astype(int), 0)
            high = np.minimum(np.ceil(quad.max(axis=0)).astype(int) + 1, picture.shape)
            if (high > low).all():
                y, x = np.mgrid[low[0] : high[0], low[1] : high[1]]
                part = result[low[0] : high[0], low[1] : high[1]]
                part[inside(np.stack((y, x), axis=-1), quad)] = grey
        return result

    def room_for_another(self) -> bool:
        """Return whether a free square could hold another code, 0.7 times as large as these."""
        height, width = self.source.shape
        cell = max(height, width) / _GRID
        rows, columns = max(1, round(height / cell)), max(1, round(width / cell))
        middles = np.indices((rows, columns), dtype=np.float64).transpose(1, 2, 0) + 0.5
        centres: NDArray[np.float64] = middles * cell
        free = np.ones((rows, columns), dtype=bool)
        sides = []
        for reading in self.found:
            free &= ~inside(centres, reading.corners_yx)
            edges = reading.corners_yx - np.roll(reading.corners_yx, -1, axis=0)
            sides.append(float(np.linalg.norm(edges, axis=1).min()))
        need = max(1, int(0.7 * min(sides) / cell))
        if need > min(free.shape):
            return False
        sums = np.pad(free.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
        squares = (
            sums[need:, need:] - sums[:-need, need:] - sums[need:, :-need] + sums[:-need, :-need]
        )
        return bool((squares == need * need).any())

    def even_beside(self, pitch_px: float) -> bool:
        """Return whether the image is even, without any noise, but for the codes that were read.

        Parameters
        ----------
        pitch_px : float
            Distance of their modules: what they look like within six modules is left out.
        """
        image = self.preparations.base
        side = max(1, int(_EVEN_CELL * pitch_px))
        filled = np.pad(image, [(0, -n % side) for n in image.shape], mode="edge")
        rows = filled.reshape(-1, side, filled.shape[1])
        low, high = (
            along.reshape(len(rows), -1, side) for along in (rows.min(axis=1), rows.max(axis=1))
        )
        low, high = low.min(axis=2), high.max(axis=2)
        middles = (np.indices(low.shape).transpose(1, 2, 0) + 0.5) * side - 0.5
        beside = np.ones(low.shape, dtype=bool)
        for reading in self.found:
            centre = reading.corners_yx.mean(axis=0)
            edges = reading.corners_yx - np.roll(reading.corners_yx, -1, axis=0)
            grown = 1 + 3 * side / float(np.linalg.norm(edges, axis=1).min())
            beside &= ~inside(middles, centre + grown * (reading.corners_yx - centre))
        return bool(((high - low)[beside] <= _EVEN * (high.max() - low.min())).all())


def overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Return whether the middle of one of two ``(4, 2)`` quadrangles lies in the other."""
    return bool(inside(one.mean(axis=0), other) or inside(other.mean(axis=0), one))


def inside(points: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points lie within a convex quadrangle.

    Parameters
    ----------
    points : (..., 2) array
        The points.
    corners : (4, 2) float array
        Corners in either sense of rotation.

    Returns
    -------
    (...) bool array
        True inside.
    """
    edges = np.roll(corners, -1, axis=0) - corners
    towards = np.asarray(points)[..., None, :] - corners
    sides = edges[:, 0] * towards[..., 1] - edges[:, 1] * towards[..., 0]
    return np.asarray((sides > 0).all(axis=-1) | (sides < 0).all(axis=-1))
