"""A picture of what was written, upright and even, with the modules that differ marked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.files import complete_file
from napari_nanoqr.reading.comparison import COVERED, Comparison
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.interpolation import interpolate

AROUND = 2
"""Modules that are shown around the symbol."""

# from the palette of Okabe and Ito, which colour-blind people can tell apart
_DIFFERENT, _COVERED = (213, 94, 0), (86, 180, 233)

_TINT = 0.6


def difference_picture(
    image: NDArray[np.float32], comparison: Comparison, side: int = 12
) -> NDArray[np.uint8]:
    """Draw a symbol upright, with the modules that differ in orange and covered ones in blue.

    Parameters
    ----------
    image : (y, x) float32 array
        The image that was compared.
    comparison : Comparison
        Where the design is in it.
    side : int
        Pixels of the picture for each module.

    Returns
    -------
    (height, width, 3) uint8 array
        With some modules around the symbol.
    """
    rows, columns = comparison.written.shape
    grid = Grid.from_corners(comparison.corners_yx, (rows, columns))
    shape = (rows + 2 * AROUND) * side, (columns + 2 * AROUND) * side
    places = (np.indices(shape, dtype=float).transpose(1, 2, 0) + 0.5) / side - AROUND
    grey = interpolate(image, grid.to_pixels(places))
    low, high = np.percentile(grey, (0.5, 99.5))
    level = np.clip((grey - low) / max(float(high - low), 1e-9), 0, 1) * 255
    picture = np.repeat(level[..., None], 3, axis=-1)
    for modules, colour in (
        (comparison.different, _DIFFERENT),
        (comparison.covered > COVERED, _COVERED),
    ):
        where = np.kron(np.pad(modules, AROUND), np.ones((side, side), dtype=bool))
        picture[where] = (1 - _TINT) * picture[where] + _TINT * np.array(colour)
    drawn: NDArray[np.uint8] = np.rint(picture).astype(np.uint8)
    return drawn


def save_difference_picture(path: Path, image: NDArray[np.float32], comparison: Comparison) -> None:
    """Save that picture as PNG.

    Raises
    ------
    OSError
        Where it cannot be written; a file of that name stays as it was.
    """
    from PIL import Image

    with complete_file(path) as part:
        Image.fromarray(difference_picture(image, comparison)).save(part, format="PNG")
