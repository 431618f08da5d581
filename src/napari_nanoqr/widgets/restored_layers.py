"""Layers of a restored image: one for each step, above the image that they come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Layer, Shapes
from numpy.typing import NDArray

from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.restore.provenance import steps_of
from napari_nanoqr.widgets.layers import KEY, parts_of
from napari_nanoqr.widgets.planes import Plane
from napari_nanoqr.widgets.readers import micrograph_layer
from napari_nanoqr.widgets.result_place import Place

if TYPE_CHECKING:
    from napari.components import ViewerModel

REGISTERED, DRIFT = "registered", "drift"
"""The step that brings frames into line, and the layer that shows where the specimen went."""

STEPS = (REGISTERED, "flattened", "destriped", "tilt-corrected", "straightened")
"""The order in which steps are taken."""

DRIFT_COLOUR = "#e69f00"

_GROUP = "restored of"


def is_restored(layer: Layer) -> bool:
    """Return whether a layer is what restoring left."""
    facts = layer.metadata.get(KEY)
    return isinstance(facts, dict) and str(facts.get("group", "")).startswith(_GROUP)


def restored_layers(viewer: ViewerModel, image: Image) -> dict[str, Layer]:
    """Return the layers that restoring an image left, by step in order, the drift last."""
    parts = parts_of(viewer, _group(image))
    return {name: parts[name] for name in (*STEPS, DRIFT) if name in parts}


def update_restored_layers(
    viewer: ViewerModel,
    image: Image,
    plane: Plane,
    before: Micrograph,
    results: Sequence[Micrograph],
) -> dict[str, Layer]:
    """Show what the steps of restoring left: make its layers, or bring them up to date.

    Layers of steps that were not taken this time are removed; only the last result is visible.

    Parameters
    ----------
    viewer : ViewerModel
        Where the image is.
    image : Image
        What was restored; it is not touched.
    plane : Plane
        The plane of it that was restored.
    before : Micrograph
        What was taken of it.
    results : sequence of Micrograph
        After each step.

    Returns
    -------
    dict
        As :func:`restored_layers` gives them.
    """
    active = [layer for layer in viewer.layers if layer == viewer.layers.selection.active]
    old = restored_layers(viewer, image)
    place = Place.on(viewer, image, plane)
    wanted = {steps_of(result)[-1]["step"]: result for result in results}
    for name, layer in old.items():
        fits = name in wanted and layer.ndim == wanted[name].image.ndim
        if not fits:
            viewer.layers.remove(layer)
    below: Layer = image
    for step, result in wanted.items():
        options = _options(image, place, before, result, step)
        layer = restored_layers(viewer, image).get(step)
        if layer is None:
            layer = Image(result.image, name=f"{image.name} · {step}", **options)
            viewer.layers.insert(list(viewer.layers).index(below) + 1, layer)
        else:
            layer.data = result.image
            layer.reset_contrast_limits()
            for name, value in options.items():
                setattr(layer, name, value)
        below = layer
    if REGISTERED in wanted:
        shifts = steps_of(wanted[REGISTERED])[-1]["found"]["shifts_px"]
        viewer.layers.insert(
            list(viewer.layers).index(below) + 1,
            _drift(image, place, np.array(shifts), wanted[REGISTERED].image.shape),
        )
    show_last(viewer, image)
    if active and active[0] in viewer.layers:
        viewer.layers.selection.active = active[0]
    return restored_layers(viewer, image)


def undo_last(viewer: ViewerModel, image: Image) -> str | None:
    """Remove what the last step left, and show what the one before it left.

    Returns
    -------
    str or None
        The step, None where there is none.
    """
    layers = restored_layers(viewer, image)
    steps = [step for step in STEPS if step in layers]
    if not steps:
        return None
    gone = [steps[-1], DRIFT] if steps[-1] == REGISTERED else [steps[-1]]
    for name in gone:
        if name in layers:
            viewer.layers.remove(layers[name])
    show_last(viewer, image)
    return steps[-1]


def show_last(viewer: ViewerModel, image: Image) -> None:
    """Show, of the results of restoring an image, only the last one."""
    layers = restored_layers(viewer, image)
    steps = [step for step in STEPS if step in layers]
    for step in steps:
        layers[step].visible = step == steps[-1]
    if DRIFT in layers:
        # it is drawn to scale in the place of the first frame
        layers[DRIFT].visible = steps[-1] not in STEPS[3:]


def _group(image: Image) -> str:
    return f"{_GROUP} {image.unique_id}"


def _options(
    image: Image, place: Place, before: Micrograph, result: Micrograph, step: str
) -> dict[str, Any]:
    """Return metadata and place of a result's layer: its corner lies on that of the image."""
    _, made, _ = micrograph_layer(result)
    facts = made["metadata"][KEY] | {"group": _group(image), "part": step, "path": None}
    stretch = np.ones(2)
    if result.pixel_size_nm is not None and before.pixel_size_nm is not None:
        stretch = np.divide(result.pixel_size_nm, before.pixel_size_nm)
    matrix = place.matrix[:, :2] * stretch
    corner = place.matrix @ [-0.5, -0.5, 1.0] + matrix @ [0.5, 0.5]
    lengths = np.linalg.norm(matrix, axis=0)
    affine = np.eye(result.image.ndim + 1)
    affine[-3:-1, -3:-1] = matrix / lengths
    affine[-3:-1, -1] = corner
    frames = (1.0,) * (result.image.ndim - 2)
    return {
        "metadata": {KEY: facts},
        "scale": (*frames, *lengths),
        "affine": affine,
        "units": (*("pixel" for _ in frames), *place.units[-2:]),
        "axis_labels": (*("frame" for _ in frames), "y", "x"),
    }


def _drift(
    image: Image, place: Place, shifts_px: NDArray[np.float64], shape: tuple[int, ...]
) -> Shapes:
    """Return the way of the specimen from frame to frame, to scale, about the image's middle."""
    middle = (np.array(shape) - 1) / 2
    apart = shifts_px - (shifts_px.max(axis=0) + shifts_px.min(axis=0)) / 2
    way = (middle + apart) @ place.matrix[:, :2].T + place.matrix[:, 2]
    layer = Shapes(
        [way],
        shape_type="path",
        ndim=2,
        name=f"{image.name} · {DRIFT}",
        edge_color=DRIFT_COLOUR,
        face_color="transparent",
        edge_width=place.world_per_pixel * max(shape) / 250,
        units=place.units[-2:],
        axis_labels=("y", "x"),
    )
    layer.metadata[KEY] = {"group": _group(image), "part": DRIFT, "shifts_px": shifts_px.tolist()}
    return layer
