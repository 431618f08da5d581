"""All that reading one image gave: codes, symbols that could not be read, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from napari_nanoqr.reading.comparison import Comparison
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.unread import Stage, Unread

Seen = TypeVar("Seen", Reading, Unread, Comparison)


def moved(seen: Iterable[Seen], row: float, column: float) -> list[Seen]:
    """Return what was seen in a region with its corners in pixels of the whole image.

    Parameters
    ----------
    seen : iterable of Reading, Unread or Comparison
        With corners in pixels of the region.
    row, column : float
        Of the region's first pixel.
    """
    corner = np.array([row, column], dtype=np.float64)
    return [replace(one, corners_yx=one.corners_yx + corner) for one in seen]


class Readings(list[Reading]):
    """The codes that were read from an image: a list, which knows what was left over.

    Parameters
    ----------
    readings : iterable of Reading
        The codes.
    unread : iterable of Unread
        Symbols that were seen and could not be read.
    advice : str
        Where nothing was read, a sentence for people: what failed and what to try.

    Attributes
    ----------
    unread : tuple of Unread
        As given.
    advice : str
        As given; empty where there is nothing to say.
    """

    def __init__(
        self, readings: Iterable[Reading] = (), unread: Iterable[Unread] = (), advice: str = ""
    ) -> None:
        super().__init__(readings)
        self.unread = tuple(unread)
        self.advice = advice

    @property
    def failed_stage(self) -> Stage | None:
        """Where reading came to its end, None where something was read.

        Of several symbols that could not be read, the stage of the one that came furthest.
        """
        if self:
            return None
        stages: set[Stage] = {seen.failed_stage for seen in self.unread}
        return "decode" if "decode" in stages else "weigh" if stages else "locate"
