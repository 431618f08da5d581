"""Where the codes are that are to be measured, and what is written there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.comparison import Comparison
from napari_nanoqr.reading.grid import Points
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.scene import overlap


@dataclass(frozen=True, eq=False)
class Place:
    """A code in an image, every module of which is known.

    Parameters
    ----------
    corners_yx : (4, 2) float array
        Its outer corners in pixels.
    modules : (rows, columns) bool array
        What is written, True = dark.
    inverted : bool
        The image shows the dark modules brighter than the light ones.
    reading : Reading or None
        How that is known: what was read there,
    comparison : Comparison or None
        or the design that was found there, or both.
    """

    corners_yx: Points
    modules: NDArray[np.bool_]
    inverted: bool
    reading: Reading | None
    comparison: Comparison | None


def places_of(readings: Iterable[Reading], comparisons: Iterable[Comparison]) -> Iterator[Place]:
    """Yield the places of codes that were read and of designs that were found.

    Parameters
    ----------
    readings : iterable of Reading
        Those whose modules are not known are left out.
    comparisons : iterable of Comparison
        At the same place as a reading they say what is written.

    Yields
    ------
    Place
        The readings first, then designs where nothing was read.
    """
    left = list(comparisons)
    for reading in readings:
        same = next((c for c in left if overlap(c.corners_yx, reading.corners_yx)), None)
        if same is not None:
            left.remove(same)
            # a design is found with its own top left first, whoever else read it
            yield Place(same.corners_yx, same.written, same.inverted, reading, same)
        elif reading.matrix is not None and reading.wrong is not None:
            written = reading.matrix ^ reading.wrong
            yield Place(reading.corners_yx, written, reading.inverted, reading, None)
    for found in left:
        yield Place(found.corners_yx, found.written, found.inverted, None, found)
