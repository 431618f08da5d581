"""A picture of a sheet: what each tile of it is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from napari_nanoqr.archive.sheet import SheetPlan

if TYPE_CHECKING:
    from PIL.Image import Image

COLOURS = {
    "title": (30, 30, 30),
    "control": (110, 110, 110),
    "description": (86, 180, 233),
    "index": (0, 114, 178),
    "data": (153, 204, 120),
    "parity": (230, 159, 0),
}
"""Of each kind of tile; told apart with every kind of colour vision (Okabe and Ito, 2008)."""

EMPTY = (255, 255, 255)
SIDE_PX = 900
"""Of the map, about."""

MOST_TILES = 250_000
"""Tiles that are looked up; of larger sheets every second, third ... row and column is shown."""

_LINE_PX = 26


def draw_roles(plan: SheetPlan, sheet: int) -> Image:
    """Draw which tile of a sheet is what, with a legend below.

    Parameters
    ----------
    plan : SheetPlan
        Where everything lies.
    sheet : int
        Which sheet.

    Returns
    -------
    PIL.Image.Image
        RGB.
    """
    from PIL import Image, ImageDraw, ImageFont

    across = plan.settings.tiles_per_field
    columns = plan.columns(sheet)
    rows = -(-plan.fields(sheet) // columns)
    step = max(1, math.ceil(math.sqrt(rows * columns * across**2 / MOST_TILES)))
    tiles = np.full((-(-rows * across // step), -(-columns * across // step), 3), EMPTY, np.uint8)
    for y, x in np.ndindex(tiles.shape[:2]):
        row, top = divmod(y * step, across)
        column, left = divmod(x * step, across)
        along = columns - 1 - column if row % 2 else column
        number = row * columns + along
        content = plan.content(sheet, number * across**2 + top * across + left)
        if content is not None:
            kind: str = content.kind
            if kind == "member":
                data = content.member < plan.groups.data_count(content.group)
                kind = "data" if data else "parity"
            tiles[y, x] = COLOURS[kind]
    scale = max(1, SIDE_PX // max(tiles.shape[:2]))
    large = tiles.repeat(scale, axis=0).repeat(scale, axis=1)
    if scale >= 8:
        # fields are seen as such where there is room for lines between them
        large[:: scale * across // step] = large[:, :: scale * across // step] = EMPTY
    height, width = large.shape[:2]
    picture = Image.new("RGB", (max(width, 560), height + 2 * _LINE_PX + 8), EMPTY)
    picture.paste(Image.fromarray(large), (0, 0))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(15)
    for place, (name, colour) in enumerate(COLOURS.items()):
        x, y = 8 + place % 3 * 180, height + 8 + place // 3 * _LINE_PX
        draw.rectangle((x, y + 2, x + 15, y + 17), fill=colour)
        draw.text((x + 22, y), name, fill=(0, 0, 0), font=font)
    return picture
