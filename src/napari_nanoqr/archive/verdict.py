"""What became of every tile of the sheets: whole, weak or missing, and what to write again."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from napari_nanoqr.archive.header import TileHeader
from napari_nanoqr.archive.sheet import PlacedField, SheetPlan

POOR_MARGIN_DB = 1.0
"""Tiles that are read with less to spare are worth writing again: a tenth less contrast is 1 dB."""

State = Literal["whole", "weak", "missing"]

Summary = tuple[TileHeader, int, float, float]
"""Header, lost codewords, margin in dB and error rate, as `ReadingState.summary` tells them."""


@dataclass(frozen=True)
class TileVerdict:
    """What became of a tile.

    Attributes
    ----------
    sheet, tile : int
        Where it is.
    field, row, column : int
        Field of view on the sheet, and the tile's place in it.
    top_nm, left_nm : float
        Its corner, from the sheet's corner.
    kind : str
        ``data``, ``parity``, ``index`` or ``description``.
    group, member : int
        Of the outer code.
    state : {"whole", "weak", "missing"}
        Weak is what lost codewords, or has a margin below `POOR_MARGIN_DB`.
    lost : int
        Codewords that are lost; all of them where it is missing.
    margin_db, error_rate : float or None
        Least margin, and share of wrong bits; None where it is missing.
    images : int
        How many images showed it.
    """

    sheet: int
    tile: int
    field: int
    row: int
    column: int
    top_nm: float
    left_nm: float
    kind: str
    group: int
    member: int
    state: State
    lost: int
    margin_db: float | None
    error_rate: float | None
    images: int

    @property
    def reason(self) -> str:
        """Why it is worth writing again, in words; empty where it is whole."""
        if self.state == "missing":
            return "missing"
        if self.lost:
            return f"{self.lost} codewords lost"
        return f"margin {self.margin_db:.1f} dB" if self.state == "weak" else ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def tile_verdicts(
    plan: SheetPlan,
    known: Iterable[Summary],
    seen: Iterable[dict[str, Any]] = (),
    *,
    sheets: Sequence[int] | None = None,
    poor_margin_db: float = POOR_MARGIN_DB,
) -> list[TileVerdict]:
    """Tell what became of every tile that has a header.

    Parameters
    ----------
    plan : SheetPlan
        What was written where.
    known : iterable of Summary
        What was read.
    seen : iterable of dict
        Sightings, see `ReadingState.sightings`.
    sheets : sequence of int, optional
        Only these; by default all.
    poor_margin_db : float
        Below it a tile is weak.

    Returns
    -------
    list of TileVerdict
        By sheet and tile.
    """
    read = {(header.sheet, header.tile): (header, *rest) for header, *rest in known}
    images: dict[tuple[int, int], int] = {}
    for each in seen:
        place = (each["sheet"], each["tile"])
        images[place] = images.get(place, 0) + 1
    found = []
    for sheet in range(plan.sheets) if sheets is None else sheets:
        for tile in range(plan.tiles(sheet)):
            content = plan.content(sheet, tile)
            if content is None or content.kind in ("title", "control"):
                continue
            kind: str = content.kind
            if kind == "member":
                data = plan.groups.data_count(content.group)
                kind = "data" if content.member < data else "parity"
            number, row, column, top, left = _place(plan, sheet, tile)
            told = read.get((sheet, tile))
            state, lost, margin, rate = _state(told, plan, poor_margin_db)
            found.append(
                TileVerdict(
                    sheet, tile, number, row, column, top, left, kind, content.group,
                    content.member, state, lost, margin, rate, images.get((sheet, tile), 0),
                )
            )  # fmt: skip
    return found


def rewrite_list(verdicts: Iterable[TileVerdict], wrong: Collection[tuple[int, int]] = ()) -> str:
    """Return the tiles that are worth writing again as CSV, by sheet and field.

    Parameters
    ----------
    verdicts : iterable of TileVerdict
        Those that are whole are left out.
    wrong : collection of (int, int)
        Sheet and tile of those that are not what was written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["sheet", "field", "tile", "row", "column", "top_nm", "left_nm", "kind", "group", "member",
         "reason"]
    )  # fmt: skip
    for each in verdicts:
        reason = "not as written" if (each.sheet, each.tile) in wrong else each.reason
        if reason:
            writer.writerow(
                [each.sheet, each.field, each.tile, each.row, each.column, f"{each.top_nm:g}",
                 f"{each.left_nm:g}", each.kind, each.group, each.member, reason]
            )  # fmt: skip
    return text.getvalue()


def least_margin(verdicts: Iterable[TileVerdict]) -> float | None:
    """Return the least margin of the tiles that were read, in dB."""
    margins = [each.margin_db for each in verdicts if each.margin_db is not None]
    return min(margins, default=None)


def placed_tile(plan: SheetPlan, sheet: int, tile: int) -> tuple[PlacedField, int, int]:
    """Return the field that a tile is in, and its row and column in it."""
    number, place = divmod(tile, plan.tiles_per_field)
    row, column = divmod(place, plan.settings.tiles_per_field)
    return plan.field(sheet, number), row, column


def _place(plan: SheetPlan, sheet: int, tile: int) -> tuple[int, int, int, float, float]:
    field, row, column = placed_tile(plan, sheet, tile)
    away = plan.settings.tile_step_nm
    return field.number, row, column, field.top_nm + row * away, field.left_nm + column * away


def _state(
    told: tuple[Any, ...] | None, plan: SheetPlan, poor_margin_db: float
) -> tuple[State, int, float | None, float | None]:
    words = plan.settings.tile.words
    if told is None or told[1] == words:
        return "missing", words, None, None
    _, lost, margin, rate = told
    weak = lost > 0 or math.isnan(margin) or margin < poor_margin_db
    return "weak" if weak else "whole", lost, margin, rate
