"""What is to be shown of a reading, drawn before the viewer needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from napari_nanoqr.reading.comparison import Comparison
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.unread import Unread
from napari_nanoqr.widgets.module_raster import (
    Raster,
    confidence_raster,
    difference_raster,
    module_raster,
)


@dataclass(frozen=True, eq=False)
class Shown:
    """What is to be shown of an image.

    Parameters
    ----------
    readings : sequence of Reading
        Codes that were read.
    unread : sequence of Unread
        Symbols that were not.
    comparisons : sequence of Comparison
        Where a design was found.
    modules, confidence, differences : Raster
        What is drawn of their modules.
    """

    readings: Sequence[Reading]
    unread: Sequence[Unread]
    comparisons: Sequence[Comparison]
    modules: Raster
    confidence: Raster
    differences: Raster

    @classmethod
    def of(
        cls,
        readings: Sequence[Reading],
        unread: Sequence[Unread] = (),
        comparisons: Sequence[Comparison] = (),
    ) -> Shown:
        """Draw what takes a while to draw."""
        return cls(
            readings,
            unread,
            comparisons,
            module_raster(readings),
            confidence_raster(readings),
            difference_raster(comparisons),
        )
