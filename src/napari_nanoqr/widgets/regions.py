"""Regions of an image: where they lie, and reading one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from napari.layers import Image, Shapes

from napari_nanoqr.reading.read import Progress, read_codes
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.scene import inside
from napari_nanoqr.widgets.image_source import Box, ImageSource
from napari_nanoqr.widgets.planes import Plane, finest, unit_ratios

_MARGIN = 0.05
"""Of its size, by which a region is widened: a box drawn tight still shows the whole code."""


def region_boxes(region: Shapes, layer: Image, plane: Plane) -> list[Box]:
    """Return the boxes around the shapes of a layer, in pixels of an image.

    Parameters
    ----------
    region : Shapes
        The selected shapes count, without a selection all of them.
    layer : Image
        The image; the two may be scaled, moved and turned in different ways.
    plane : Plane
        Its plane.

    Raises
    ------
    ValueError
        Where there is no shape, or none on the image.
    """
    chosen = sorted(region.selected_data) or range(len(region.data))
    if not chosen:
        raise ValueError(
            f"{region.name} has no shapes: draw a rectangle around the code, or set the region "
            "to the whole image."
        )
    ratios = unit_ratios(region.units, layer.units)
    height, width = (finest(layer).shape[axis] for axis in plane.axes)
    boxes = []
    for i in chosen:
        world = [np.asarray(region.data_to_world(vertex)) * ratios for vertex in region.data[i]]
        points = np.array([layer.world_to_data(vertex) for vertex in world])[:, plane.axes]
        low, high = points.min(axis=0), points.max(axis=0)
        margin = _MARGIN * (high - low)
        # rounded first: napari keeps shapes as float32
        first, last = np.floor(np.round(low - margin, 2)), np.ceil(np.round(high + margin, 2))
        top, left = np.maximum(first, 0).astype(int)
        bottom, right = np.minimum(last + 1, (height, width)).astype(int)
        if bottom - top > 1 and right - left > 1:
            boxes.append((int(top), int(bottom), int(left), int(right)))
    if not boxes:
        raise ValueError(
            f"{region.name} does not lie on {layer.name}: draw it over the code, or set "
            "the region to the whole image."
        )
    return boxes


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
