"""Layers of a design: how it looks in napari, and how it is found again."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels, Layer, Shapes
from napari.utils.colormaps import DirectLabelColormap

from napari_nanoqr.design.design import Design

if TYPE_CHECKING:
    from napari.components import ViewerModel

KEY = "nanoqr"
"""The entry of a layer's metadata that holds what our widgets need of it."""

UNITS = ("nm", "nm")
AXES = ("y", "x")

DESIGN_PARTS = ("modules", "outline")

LIGHT, DARK = 1, 2
"""Label values of light and dark modules."""

MODULE_COLOURS = DirectLabelColormap(
    color_dict={None: "transparent", 0: "transparent", LIGHT: "#efe9da", DARK: "#1d2330"}
)


OUTLINE_COLOUR = "#d55e00"


def module_labels(design: Design) -> np.ndarray:
    """Return the modules with the quiet zone as ``(n, n)`` uint8 label values."""
    return np.where(design.modules, DARK, LIGHT).astype(np.uint8)


def design_layers(design: Design, group: str, origin: tuple[float, float] = (0, 0)) -> list[Layer]:
    """Make the layers of a design: its modules and its outline.

    Parameters
    ----------
    design : Design
        A symbol on a film.
    group : str
        What ties the layers of one design together in their metadata.
    origin : (float, float)
        Where the outer corner (top left, with quiet zone) stands, (y, x) in nm.

    Returns
    -------
    list of Layer
        Labels with the modules, Shapes with the outlines; both in nm.
    """
    modules = Labels(
        module_labels(design),
        name=f"{design.name} · modules",
        colormap=MODULE_COLOURS,
        opacity=1,
        units=UNITS,
        axis_labels=AXES,
    )
    outline = Shapes(
        name=f"{design.name} · outline",
        ndim=2,
        units=UNITS,
        axis_labels=AXES,
        face_color="transparent",
        edge_color=OUTLINE_COLOUR,
        text={"string": "{label}", "anchor": "upper_left", "color": OUTLINE_COLOUR, "size": 10,
              "translation": (0.0, 0.0)},
        features={"label": np.array([], dtype=object)},
    )  # fmt: skip
    for layer, part in ((modules, "modules"), (outline, "outline")):
        layer.metadata[KEY] = {"part": part, "group": group}
    update_design_layers([modules, outline], design, origin)
    return [modules, outline]


def update_design_layers(
    layers: list[Layer], design: Design, origin: tuple[float, float] | None = None
) -> None:
    """Bring the layers of a design up to date, whichever of them are left.

    Parameters
    ----------
    layers : list of Layer
        What :func:`design_layers` made.
    design : Design
        The design as it is now.
    origin : (float, float), optional
        A new place in nm; by default where the layers are.
    """
    values = design.to_dict()
    for layer in layers:
        entry = layer.metadata[KEY]
        if entry["part"] not in DESIGN_PARTS:
            continue
        if origin is not None:
            entry["origin"] = list(origin)
        entry["design"] = values
        entry["name"] = design.name
        y, x = entry["origin"]
        if entry["part"] == "modules":
            # a module's centre, not its corner, lies at the layer's translation
            half = design.pitch_nm / 2
            _set(layer, scale=(design.pitch_nm, design.pitch_nm), translate=(y + half, x + half))
            labels = module_labels(design)
            if not np.array_equal(layer.data, labels):
                layer.data = labels
        else:
            _update_outline(layer, design, (y, x))
        _set(layer, name=f"{design.name} · {entry['part']}")


def _set(layer: Layer, **values: Any) -> None:
    """Set attributes that differ: each one set makes napari redraw the scene."""
    for name, value in values.items():
        if not np.array_equal(getattr(layer, name), value):
            setattr(layer, name, value)


def _update_outline(layer: Shapes, design: Design, origin: tuple[float, float]) -> None:
    """Two rectangles, always: the symbol, and the symbol with its quiet zone."""
    rectangles, labels = [], []
    for height, width in (design.size_nm, design.field_size_nm):
        inset = (design.field_size_nm[0] - height) / 2
        corners = np.array([[0, 0], [0, width], [height, width], [height, 0]])
        rectangles.append(corners + inset + np.array(origin))
        labels.append(size_text(height / 1000, width / 1000))
    if not design.quiet_zone:
        labels[1] = ""
    if len(layer.data) == 2 and np.allclose(layer.data, rectangles):
        return
    # not by setting layer.data, which napari 0.9 cannot do while the viewer shows 3D
    layer.selected_data = set(range(len(layer.data)))
    layer.remove_selected()
    layer.add_polygons(
        rectangles,
        edge_width=design.pitch_nm / 8,
        edge_color=OUTLINE_COLOUR,
        face_color="transparent",
    )
    layer.features = {"label": np.array(labels, dtype=object)}


def size_text(height_um: float, width_um: float) -> str:
    """Return the side of a square, or height and width as for modules, for people."""
    if height_um == width_um:
        return f"{width_um:.4g} µm"
    return f"{height_um:.4g} x {width_um:.4g} µm"


def parts_of(viewer: ViewerModel, group: str) -> dict[str, Layer]:
    """Find the layers of a group, by part, in whatever way they were renamed."""
    found = {}
    for layer in viewer.layers:
        entry = layer.metadata.get(KEY)
        if isinstance(entry, dict) and entry.get("group") == group:
            found[entry.get("part", "")] = layer
    return found


def shows_design(layer: Layer) -> bool:
    """Whether a layer is the modules layer of a design."""
    entry: Any = layer.metadata.get(KEY)
    return isinstance(entry, dict) and entry.get("part") == "modules" and "design" in entry


def design_of(layer: Layer) -> Design | None:
    """Return the design that a modules layer shows, None for any other or a damaged one."""
    if not shows_design(layer):
        return None
    try:
        return _design(json.dumps(layer.metadata[KEY]["design"]))
    except (TypeError, ValueError):
        return None


@lru_cache(maxsize=8)
def _design(values: str) -> Design:
    # building a design decodes its modules, too long to do for every key typed
    return Design.from_dict(json.loads(values))
