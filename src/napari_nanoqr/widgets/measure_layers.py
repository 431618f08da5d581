"""Layers of what was measured: grey value and margin of every module, and numbers of each code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Layer, Shapes
from napari.utils.colormaps import Colormap

from napari_nanoqr.measuring.measurement import Measurement
from napari_nanoqr.measuring.rows import NAMES
from napari_nanoqr.widgets.layers import KEY, parts_of
from napari_nanoqr.widgets.module_raster import Raster, draw
from napari_nanoqr.widgets.planes import Plane
from napari_nanoqr.widgets.reading_outlines import columns
from napari_nanoqr.widgets.result_place import Place

if TYPE_CHECKING:
    from napari.components import ViewerModel

SURE = 6.0
"""Margin (natural logarithm) from which on nobody needs to look: wrong once in 400 modules."""

COLOUR = "#56b4e9"
# from the palette of Okabe and Ito; what is sure does not cover the image
MARGIN_COLOURS = Colormap(
    [[0.835, 0.369, 0, 1], [0.902, 0.624, 0, 0.9], [0.941, 0.894, 0.259, 0.5], [1, 1, 1, 0]],
    name="nanoqr margin",
    controls=[0, 0.5, 0.75, 1],
    nan_color=[0, 0, 0, 0],
)


@dataclass(frozen=True, eq=False)
class Drawn:
    """What is to be shown of measured codes, drawn before the viewer needs it.

    Parameters
    ----------
    codes : sequence of Measurement
        In pixels of the image's plane.
    values, margin : Raster
        Grey values of modules, and how surely each is as written.
    """

    codes: Sequence[Measurement]
    values: Raster
    margin: Raster

    @classmethod
    def of(cls, codes: Sequence[Measurement]) -> Drawn:
        """Draw what takes a while to draw."""
        empty = np.float32(np.nan)
        margins = [(m.grid, m.evidence) for m in codes if m.evidence is not None]
        return cls(
            codes,
            draw([(m.grid, m.values.astype(np.float32)) for m in codes], empty),
            draw(margins, empty),
        )


def update_measure_layers(
    viewer: ViewerModel, image: Image, plane: Plane, drawn: Drawn
) -> dict[str, Layer]:
    """Show what was measured on an image: make its layers, or bring them up to date.

    Parameters
    ----------
    viewer : ViewerModel
        Where the image is.
    image : Image
        What was measured.
    plane : Plane
        The plane of it.
    drawn : Drawn
        What is to be shown; without any code the layers are removed.

    Returns
    -------
    dict
        The layers that there are now: Images ``"module values"`` and ``"margin"``, Shapes
        ``"measured"`` with all numbers as features.
    """
    group = f"measuring of {image.unique_id}"
    layers = parts_of(viewer, group)
    place = Place.on(viewer, image, plane)
    for name, layer in list(layers.items()):
        if not drawn.codes or layer.ndim != place.ndim:
            viewer.layers.remove(layer)
            del layers[name]
    if not drawn.codes:
        return layers
    active = viewer.layers.selection.active
    for name, (make, fill) in _PARTS.items():
        layer = layers.get(name)
        new = layer is None
        if layer is None:
            layer = make(
                place.ndim, name=f"{image.name} · {name}", units=place.units,
                axis_labels=place.axis_labels,
            )  # fmt: skip
            # as a reading is: no image to read
            layer.metadata[KEY] = {"part": name, "kind": "reading", "group": group}
        layer.units, layer.axis_labels = place.units, place.axis_labels
        fill(layer, place, drawn)
        if new:
            layers[name] = viewer.add_layer(layer)
    if active is not None and active in viewer.layers:
        viewer.layers.selection.active = active
    return layers


def _make_image(ndim: int, **options: Any) -> Image:
    return Image(np.zeros((1,) * ndim, np.float32), **options)


def _make_values(ndim: int, **options: Any) -> Image:
    return _make_image(ndim, visible=False, **options)


def _make_margin(ndim: int, **options: Any) -> Image:
    return _make_image(ndim, colormap=MARGIN_COLOURS, **options)


def _make_outlines(ndim: int, **options: Any) -> Shapes:
    return Shapes(ndim=ndim, face_color="transparent", edge_color=COLOUR, opacity=1, **options)


def _fill_values(layer: Image, place: Place, drawn: Drawn) -> None:
    _fill(layer, place, drawn.values)
    known = drawn.values[0][np.isfinite(drawn.values[0])]
    low, high = float(known.min()), float(known.max())
    layer.contrast_limits = (low, max(high, low + 1e-6))


def _fill_margin(layer: Image, place: Place, drawn: Drawn) -> None:
    _fill(layer, place, drawn.margin)
    layer.contrast_limits = (-SURE, SURE)


def _fill(layer: Image, place: Place, raster: Raster) -> None:
    values, step, corner = raster
    shape = np.ones(place.ndim, dtype=int)
    shape[list(place.axes)] = values.shape
    flipped = place.axes[0] > place.axes[1]
    layer.data = (values.T if flipped else values).reshape(shape)
    layer.affine = place.affine(step, corner)


def _fill_outlines(layer: Shapes, place: Place, drawn: Drawn) -> None:
    width = min(code.grid.pitch_px for code in drawn.codes) * place.world_per_pixel / 4
    # setting data fails where the viewer shows 3D, removing does not
    layer.selected_data = set(range(len(layer.data)))
    layer.remove_selected()
    layer.add_polygons(
        [place.world(code.grid.corners_yx) for code in drawn.codes],
        edge_width=width,
        edge_color=COLOUR,
        face_color="transparent",
    )
    layer.features = columns(_features(code) for code in drawn.codes)
    layer.metadata[KEY]["measured"] = [code.to_dict() for code in drawn.codes]


def _features(code: Measurement) -> dict[str, Any]:
    """Return a row of the features table: each value and its uncertainty."""
    row: dict[str, Any] = {"code": code.title}
    for name, _ in NAMES:
        quantity = getattr(code, name)
        row[name] = np.nan if quantity is None else quantity.value
        doubt = None if quantity is None else quantity.expanded
        row[f"{name} ±"] = np.nan if doubt is None else doubt
    dose, rate = code.electron_dose_per_nm2, code.raw_bit_error_rate
    row["electron_dose_per_nm2"] = np.nan if dose is None else dose
    row["raw_bit_error_rate"] = np.nan if rate is None else rate
    row["grade"] = "" if code.grade is None else code.grade.letter
    return row


_PARTS: dict[str, tuple[Callable[..., Any], Callable[[Any, Place, Drawn], None]]] = {
    "module values": (_make_values, _fill_values),
    "margin": (_make_margin, _fill_margin),
    "measured": (_make_outlines, _fill_outlines),
}
"""From the lowest layer to the one on top."""
