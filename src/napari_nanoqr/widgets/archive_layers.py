"""Layers that archives make: put once, then brought up to date; legends, and words on hovering."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Layer
from napari.utils.colormaps import DirectLabelColormap

from napari_nanoqr.widgets.export_layers import LayerData
from napari_nanoqr.widgets.layers import KEY, parts_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

UNITS, AXES = ("um", "um"), ("y", "x")

Words = Callable[[float, float], str]
"""What the status bar says of a place: y and x in the layer's pixels. It may be called in another
thread."""


def put_layer(
    viewer: ViewerModel, group: str, part: str, layer_data: LayerData, words: Words | None = None
) -> None:
    """Add a layer of our own, or bring the one of that group and part up to date.

    To remove a layer and add another takes napari long enough to be felt.

    Parameters
    ----------
    viewer : ViewerModel
        Where it goes; what is selected there stays selected.
    group, part : str
        By which it is found again, however it is called by then.
    layer_data : tuple
        Data, options and type; always of the same type for the same part.
    words : callable, optional
        What the status bar says of a place.
    """
    data, options, kind = layer_data
    old = parts_of(viewer, group).get(part)
    if old is None:
        active = viewer.layers.selection.active
        metadata = {KEY: {"part": part, "group": group, "name": options["name"]}}
        new = Layer.create(data, options | {"metadata": metadata}, kind)
        if words is not None:
            tell_on_hover(new, words)
        viewer.add_layer(new)
        if active is not None and active in viewer.layers:
            viewer.layers.selection.active = active
        return
    if kind == "shapes":
        if len(old.data) == len(data) and np.allclose(old.data, data):
            old.name = options["name"]
            return
        # not by setting the data, which napari 0.9 cannot do while the viewer shows 3D
        old.selected_data = set(range(len(old.data)))
        old.remove_selected()
        style = ("edge_width", "edge_color", "face_color")
        old.add_polygons(data, **{name: options[name] for name in style})
        old.features = options["features"]
    else:
        old.data = data
        old.scale, old.translate = options["scale"], options["translate"]
        if kind == "image":
            old.contrast_limits = options["contrast_limits"]
    old.name = options["name"]


def tell_on_hover(layer: Layer, words: Words) -> None:
    """Let the status bar say more of the place under the mouse."""
    usual = type(layer).get_status

    def get_status(position: Any = None, **options: Any) -> dict[str, Any]:
        status: dict[str, Any] = usual(layer, position, **options)
        if position is not None:
            place = layer.world_to_data(position) if options.get("world") else position
            said = words(*place[-2:])
            status["coordinates"] += f"; {said}" if said else ""
        return status

    layer.get_status = get_status


def hexed(colour: tuple[int, int, int]) -> str:
    """Return a colour as hex."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def legend(colours: dict[str, str], counts: dict[str, int] | None = None) -> str:
    """Return names with their colours as rich text for a label."""
    return " &nbsp; ".join(
        f'<span style="color:{colour}; background-color:{colour}">■■</span>&nbsp;{name}'
        + ("" if counts is None else f"&nbsp;{counts[name]:,}")
        for name, colour in colours.items()
        if counts is None or counts.get(name)
    )


def label_colours(colours: dict[int, str]) -> DirectLabelColormap:
    """Return colours of labels; all others cannot be seen."""
    return DirectLabelColormap(color_dict={None: "transparent", 0: "transparent", **colours})
