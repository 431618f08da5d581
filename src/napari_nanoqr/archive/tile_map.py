"""A picture of a sheet: one cell for each tile, coloured by what became of it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.sheet import SheetPlan
from napari_nanoqr.archive.verdict import TileVerdict, placed_tile

COLOURS = {
    "nothing written": (255, 255, 255),
    "title and control pages": (221, 221, 221),
    "whole": (68, 119, 170),
    "weak": (204, 187, 68),
    "missing": (238, 102, 119),
}
"""In the order of how much a state matters: of several tiles in a cell the last is shown. Hues of
Paul Tol's bright scheme, which people with any colour vision can tell apart."""

STATES = tuple(COLOURS)
CELL, USUAL_PIXELS, LARGEST_CELL = 9, 480, 40
"""Pixels on the side of a tile, where there is room: small sheets fill a usual picture."""

MOST_PIXELS = 3000
"""On a side of the picture; larger sheets have smaller cells, and at last several tiles in one."""

_LEGEND_ROW = 18


def sheet_states(plan: SheetPlan, sheet: int, verdicts: Iterable[TileVerdict]) -> NDArray[np.uint8]:
    """Return the state of each tile of a sheet as it lies there.

    Parameters
    ----------
    plan : SheetPlan
        What was written where.
    sheet : int
        Its number.
    verdicts : iterable of TileVerdict
        Of its tiles, and of others perhaps.

    Returns
    -------
    (rows, columns) uint8 array
        Numbers of `STATES`, one for each tile.
    """
    across = plan.settings.tiles_per_field
    columns = plan.columns(sheet)
    rows = -(-plan.fields(sheet) // columns)
    states = np.zeros((rows * across, columns * across), np.uint8)

    def put(tile: int, state: str) -> None:
        field, row, column = placed_tile(plan, sheet, tile)
        states[field.row * across + row, field.column * across + column] = STATES.index(state)

    for each in verdicts:
        if each.sheet == sheet:
            put(each.tile, each.state)
    for tile in range(plan.tiles(sheet)):
        content = plan.content(sheet, tile)
        if content is not None and content.kind in ("title", "control"):
            put(tile, "title and control pages")
    return states


def draw_sheet(states: NDArray[np.uint8], tiles_per_field: int) -> NDArray[np.uint8]:
    """Draw a sheet with a legend.

    Parameters
    ----------
    states : (rows, columns) uint8 array
        See `sheet_states`.
    tiles_per_field : int
        Tiles on the side of a field of view; between fields there is a line, where cells are large
        enough.

    Returns
    -------
    (height, width, 3) uint8 array
        The picture.
    """
    from PIL import Image, ImageDraw

    counts = {name: int((states == number).sum()) for number, name in enumerate(STATES)}
    most = max(states.shape)
    if most > MOST_PIXELS:
        states = _worst(states, -(-most // MOST_PIXELS))
    most = max(states.shape)
    cell = max(min(CELL, MOST_PIXELS // most), min(LARGEST_CELL, USUAL_PIXELS // most), 1)
    colours = np.array(list(COLOURS.values()), np.uint8)
    picture = colours[states].repeat(cell, axis=0).repeat(cell, axis=1)
    if cell >= 4:
        picture[::cell] = picture[:, ::cell] = 255
        for line in (0, 1):
            picture[line :: cell * tiles_per_field] = 255
            picture[:, line :: cell * tiles_per_field] = 255
    lines = [
        f"{name}: {counts[name]:,}" for name in STATES if name != "nothing written" and counts[name]
    ]
    width = max(picture.shape[1], 240)
    canvas = np.full((picture.shape[0] + _LEGEND_ROW * len(lines) + 8, width, 3), 255, np.uint8)
    canvas[: picture.shape[0], : picture.shape[1]] = picture
    image = Image.fromarray(canvas)
    draw = ImageDraw.Draw(image)
    for number, entry in enumerate(lines):
        top = picture.shape[0] + 8 + number * _LEGEND_ROW
        draw.rectangle((4, top, 16, top + 12), fill=COLOURS[entry.partition(":")[0]])
        draw.text((22, top), entry, fill=(0, 0, 0))
    return np.asarray(image)


def _worst(states: NDArray[np.uint8], block: int) -> NDArray[np.uint8]:
    """Largest state of each block of tiles."""
    rows, columns = (-(-n // block) for n in states.shape)
    padded = np.zeros((rows * block, columns * block), np.uint8)
    padded[: states.shape[0], : states.shape[1]] = states
    worst: NDArray[np.uint8] = padded.reshape(rows, block, columns, block).max(axis=(1, 3))
    return worst
