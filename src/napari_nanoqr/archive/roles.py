"""What the tiles of a sheet are, for many of them at once: maps of sheets of any size."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanoqr.archive.sheet import SheetPlan

ROLES = ("nothing", "title", "control", "description", "index", "data", "parity")
"""Names of the numbers that `tile_roles` returns."""

NOTHING, TITLE, CONTROL, DESCRIPTION, INDEX, DATA, PARITY = range(len(ROLES))


def grid_shape(plan: SheetPlan, sheet: int) -> tuple[int, int]:
    """Return rows and columns of the tiles of a sheet as they lie there."""
    columns = plan.columns(sheet)
    across = plan.settings.tiles_per_field
    return -(-plan.fields(sheet) // columns) * across, columns * across


def tiles_at(plan: SheetPlan, sheet: int, rows: ArrayLike, columns: ArrayLike) -> NDArray[np.int64]:
    """Return the numbers of the tiles at places of the grid, whether or not they are written.

    Parameters
    ----------
    plan : SheetPlan
        Where everything lies.
    sheet : int
        Which sheet.
    rows, columns : array_like of int
        Of tiles, from the sheet's corner; they are broadcast together.

    Returns
    -------
    int64 array
        As in the headers.
    """
    across, fields = plan.settings.tiles_per_field, plan.columns(sheet)
    row, top = np.divmod(np.asarray(rows, np.int64), across)
    column, left = np.divmod(np.asarray(columns, np.int64), across)
    # the stage goes along every second row backwards
    along = np.where(row % 2 == 1, fields - 1 - column, column)
    tiles: NDArray[np.int64] = (row * fields + along) * across**2 + top * across + left
    return tiles


def tile_roles(plan: SheetPlan, sheet: int, tiles: ArrayLike) -> NDArray[np.uint8]:
    """Return what tiles of a sheet are: `SheetPlan.content` for many at once.

    Parameters
    ----------
    plan : SheetPlan
        Where everything lies.
    sheet : int
        Which sheet.
    tiles : array_like of int
        Numbers of tiles.

    Returns
    -------
    uint8 array
        Numbers of `ROLES`, in the shape of ``tiles``.
    """
    numbers = np.asarray(tiles, np.int64)
    members, described = plan.members(sheet), plan.description_tiles
    drawn, told = plan.drawn_tiles, plan.description_tiles + plan.index_tiles
    # beginning of: control pages, description, index, first half, description, index, second half,
    # description, and the index that fills the last field
    half = len(members) // 2
    second = drawn + told + half
    last = second + told + len(members) - half
    edges = [
        0, plan.tiles_per_field, drawn, drawn + described, drawn + told, second,
        second + described, second + told, last, last + described, plan.tiles(sheet),
    ]  # fmt: skip
    kinds = [
        TITLE, CONTROL, DESCRIPTION, INDEX, DATA, DESCRIPTION, INDEX, DATA, DESCRIPTION, INDEX,
        NOTHING,
    ]  # fmt: skip
    part = np.searchsorted(edges, numbers, side="right") - 1
    found = np.array(kinds, np.uint8)[part]
    holds = found == DATA
    position = members.start + numbers[holds] - drawn - told
    position[part[holds] == 7] -= told
    found[holds] = np.where(plan.groups.is_parity(position), PARITY, DATA)
    return found
