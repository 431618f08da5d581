"""A planned sheet in napari: what each tile is, where the fields lie, the modules of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Layer
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from napari_nanoqr.archive.overview import COLOURS
from napari_nanoqr.archive.roles import ROLES, grid_shape, tile_roles, tiles_at
from napari_nanoqr.archive.sheet import PlacedField, SheetPlan
from napari_nanoqr.widgets.export_layers import LayerData
from napari_nanoqr.widgets.layers import KEY, parts_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_nanoqr.archive.manifest import ArchiveManifest

UNITS, AXES = ("um", "um"), ("y", "x")

CHUNK = 1024
"""Tiles on a side of what is looked up at once."""

MOST_OUTLINES = 400
"""Fields whose outlines are drawn; of more, only the edge of the sheet."""

MOST_NUMBERS = 64
"""Fields whose numbers stand on them."""

OUTLINE = "#d55e00"


def hexed(colour: tuple[int, int, int]) -> str:
    """Return a colour as hex."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


ROLE_COLOURS = {name: hexed(colour) for name, colour in COLOURS.items()} | {"title": "#f2ead8"}
"""As in the picture of a sheet, but for a title that is seen on a dark canvas too."""


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


# -- the tiles ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TileGrid:
    """The tiles of a sheet as cells of one size, half of the gaps around them among them.

    Parameters
    ----------
    plan : SheetPlan
        Where everything lies.
    sheet : int
        Which sheet.
    """

    plan: SheetPlan
    sheet: int

    @property
    def cell_um(self) -> float:
        """Side of a cell."""
        return self.plan.settings.step_nm / self.plan.settings.tiles_per_field / 1000

    @property
    def place(self) -> dict[str, Any]:
        """Options of a layer with a pixel for each cell."""
        gap = self.plan.settings.field_gap_modules * self.plan.settings.pitch_nm / 1000
        corner = (self.cell_um - gap) / 2
        return {
            "scale": (self.cell_um, self.cell_um), "translate": (corner, corner), "units": UNITS,
            "axis_labels": AXES,
        }  # fmt: skip

    def tile(self, row: float, column: float) -> int | None:
        """Return the number of the tile at a place in cells; None where there is none."""
        y, x = round(row), round(column)
        rows, columns = grid_shape(self.plan, self.sheet)
        if not (0 <= y < rows and 0 <= x < columns):
            return None
        tile = int(tiles_at(self.plan, self.sheet, y, x))
        return tile if tile < self.plan.tiles(self.sheet) else None


def role_levels(plan: SheetPlan, sheet: int) -> list[Any]:
    """Return the roles of all tiles as dask arrays with ever fewer of them.

    Nothing is looked up before it is looked at: sheets may have a hundred million tiles.
    """
    import dask.array

    da: Any = dask.array

    rows, columns = grid_shape(plan, sheet)
    levels: list[Any] = []
    step = 1
    # napari takes a list of one array for something else
    while len(levels) < 2 or max(levels[-1].shape) > CHUNK // 2:
        shape = (-(-rows // step), -(-columns // step))
        chunks = da.core.normalize_chunks(CHUNK, shape)
        find = partial(_roles, plan, sheet, step)
        empty = np.zeros((0, 0), np.uint8)
        levels.append(da.map_blocks(find, chunks=chunks, dtype=np.uint8, meta=empty))
        step *= 2
    return levels


def _roles(
    plan: SheetPlan, sheet: int, step: int, block_info: dict[Any, Any] | None = None
) -> NDArray[np.uint8]:
    if not block_info:
        return np.zeros((0, 0), np.uint8)
    (top, bottom), (left, right) = block_info[None]["array-location"]
    rows, columns = np.arange(top, bottom) * step, np.arange(left, right) * step
    return tile_roles(plan, sheet, tiles_at(plan, sheet, rows[:, None], columns))


def role_layer(plan: SheetPlan, sheet: int, name: str) -> LayerData:
    """Return the map of the roles as a layer."""
    options = {
        "name": f"{name} · roles", "multiscale": True, "opacity": 1.0,
        "colormap": label_colours({ROLES.index(role): c for role, c in ROLE_COLOURS.items()}),
        **TileGrid(plan, sheet).place,
    }  # fmt: skip
    return role_levels(plan, sheet), options, "labels"


def role_in_words(plan: SheetPlan, sheet: int, tile: int | None) -> str:
    """Say what a tile is."""
    content = None if tile is None else plan.content(sheet, tile)
    if tile is None or content is None:
        return "nothing is written here"
    field = tile // plan.tiles_per_field + 1
    said = f"field {field:,}, tile {tile:,}: "
    if content.kind in ("title", "control"):
        return said + ("title" if content.kind == "title" else f"control page {content.part + 1}")
    if content.kind in ("description", "index"):
        count = plan.description_tiles if content.kind == "description" else plan.index_tiles
        return said + f"{content.kind}, part {content.part + 1} of {count}"
    data = plan.groups.data_count(content.group)
    if content.member < data:
        return said + f"data {content.member + 1} of {data} in group {content.group + 1:,}"
    return (
        f"{said}parity {content.member - data + 1} of {plan.groups.parity} in group "
        f"{content.group + 1:,}"
    )


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
            status["coordinates"] = f"{status['coordinates']}; {words(*place[-2:])}"
        return status

    layer.get_status = get_status


# -- the fields -----------------------------------------------------------------------------------


def outline_layer(plan: SheetPlan, sheet: int, name: str) -> LayerData:
    """Return the outlines of the fields, or of the sheet where they are too many, as a layer."""
    count = plan.fields(sheet)
    if count <= MOST_OUTLINES:
        fields = [plan.field(sheet, number) for number in range(count)]
        corners = [(each.top_nm / 1000, each.left_nm / 1000) for each in fields]
        sides = (fields[0].side_nm / 1000,) * 2
        labels = [str(number + 1) if count <= MOST_NUMBERS else "" for number in range(count)]
        width = sides[0] / 100
    else:
        height, across = plan.settings.sheet_mm
        corners, sides = [(0.0, 0.0)], (height * 1000, across * 1000)
        labels, width = [f"{across:g} x {height:g} mm"], max(sides) / 400
    outlines = [
        np.array(corner) + np.array([[0, 0], [0, 1], [1, 1], [1, 0]]) * sides for corner in corners
    ]
    options = {
        "name": f"{name} · outlines", "shape_type": "polygon", "face_color": "transparent",
        "edge_color": OUTLINE, "edge_width": width, "units": UNITS, "axis_labels": AXES,
        "features": {"label": np.array(labels, dtype=object)},
        "text": {"string": "{label}", "anchor": "upper_left", "color": OUTLINE, "size": 10},
    }  # fmt: skip
    return outlines, options, "shapes"


def field_layer(
    levels: NDArray[np.uint8], field: PlacedField, pitch_nm: float, bits: int, name: str
) -> LayerData:
    """Return the modules of a field at their place as a layer: intact film is bright."""
    pitch = pitch_nm / 1000
    options = {
        "name": f"{name} · field {field.number + 1}", "colormap": "gray_r",
        "contrast_limits": (0, 2**bits - 1), "scale": (pitch, pitch),
        "translate": (field.top_nm / 1000 + pitch / 2, field.left_nm / 1000 + pitch / 2),
        "units": UNITS, "axis_labels": AXES,
    }  # fmt: skip
    return levels, options, "image"


def written_levels(manifest: ArchiveManifest, sheet: int, number: int) -> NDArray[np.uint8]:
    """Read the modules of a field from its pattern file."""
    from napari_nanoqr.archive.fields import read_field

    settings = manifest.plan.settings
    side = settings.field_modules
    levels, _ = read_field(
        manifest.field_path(sheet, number), doses=manifest.doses, pitch_nm=settings.pitch_nm,
        shape=(side, side),
    )  # fmt: skip
    return levels


def planned_levels(
    plan: SheetPlan, stream_bytes: int, sheet: int, number: int
) -> NDArray[np.uint8]:
    """Draw the modules of a field of an archive that is only planned, with bytes drawn at random.

    Title, control pages and description are those that will be written.
    """
    from napari_nanoqr.archive.events import agent, now
    from napari_nanoqr.archive.index import IndexedArchive
    from napari_nanoqr.archive.stream import StreamFacts

    size = plan.settings.tile_bytes
    text = plan.settings.tile.description().encode("utf-8")
    told = tuple(text[start : start + size] for start in range(0, len(text), size))
    facts = StreamFacts(".tar", stream_bytes, "00" * 32, "00" * 64, stream_bytes)
    index = IndexedArchive("00" * 8, "example", now(), agent(), facts, plan)
    return _example_drawer()(index, Path(), Path(), told).field_levels(sheet, number)


def _example_drawer() -> Any:
    from napari_nanoqr.archive.drawing import Drawer
    from napari_nanoqr.archive.header import Role

    class Example(Drawer):
        """Draws tiles of a stream that there is not."""

        def _member(self, group: int, member: int) -> tuple[bytes, dict[str, Any]]:
            plan = self.index.plan
            data = plan.groups.data_count(group)
            own = {
                "group": group, "groups": plan.groups.groups, "member": member,
                "data_count": data, "parity_count": plan.groups.parity,
                "role": Role.DATA if member < data else Role.PARITY,
            }  # fmt: skip
            generator = np.random.default_rng((group, member))
            return generator.bytes(plan.settings.tile_bytes), own

    return Example
