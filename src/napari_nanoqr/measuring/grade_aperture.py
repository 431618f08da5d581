"""Grey values of modules as an aperture sees them, and the scale that they are graded on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.interpolation import interpolate

APERTURE = 0.8
"""Diameter of the aperture in modules (ISO/IEC 15415:2011 leaves it to the application; 80 % of
the module is the usual choice where one size of module is to be graded)."""

_ON_THE_RIM = 1e-6
"""Modules; a pixel whose centre lies on the aperture's rim is in it, whatever floats say."""


@dataclass(frozen=True, eq=False)
class Seen:
    """All modules of a symbol and of its quiet zone, through the aperture.

    Parameters
    ----------
    values : (rows + 2 q, columns + 2 q) float array
        Mean grey value of the pixels within the aperture; NaN outside of the image.
    expected : same shape, bool array
        What is written, True = dark; the quiet zone is light.
    quiet : int
        Modules of quiet zone q on each side.
    black : float
        Grey value of no signal.
    """

    values: NDArray[np.float64]
    expected: NDArray[np.bool_]
    quiet: int
    black: float

    @property
    def brightest(self) -> float:
        """Highest grey value of a module."""
        return float(np.nanmax(self.values))

    @property
    def darkest(self) -> float:
        """Lowest grey value of a module."""
        return float(np.nanmin(self.values))

    @property
    def threshold(self) -> float:
        """Global threshold: midway between the brightest and the darkest module."""
        return (self.brightest + self.darkest) / 2

    @property
    def middle(self) -> float:
        """Midway between the median dark and the median light module: extremes grow with noise."""
        inside, dark = self.inside(self.values), self.inside(self.expected)
        return float(np.nanmedian(inside[dark]) + np.nanmedian(inside[~dark])) / 2

    @property
    def inverted(self) -> bool:
        """The dark modules are the brighter ones."""
        inside, dark = self.inside(self.values), self.inside(self.expected)
        return bool(np.nanmean(inside[dark]) > np.nanmean(inside[~dark]))

    @property
    def contrast(self) -> float:
        """Symbol contrast, 0 to 1: the brightest module counts as one, no signal as zero."""
        full = self.brightest - self.black
        return (self.brightest - self.darkest) / full if full > 0 else 0.0

    @property
    def dark(self) -> NDArray[np.bool_]:
        """Modules that the global threshold takes for dark."""
        return np.asarray((self.values < self.threshold) ^ self.inverted)

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Modules that the threshold takes for the other kind, and those that the image cuts off.

        What is missing of the quiet zone is not held against the symbol.
        """
        there = np.isfinite(self.values)
        wrong: NDArray[np.bool_] = (self.dark != self.expected) & there
        self.inside(wrong)[:] |= ~self.inside(there)
        return wrong

    @property
    def modulation(self) -> NDArray[np.float64]:
        """How far each module lies from the threshold, 1 for the brightest and the darkest.

        ``2 |R - GT| / SC`` of ISO/IEC 15415:2011; 0 for a module of the symbol that is not in
        the image, and 1 for one of the quiet zone, which is not held against the symbol.
        """
        span = self.brightest - self.darkest
        distance = 2 * np.abs(self.values - self.threshold) / (span if span > 0 else np.inf)
        unseen = np.ones(distance.shape)
        self.inside(unseen)[:] = 0.0
        return np.where(np.isfinite(distance), distance, unseen)

    def inside(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return those of the symbol without its quiet zone, as a view."""
        q = self.quiet
        return values[q : values.shape[0] - q, q : values.shape[1] - q]


def through_aperture(
    image: NDArray[np.float32], grid: Grid, quiet: int, diameter: float = APERTURE
) -> NDArray[np.float64]:
    """Return the mean grey value of each module within a circular aperture at its centre.

    A pixel belongs to the aperture where its centre lies within it. Where modules are so few
    pixels wide that none does, the image is interpolated at the module's centre.

    Parameters
    ----------
    image : (y, x) float32 array
        The image.
    grid : Grid
        Where the symbol is.
    quiet : int
        Modules of quiet zone to look at on each side.
    diameter : float
        Of the aperture, in modules.

    Returns
    -------
    (rows + 2 quiet, columns + 2 quiet) float64 array
        Grey values; NaN where the centre of the module is not in the image.
    """
    rows, columns = (count + 2 * quiet for count in grid.shape)
    step, height, width = 1e-3, *image.shape
    values = np.full((rows, columns), np.nan)
    for row in range(rows):
        centres = np.column_stack((np.full(columns, float(row)), np.arange(columns)))
        centres += 0.5 - quiet
        middle = grid.to_pixels(centres)
        # within one module the grid is straight
        axes = np.stack(
            [
                (grid.to_pixels(centres + move) - grid.to_pixels(centres - move)) / (2 * step)
                for move in (np.array([step, 0.0]), np.array([0.0, step]))
            ],
            axis=-1,
        )
        reach = int(np.ceil(np.linalg.norm(axes, axis=(1, 2)).max() * diameter / 2)) + 1
        around = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2, indexing="ij"), axis=-1)
        pixels = np.rint(middle).astype(int)[:, None] + around.reshape(-1, 2)
        offsets = np.linalg.solve(axes[:, None], (pixels - middle[:, None])[..., None])[..., 0]
        y, x = pixels[..., 0], pixels[..., 1]
        there = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        there &= np.hypot(offsets[..., 0], offsets[..., 1]) <= diameter / 2 + _ON_THE_RIM
        grey = image[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].astype(np.float64)
        count = there.sum(axis=1)
        mean = np.where(there, grey, 0.0).sum(axis=1) / np.maximum(count, 1)
        values[row] = np.where(count > 0, mean, interpolate(image, middle))
        inside = ((middle >= -0.5) & (middle <= np.array(image.shape) - 0.5)).all(axis=1)
        values[row, ~inside] = np.nan
    return values
