"""The layers that FIB export makes for a design: put beside it once, then brought up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Layer

from napari_nanoqr.widgets.layers import KEY, parts_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

LayerData = tuple[Any, dict[str, Any], str]
"""Data, options and type of a layer."""


def group_of(design_layer: Layer) -> str:
    """Return the name of the group that the layers of a design share."""
    return str(design_layer.metadata[KEY]["group"])


def centre_of(design_layer: Layer) -> tuple[float, float]:
    """Return where the middle of a design stands, (y, x) in nm."""
    y, x = design_layer.extent.world[:, -2:].mean(axis=0)
    return float(y), float(x)


def put_layer(viewer: ViewerModel, design_layer: Layer, part: str, layer_data: LayerData) -> Layer:
    """Add a layer of our own, or bring the one of the last run up to date.

    Parameters
    ----------
    viewer : ViewerModel
        Where it goes; what is selected there stays selected.
    design_layer : Layer
        The modules of the design that it belongs to.
    part : str
        What it shows; each design has one of each.
    layer_data : tuple
        Data, options and type.

    Returns
    -------
    Layer
        The layer that now shows the data.
    """
    data, options, kind = layer_data
    group = group_of(design_layer)
    old = parts_of(viewer, group).get(part)
    entry = {"part": part, "group": group, "name": options["name"]}
    if old is not None and kind == "vectors":
        # removing a layer costs more time than changing one
        with old.events.blocker_all():
            old.data = data
        old.features = options["features"]
        for name in ("edge_width", "vector_style", "name"):
            setattr(old, name, options[name])
        old.edge_color = "order"
        return old
    active = viewer.layers.selection.active
    options = options | {"metadata": options.get("metadata", {}) | {KEY: entry}}
    new = Layer.create(data, options, kind)
    if old is None:
        viewer.add_layer(new)
    else:
        new.visible, new.opacity = old.visible, old.opacity
        index = viewer.layers.index(old)
        viewer.layers.remove(old)
        viewer.layers.insert(index, new)
    if active is not None and active in viewer.layers:
        viewer.layers.selection.active = active
    return new


def remove_layer(viewer: ViewerModel, design_layer: Layer, part: str) -> None:
    """Remove a layer of our own, where there is one."""
    old = parts_of(viewer, group_of(design_layer)).get(part)
    if old is not None:
        viewer.layers.remove(old)
