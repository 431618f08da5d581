"""Where everything of an archive lies: sheets, fields of view, tiles in them.

A sheet is filled field by field along the path of the stage, row by row and back again, and each
field tile by tile, row by row. What comes first is what a finder needs first: a field with the
title, one with the control pages, then the description of the format and the index. Data and
parity follow; description and index stand once more in the middle of them and once at the end,
where the index is repeated until the last field is full.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from napari_nanoqr.archive.outer import Groups
from napari_nanoqr.archive.settings import ArchiveSettings

FRONT_COPIES = 3
"""Of description and index on each sheet, at least: beginning, middle and end."""

MOST_TILES = 2**32
"""On a sheet: the header's number of a tile has 4 bytes."""

Kind = Literal["title", "control", "description", "index", "member"]


@dataclass(frozen=True)
class TileContent:
    """What a tile of a sheet is.

    Parameters
    ----------
    kind : {"title", "control", "description", "index", "member"}
        A member is a data or parity tile of a group.
    part : int
        Which of the places of the title or the control pages (row by row), or of the tiles that
        together hold the description or the index; of a member its position among all.
    group, member : int
        Of a member.
    """

    kind: Kind
    part: int
    group: int = 0
    member: int = 0


@dataclass(frozen=True)
class PlacedField:
    """A field of view on its sheet; lengths in nm from the sheet's top-left corner.

    Parameters
    ----------
    sheet, number : int
        Of the sheet, and of the field on it along the path of the stage, from 0.
    row, column : int
        In the grid of fields.
    top_nm, left_nm : float
        Outer corner of the first module.
    side_nm : float
        Of the field.
    """

    sheet: int
    number: int
    row: int
    column: int
    top_nm: float
    left_nm: float
    side_nm: float

    @property
    def centre_nm(self) -> tuple[float, float]:
        """Where the stage goes: y (down) and x."""
        return self.top_nm + self.side_nm / 2, self.left_nm + self.side_nm / 2


@dataclass(frozen=True)
class SheetPlan:
    """The sheets of an archive.

    Parameters
    ----------
    settings : ArchiveSettings
        Geometry and copies.
    groups : Groups
        Of the outer code.
    description_tiles, index_tiles : int
        That hold the description of the format, and the index, once.

    Raises
    ------
    ValueError
        Where a sheet has no room for any data.
    """

    settings: ArchiveSettings
    groups: Groups
    description_tiles: int = 1
    index_tiles: int = 1

    def __post_init__(self) -> None:
        if min(self.most_fields) < 1 or self.room < 1:
            height, width = self.settings.sheet_mm
            raise ValueError(
                f"A sheet of {width:g} x {height:g} mm is too small: it takes at least "
                f"{self.front_tiles + 1} tiles of "
                f"{self.settings.pitch_nm * self.settings.tile.side / 1000:.4g} um."
            )
        if self.sheets > 65536:
            raise ValueError(f"{self.sheets:,} sheets are too many: take larger ones.")

    @property
    def tiles_per_field(self) -> int:
        """In a field of view."""
        return self.settings.tiles_per_field**2

    @cached_property
    def most_fields(self) -> tuple[int, int]:
        """Rows and columns of fields for which a sheet has room."""
        gap = self.settings.field_gap_modules * self.settings.pitch_nm
        height, width = (
            math.floor((side * 1e6 + gap) / self.settings.step_nm + 1e-9)
            for side in self.settings.sheet_mm
        )
        most = MOST_TILES // self.tiles_per_field
        return min(height, most // max(width, 1)), width

    @property
    def drawn_tiles(self) -> int:
        """Places of tiles that title and control pages take on each sheet."""
        return self.tiles_per_field + self.settings.tile.control_tiles(
            self.settings.tiles_per_field
        )

    @property
    def front_tiles(self) -> int:
        """On each sheet, beside data and parity."""
        told = FRONT_COPIES * (self.description_tiles + self.index_tiles)
        return self.drawn_tiles + told

    @property
    def room(self) -> int:
        """Data and parity tiles that a sheet can hold."""
        rows, columns = self.most_fields
        return rows * columns * self.tiles_per_field - self.front_tiles

    @property
    def sheets_per_copy(self) -> int:
        """Sheets that all data and parity take once."""
        return -(-self.groups.tiles // self.room)

    @property
    def sheets(self) -> int:
        """All of them; each copy has its own."""
        return self.sheets_per_copy * self.settings.copies

    def members(self, sheet: int) -> range:
        """Return the positions of the data and parity tiles on a sheet."""
        first = sheet % self.sheets_per_copy * self.room
        return range(first, min(first + self.room, self.groups.tiles))

    def tiles(self, sheet: int) -> int:
        """Return how many tiles a sheet has, with title and control pages."""
        return self.fields(sheet) * self.tiles_per_field

    @property
    def all_tiles(self) -> int:
        """Tiles with a header on all sheets."""
        return self.all_fields * self.tiles_per_field - self.drawn_tiles * self.sheets

    def fields(self, sheet: int) -> int:
        """Return how many fields a sheet has."""
        return -(-(self.front_tiles + len(self.members(sheet))) // self.tiles_per_field)

    @property
    def all_fields(self) -> int:
        """Fields of all sheets."""
        # all sheets of a copy but the last are full
        last = self.sheets_per_copy - 1
        return (last * self.fields(0) + self.fields(last)) * self.settings.copies

    def columns(self, sheet: int) -> int:
        """Return how many fields stand in a row of a sheet: about a square, where there is room."""
        rows, columns = self.most_fields
        fields = self.fields(sheet)
        return min(columns, max(math.isqrt(fields - 1) + 1, -(-fields // rows)))

    def content(self, sheet: int, tile: int) -> TileContent | None:
        """Return what a tile of a sheet is; None where the sheet has no such tile.

        Parameters
        ----------
        sheet, tile : int
            As in the headers: along the path of the stage, row by row in each field.
        """
        drawn = self.drawn_tiles
        if tile < drawn:
            if tile < self.tiles_per_field:
                return TileContent("title", tile)
            return TileContent("control", tile - self.tiles_per_field)
        told = self.description_tiles + self.index_tiles
        members = self.members(sheet)
        halves = (len(members) // 2, len(members) - len(members) // 2)
        place, first = tile - drawn, members.start
        for half in (*halves, 0):
            if place < told:
                if place < self.description_tiles:
                    return TileContent("description", place)
                return TileContent("index", place - self.description_tiles)
            place -= told
            if place < half:
                position = first + place
                return TileContent("member", position, *self.groups.member_at(position))
            place, first = place - half, first + half
        if tile >= self.tiles(sheet):
            return None
        return TileContent("index", place % self.index_tiles)

    def tile_of(self, sheet: int, position: int) -> int:
        """Return the number on a sheet of the data or parity tile at a position of the groups.

        Raises
        ------
        IndexError
            Where it is on another sheet.
        """
        members = self.members(sheet)
        place = members.index(position) if position in members else -1
        if place < 0:
            raise IndexError(f"Position {position} is not on sheet {sheet}.")
        told = self.description_tiles + self.index_tiles
        before = told if place < len(members) // 2 else 2 * told
        return self.drawn_tiles + before + place

    def sheet_of(self, position: int, copy: int = 0) -> int:
        """Return the sheet on which a copy of the tile at a position of the groups is."""
        return copy * self.sheets_per_copy + position // self.room

    def field(self, sheet: int, number: int) -> PlacedField:
        """Return where a field of a sheet lies."""
        columns = self.columns(sheet)
        row, column = divmod(number, columns)
        if row % 2:
            column = columns - 1 - column
        step = self.settings.step_nm
        side = self.settings.field_modules * self.settings.pitch_nm
        return PlacedField(sheet, number, row, column, row * step, column * step, side)

    def with_index(self, tiles: int) -> SheetPlan:
        """Return the plan with an index of another size."""
        return replace(self, index_tiles=tiles)
