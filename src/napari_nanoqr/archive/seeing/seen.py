"""A tile as a micrograph shows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.header import TileHeader


@dataclass(frozen=True, eq=False)
class SeenTile:
    """A tile that was seen in a micrograph.

    Attributes
    ----------
    soft : (planes, 512, 512) int8 array
        8 steps a nat, positive where bit 0 is more likely, 0 where the image does not show the
        module. One plane for each bit that a module holds.
    header : TileHeader or None
        What the tile says of itself; None where neither copy can be read.
    corners : (4, 2) float64 array
        Pixels (y, x) of the outer corners: top-left, top-right, bottom-right, bottom-left. They
        may lie outside the image.
    mirrored : bool
        The image shows the tile mirrored.
    dark : bool
        Milled modules are the darker ones.
    pitch_px : float
        Pixels a module, the geometric mean of both axes.
    seen : float
        Share of its modules that the image shows, 0 to 1.
    contrast : float
        Half the distance between neighbouring levels over the noise around them.
    error_rate : float
        Share of wrong modules, were each decided alone, as the spread of values foretells it.
    """

    soft: NDArray[np.int8]
    header: TileHeader | None
    corners: NDArray[np.float64]
    mirrored: bool
    dark: bool
    pitch_px: float
    seen: float
    contrast: float
    error_rate: float
