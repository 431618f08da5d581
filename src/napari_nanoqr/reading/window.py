"""The part of an image around one symbol, with no more pixels than its modules need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid, Points
from napari_nanoqr.reading.smooth import block_means, smoothed

_MARGIN = 3
"""Modules around the symbol."""

_SOFTNESS = 0.2
"""Standard deviation in modules: edges are then about as wide as in a template."""

_ENOUGH = 5.5
"""Least pixels a module; blocks of finer ones are averaged. At twelve, give or take, there are
six: places are told to a few percent only."""


@dataclass(frozen=True, eq=False)
class Window:
    """The part of an image around one symbol.

    Parameters
    ----------
    part : (rows, columns) float32 array
        From which modules are sampled.
    softened : (rows, columns) float32 array
        Smoothed, with less noise: to it grids are fitted.
    step : int
        Pixels of the image along the side of one of the window's.
    origin : tuple of int
        y and x of the first pixel in the image.
    """

    part: NDArray[np.float32]
    softened: NDArray[np.float32]
    step: int
    origin: tuple[int, int]

    @classmethod
    def around(cls, image: NDArray[np.float32], corners_yx: Points, pitch_px: float) -> Window:
        """Cut out a symbol with a margin of three modules where the image reaches so far.

        Parameters
        ----------
        image : (y, x) float32 array
            The image.
        corners_yx : (4, 2) float array
            The symbol's corners in pixels.
        pitch_px : float
            Distance of modules in pixels.

        Raises
        ------
        ValueError
            Where the symbol lies outside of the image.
        """
        margin = _MARGIN * pitch_px
        low = np.floor(corners_yx.min(axis=0) - margin).astype(int).clip(0)
        high = np.ceil(corners_yx.max(axis=0) + margin).astype(int).clip(-1) + 1
        part = image[low[0] : high[0], low[1] : high[1]]
        if part.size == 0:
            raise ValueError("the symbol lies outside of the image")
        step = max(1, min(int(pitch_px / _ENOUGH), *part.shape))
        part = block_means(part, step)
        sigma = _SOFTNESS * pitch_px / step
        softened = smoothed(part, sigma)
        return cls(part, softened, step, (int(low[0]), int(low[1])))

    def inside(self, grid: Grid) -> Grid:
        """Return a grid of the image in the window's pixels."""
        return Grid(grid.shape, np.linalg.inv(self._to_image) @ grid.perspective, grid.bend)

    def outside(self, grid: Grid) -> Grid:
        """Return a grid of the window in the image's pixels."""
        return Grid(grid.shape, self._to_image @ grid.perspective, grid.bend)

    def points(self, points_yx: Points) -> Points:
        """Return points of the image in the window's pixels."""
        moved: Points = (points_yx - np.array(self.origin) + 0.5) / self.step - 0.5
        return moved

    @property
    def _to_image(self) -> NDArray[np.float64]:
        step, (top, left) = self.step, self.origin
        first = (step - 1) / 2
        return np.array([[step, 0, first + top], [0, step, first + left], [0, 0, 1]])
