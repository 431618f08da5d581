"""Layers of what was read from an image: outlines, modules, repaired modules."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Layer, Points, Shapes
from napari.utils.colormaps import Colormap

from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.widgets.layers import KEY, parts_of
from napari_nanoqr.widgets.module_raster import Raster, in_image, module_map, module_raster
from napari_nanoqr.widgets.planes import Plane, unit_ratios
from napari_nanoqr.widgets.reading_words import LONGEST_LABEL, label_of
from napari_nanoqr.widgets.result_place import Place

if TYPE_CHECKING:
    from napari.components import ViewerModel

CODES, MODULES, REPAIRED = "codes", "modules", "repaired"

# from the palette of Okabe and Ito, which colour-blind people can tell apart
OUTLINE_COLOUR = "#f0e442"
REPAIRED_COLOUR = "#d55e00"
# an image with a colour for each value: label colours are compiled on first use, for seconds
MODULE_COLOURS = Colormap(
    [[0, 0, 0, 0], [1, 1, 1, 1], [0, 0.447, 0.698, 1]],
    name="nanoqr modules",
    controls=[0, 1 / 3, 2 / 3, 1],
    interpolation="zero",
)

_FEW_CODES = 3
_LONGEST_OF_MANY = 14


def update_reading_layers(
    viewer: ViewerModel,
    image: Image,
    plane: Plane,
    readings: Sequence[Reading],
    raster: Raster | None = None,
) -> dict[str, Layer]:
    """Show readings on an image: make its result layers, or bring them up to date.

    Layers that an earlier reading of the image left are used again, whatever they are called
    now; those that were deleted come back. Without a reading they are removed.

    Parameters
    ----------
    viewer : ViewerModel
        Where the image is.
    image : Image
        What was read.
    plane : Plane
        The plane of it that was read.
    readings : sequence of Reading
        With corners in pixels of the plane.
    raster : Raster, optional
        What :func:`module_raster` made of the readings, where that was done in time.

    Returns
    -------
    dict
        Shapes ``"codes"``, Image ``"modules"``, Points ``"repaired"``; empty without a
        reading.
    """
    group = f"reading of {image.unique_id}"
    layers = parts_of(viewer, group)
    if not readings:
        for layer in layers.values():
            viewer.layers.remove(layer)
        return {}
    raster = module_raster(readings) if raster is None else raster
    place = Place.on(viewer, image, plane)
    for part, layer in list(layers.items()):
        if layer.ndim != place.ndim:
            viewer.layers.remove(layer)
            del layers[part]
    active = [layer for layer in viewer.layers if layer == viewer.layers.selection.active]
    for part, make in ((MODULES, Image), (REPAIRED, Points), (CODES, Shapes)):
        if part not in layers:
            layers[part] = _new_layer(make, f"{image.name} · {part}", place)
            layers[part].metadata[KEY] = {"part": part, "kind": "reading", "group": group}
            _fill(layers[part], part, place, readings, raster)
            viewer.add_layer(layers[part])
        else:
            _fill(layers[part], part, place, readings, raster)
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


def is_reading(layer: Layer) -> bool:
    """Return whether a layer shows what was read, and is no image to read."""
    facts = layer.metadata.get(KEY)
    return isinstance(facts, dict) and facts.get("kind") == "reading"


def look_at(viewer: ViewerModel, image: Image, plane: Plane, reading: Reading) -> None:
    """Move the camera so that a code is in the middle and fills half of the canvas."""
    place = Place.on(viewer, image, plane)
    units = viewer.layers.extent.units or image.units
    ratios = unit_ratios(image.units, units)[list(plane.axes)]
    corners = place.world(reading.corners_yx)[:, place.axes] * ratios
    size = float(np.ptp(corners, axis=0).max())
    camera = viewer.scene.camera
    camera.center = (camera.center[0], *(float(v) for v in corners.mean(axis=0)))
    if size > 0:
        camera.zoom = min(viewer.canvas.size) / (2 * size)


def _new_layer(kind: type[Layer], name: str, place: Place) -> Layer:
    options: dict[str, Any] = {
        "name": name, "units": place.units, "axis_labels": place.axis_labels,
    }  # fmt: skip
    if kind is Image:
        return Image(
            np.zeros((1,) * place.ndim, np.uint8),
            colormap=MODULE_COLOURS,
            contrast_limits=(0, 2),
            opacity=0.4,
            **options,
        )
    if kind is Points:
        return Points(
            ndim=place.ndim,
            face_color="transparent",
            border_color=REPAIRED_COLOUR,
            border_width=0.2,
            **options,
        )
    return Shapes(
        ndim=place.ndim,
        face_color="transparent",
        edge_color=OUTLINE_COLOUR,
        opacity=1,
        text={"string": "{label}", "anchor": "upper_left", "color": OUTLINE_COLOUR, "size": 12},
        features={"label": np.array([], dtype=object)},
        **options,
    )


def _fill(
    layer: Layer, part: str, place: Place, readings: Sequence[Reading], raster: Raster
) -> None:
    layer.units, layer.axis_labels = place.units, place.axis_labels
    if part == MODULES:
        labels, step, corner = raster
        shape = np.ones(place.ndim, dtype=int)
        shape[list(place.axes)] = labels.shape
        flipped = place.axes[0] > place.axes[1]
        layer.data = (labels.T if flipped else labels).reshape(shape)
        layer.affine = place.affine(step, corner)
        layer.metadata[KEY]["modules"] = [
            None if reading.matrix is None else reading.matrix.astype(int).tolist()
            for reading in readings
        ]
    elif part == REPAIRED:
        _fill_repaired(layer, place, readings)
    else:
        _fill_codes(layer, place, readings)


def _fill_codes(layer: Shapes, place: Place, readings: Sequence[Reading]) -> None:
    width = min(reading.pitch_px for reading in readings) * place.world_per_pixel / 4
    longest = LONGEST_LABEL if len(readings) <= _FEW_CODES else _LONGEST_OF_MANY
    # setting data fails where the viewer shows 3D, removing does not
    layer.selected_data = set(range(len(layer.data)))
    layer.remove_selected()
    layer.add_polygons(
        [place.world(reading.corners_yx) for reading in readings],
        edge_width=width,
        edge_color=OUTLINE_COLOUR,
        face_color="transparent",
    )
    layer.features = _columns(
        {
            "label": label_of(reading, longest),
            "payload": reading.payload.hex() if reading.text is None else reading.text,
            "symbol": f"{reading.symbology} {reading.version}",
            "error": reading.error or "",
            "mask": -1 if reading.mask is None else reading.mask,
            "pitch_nm": np.nan if reading.pitch_nm is None else reading.pitch_nm,
            "rotation_deg": reading.rotation_deg,
            "mirrored": reading.mirrored,
            "inverted": reading.inverted,
            "corrected_codewords": _number(reading.corrected_codewords),
            "correctable_left": _number(reading.correctable_left),
            "reader": reading.reader,
        }
        for reading in readings
    )
    layer.metadata[KEY]["codes"] = [reading.to_dict() for reading in readings]


def _fill_repaired(layer: Points, place: Place, readings: Sequence[Reading]) -> None:
    places, sizes, rows = [], [], []
    for number, reading in enumerate(readings, start=1):
        if reading.matrix is None or reading.wrong is None:
            continue
        cells = np.argwhere(reading.wrong)
        places.append(in_image(module_map(reading), cells + 0.5).reshape(-1, 2))
        sizes += [reading.pitch_px * place.world_per_pixel] * len(cells)
        rows += [
            {
                "code": number,
                "row": int(row),
                "column": int(column),
                "read_as": "dark" if reading.matrix[row, column] else "light",
            }
            for row, column in cells
        ]
    layer.selected_data = set()
    yx = np.concatenate(places) if places else np.zeros((0, 2))
    layer.data = place.world(yx) if len(yx) else np.zeros((0, place.ndim))
    if len(yx):
        layer.size = np.array(sizes)
        layer.face_color, layer.border_color = "transparent", REPAIRED_COLOUR
        layer.features = _columns(rows)


def _columns(rows: Any) -> dict[str, list[Any]]:
    rows = list(rows)
    return {name: [row[name] for row in rows] for name in rows[0]}


def _number(value: int | None) -> float:
    return float("nan") if value is None else float(value)
