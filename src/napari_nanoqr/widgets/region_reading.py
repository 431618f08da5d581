"""Read the regions of an image one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from napari_nanoqr.reading.read import Progress, read_codes
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.scene import inside
from napari_nanoqr.widgets.image_source import Box, ImageSource


def read_regions(
    source: ImageSource,
    boxes: Sequence[Box],
    pitch_nm: float | None,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> list[Reading]:
    """Read the codes in boxes of an image, without boxes in all of it.

    Parameters
    ----------
    source : ImageSource
        The image.
    boxes : sequence of Box
        In pixels; a code that lies in several of them is given once.
    pitch_nm : float, optional
        Side of a module.
    progress, cancelled : callable
        As `read_codes` takes them.

    Returns
    -------
    list of Reading
        Corners are in pixels of the whole image.

    Raises
    ------
    ValueError, OSError
        With a sentence for people.
    """
    found: list[Reading] = []
    regions: list[Box | None] = [*boxes] or [None]
    for number, box in enumerate(regions):
        if cancelled():
            break

        def report(done: int, total: int, sentence: str, number: int = number) -> None:
            where = f"region {number + 1}: " if len(regions) > 1 else ""
            progress(number * total + done, len(regions) * total, where + sentence)

        corner = np.zeros(2) if box is None else np.array([box[0], box[2]], dtype=np.float64)
        readings = read_codes(
            source.micrograph(box), pitch_nm=pitch_nm, progress=report, cancelled=cancelled
        )
        for reading in readings:
            corners = reading.corners_yx + corner
            middle = corners.mean(axis=0)
            if not any(inside(middle, other.corners_yx) for other in found):
                found.append(replace(reading, corners_yx=corners))
    return sorted(found, key=lambda reading: tuple(reading.corners_yx.min(axis=0)))
