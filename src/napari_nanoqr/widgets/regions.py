"""Regions of an image: where they lie, and reading one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from napari.layers import Image, Shapes

from napari_nanoqr.design.design import Design
from napari_nanoqr.reading.compare import compare_with_design
from napari_nanoqr.reading.comparison import Comparison
from napari_nanoqr.reading.read import Progress, read_codes
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.readings import Readings, Seen, moved
from napari_nanoqr.reading.scene import overlap
from napari_nanoqr.reading.unread import Unread
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
) -> Readings:
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
    Readings
        Corners are in pixels of the whole image.

    Raises
    ------
    ValueError, OSError
        With a sentence for people.
    """
    found: list[Reading] = []
    unread: list[Unread] = []
    advice = ""
    regions: list[Box | None] = [*boxes] or [None]
    for number, box in enumerate(regions):
        if cancelled():
            break

        def report(done: int, total: int, sentence: str, number: int = number) -> None:
            where = f"region {number + 1}: " if len(regions) > 1 else ""
            progress(number * total + done, len(regions) * total, where + sentence)

        readings = read_codes(
            source.micrograph(box), pitch_nm=pitch_nm, margin=True, progress=report,
            cancelled=cancelled,
        )  # fmt: skip
        advice = readings.advice or advice
        found += _new(readings, box, found)
        unread += _new(readings.unread, box, unread)
    unread = [seen for seen in unread if not any(_same(seen, code) for code in found)]
    return Readings(_sorted(found), _sorted(unread), "" if found else advice)


def compare_regions(
    source: ImageSource,
    boxes: Sequence[Box],
    design: Design,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> tuple[Comparison, ...]:
    """Hold boxes of an image against a design, without boxes all of it.

    Parameters
    ----------
    source, boxes, progress, cancelled
        As for :func:`read_regions`.
    design : Design
        What was written.

    Returns
    -------
    tuple of Comparison
        Corners are in pixels of the whole image.
    """
    found: list[Comparison] = []
    regions: list[Box | None] = [*boxes] or [None]
    for number, box in enumerate(regions):
        progress(number, len(regions), f"looking for {design.name}")
        if cancelled():
            break
        seen = compare_with_design(source.micrograph(box), design, cancelled=cancelled)
        found += _new(seen, box, found)
    return tuple(_sorted(found))


def _new(seen: Iterable[Seen], box: Box | None, known: Sequence[Seen]) -> list[Seen]:
    """Return what is not known yet, with corners in pixels of the whole image."""
    row, column = (0, 0) if box is None else (box[0], box[2])
    return [
        one for one in moved(seen, row, column) if not any(_same(one, other) for other in known)
    ]


def _same(one: Reading | Unread | Comparison, other: Reading | Unread | Comparison) -> bool:
    return overlap(one.corners_yx, other.corners_yx)


def _sorted(seen: list[Seen]) -> list[Seen]:
    return sorted(seen, key=lambda one: tuple(one.corners_yx.min(axis=0)))
