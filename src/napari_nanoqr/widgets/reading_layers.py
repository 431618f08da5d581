"""Layers of what was read from an image, and where they lie."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Labels, Layer, Points, Shapes

from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.unread import Unread
from napari_nanoqr.widgets.layers import KEY, parts_of
from napari_nanoqr.widgets.planes import Plane, unit_ratios
from napari_nanoqr.widgets.reading_parts import PARTS
from napari_nanoqr.widgets.result_place import Place
from napari_nanoqr.widgets.shown import Shown

if TYPE_CHECKING:
    from napari.components import ViewerModel


def update_reading_layers(
    viewer: ViewerModel, image: Image, plane: Plane, shown: Shown
) -> dict[str, Layer]:
    """Show readings on an image: make its result layers, or bring them up to date.

    Layers that an earlier reading of the image left are used again, whatever they are called
    now; those that were deleted come back. Where there is nothing to show they are removed.

    Parameters
    ----------
    viewer : ViewerModel
        Where the image is.
    image : Image
        What was read.
    plane : Plane
        The plane of it that was read.
    shown : Shown
        What is to be shown, with corners in pixels of the plane.

    Returns
    -------
    dict
        The layers that there are now: Images ``"modules"`` and ``"confidence"``, Points
        ``"repaired"``, Shapes ``"codes"`` and ``"unread"``.
    """
    group = f"reading of {image.unique_id}"
    layers = parts_of(viewer, group)
    place = Place.on(viewer, image, plane)
    wanted = [part for part in PARTS if part.wanted(shown)]
    for name, layer in list(layers.items()):
        if layer.ndim != place.ndim or name not in [part.name for part in wanted]:
            viewer.layers.remove(layer)
            del layers[name]
    active = [layer for layer in viewer.layers if layer == viewer.layers.selection.active]
    options = {"units": place.units, "axis_labels": place.axis_labels}
    for part in wanted:
        layer = layers.get(part.name)
        if layer is None:
            layer = part.make(place.ndim, name=f"{image.name} · {part.name}", **options)
            layer.metadata[KEY] = {"part": part.name, "kind": "reading", "group": group}
        layer.units, layer.axis_labels = place.units, place.axis_labels
        part.fill(layer, place, shown)
        if part.name not in layers:
            layers[part.name] = viewer.add_layer(layer)
    if active and active[0] in viewer.layers:
        viewer.layers.selection.active = active[0]
    return layers


@functools.cache
def warm_up() -> None:
    """Load what napari loads with the first layer of a kind: seconds, better in a thread."""
    corner = np.zeros((1, 2))
    square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    Shapes([square], shape_type="polygon", features={"label": ["a"]}, text="{label}")
    Points(corner, features={"code": [1]})
    Labels(np.zeros((1, 1), np.uint8))


def is_reading(layer: Layer) -> bool:
    """Return whether a layer shows what was read, and is no image to read."""
    facts = layer.metadata.get(KEY)
    return isinstance(facts, dict) and facts.get("kind") == "reading"


def look_at(viewer: ViewerModel, image: Image, plane: Plane, symbol: Reading | Unread) -> None:
    """Move the camera so that a code is in the middle and fills half of the canvas."""
    place = Place.on(viewer, image, plane)
    units = viewer.layers.extent.units or image.units
    ratios = unit_ratios(image.units, units)[list(plane.axes)]
    corners = place.world(symbol.corners_yx)[:, place.axes] * ratios
    size = float(np.ptp(corners, axis=0).max())
    camera = viewer.scene.camera
    camera.center = (camera.center[0], *(float(v) for v in corners.mean(axis=0)))
    if size > 0:
        camera.zoom = min(viewer.canvas.size) / (2 * size)
