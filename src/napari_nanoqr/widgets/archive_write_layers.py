"""A planned sheet in napari: what each tile is, and where the fields lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.overview import COLOURS
from napari_nanoqr.archive.roles import ROLES, grid_shape, tile_roles, tiles_at
from napari_nanoqr.archive.sheet import SheetPlan
from napari_nanoqr.widgets.archive_layers import AXES, UNITS, hexed, label_colours
from napari_nanoqr.widgets.export_layers import LayerData

CHUNK = 512
"""Tiles on a side of what is looked up at once."""

MOST_OUTLINES = 400
"""Fields whose outlines are drawn; of more, only the edge of the sheet."""

MOST_NUMBERS = 64
"""Fields whose numbers stand on them."""

OUTLINE = "#d55e00"


ROLE_COLOURS = {name: hexed(colour) for name, colour in COLOURS.items()} | {"title": "#f2ead8"}
"""As in the picture of a sheet, but for a title that is seen on a dark canvas too."""


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
    while len(levels) < 2 or max(levels[-1].shape) > CHUNK:
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


# -- the fields -----------------------------------------------------------------------------------


def outline_layer(plan: SheetPlan, sheet: int, name: str) -> LayerData:
    """Return the outlines of the fields, or of the sheet where they are too many, as a layer."""
    count = plan.fields(sheet)
    if count <= MOST_OUTLINES:
        fields = [plan.field(sheet, number) for number in range(count)]
        corners = [(each.top_nm / 1000, each.left_nm / 1000) for each in fields]
        sides = (fields[0].side_nm / 1000,) * 2
        labels = [str(number + 1) if count <= MOST_NUMBERS else "" for number in range(count)]
        width, anchor, colour = sides[0] / 100, "center", "black"
    else:
        height, across = plan.settings.sheet_mm
        corners, sides = [(0.0, 0.0)], (height * 1000, across * 1000)
        labels, width = [f"{across:g} x {height:g} mm"], max(sides) / 400
        anchor, colour = "upper_left", OUTLINE
    outlines = [
        np.array(corner) + np.array([[0, 0], [0, 1], [1, 1], [1, 0]]) * sides for corner in corners
    ]
    options = {
        "name": f"{name} · outlines", "shape_type": "polygon", "face_color": "transparent",
        "edge_color": OUTLINE, "edge_width": width, "units": UNITS, "axis_labels": AXES,
        "features": {"label": np.array(labels, dtype=object)},
        "text": {"string": "{label}", "anchor": anchor, "color": colour, "size": 10},
    }  # fmt: skip
    return outlines, options, "shapes"
