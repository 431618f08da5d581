"""What became of the tiles of a sheet, as a layer in the sheet's own lengths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.tile_map import COLOURS
from napari_nanoqr.widgets.archive_layers import AXES, UNITS, hexed, label_colours
from napari_nanoqr.widgets.export_layers import LayerData

if TYPE_CHECKING:
    from napari_nanoqr.archive.verdict import TileVerdict

STATES = ("whole", "doubled", "weak", "missing")
"""Labels count from 1. Doubled tiles are whole, and more than one image showed them."""

STATE_COLOURS = {
    "whole": hexed(COLOURS["whole"]), "doubled": "#66ccee", "weak": hexed(COLOURS["weak"]),
    "missing": hexed(COLOURS["missing"]),
}  # fmt: skip
"""The fourth is of Paul Tol's bright scheme, as the others are."""


def state_of(verdict: TileVerdict) -> str:
    """Return which of the `STATES` a tile is in."""
    doubled = verdict.state == "whole" and verdict.images > 1
    return "doubled" if doubled else verdict.state


@dataclass(frozen=True, eq=False)
class TileMap:
    """The tiles of a sheet, each in a cell of its own.

    Attributes
    ----------
    labels : (rows, columns) uint8 array
        State of each tile, from 1; 0 where there is none.
    tiles : (rows, columns) object array
        The `TileVerdict`, or None.
    cell_nm : float
        Side of a cell.
    corner_nm : (float, float)
        Centre of the first cell, from the sheet's corner.
    """

    labels: NDArray[np.uint8]
    tiles: NDArray[np.object_]
    cell_nm: float
    corner_nm: tuple[float, float]

    @classmethod
    def of(cls, verdicts: Sequence[TileVerdict], sheet: int) -> TileMap:
        """Lay out the tiles of a sheet.

        Raises
        ------
        ValueError
            Where it has none.
        """
        found = [each for each in verdicts if each.sheet == sheet]
        if not found:
            raise ValueError(f"No tile of sheet {sheet + 1} is known.")
        across = 1 + max(max(each.row, each.column) for each in found)
        # the first tiles of fields lie a step apart, in both directions
        step = min(
            _least_distance({each.top_nm for each in found if each.row == 0}),
            _least_distance({each.left_nm for each in found if each.column == 0}),
        )
        inside = min(
            _least_distance({each.top_nm for each in found}),
            _least_distance({each.left_nm for each in found}),
        )
        if not np.isfinite(step):
            step = inside * across if np.isfinite(inside) else 1.0
        cell = step / across
        places = [(round(each.top_nm / cell), round(each.left_nm / cell)) for each in found]
        shape = tuple(1 + max(place[axis] for place in places) for axis in (0, 1))
        labels, tiles = np.zeros(shape, np.uint8), np.full(shape, None, object)
        for place, each in zip(places, found, strict=True):
            labels[place], tiles[place] = 1 + STATES.index(state_of(each)), each
        # half of the gap around a field belongs to its cells
        gap = step - inside * across if np.isfinite(inside) and across > 1 else 0.0
        corner = (cell - gap) / 2
        return cls(labels, tiles, cell, (corner, corner))

    @property
    def counts(self) -> dict[str, int]:
        """How many tiles are in each state."""
        counted = Counter(int(label) for label in self.labels.ravel())
        return {state: counted[1 + number] for number, state in enumerate(STATES)}

    def words(self, y: float, x: float) -> str:
        """Say what became of the tile at a place in cells."""
        row, column = round(y), round(x)
        rows, columns = self.tiles.shape
        tile = self.tiles[row, column] if 0 <= row < rows and 0 <= column < columns else None
        return "no tile is known here" if tile is None else in_words(tile)

    def layer(self, name: str) -> LayerData:
        """Return the map as a layer."""
        cell, (y, x) = self.cell_nm / 1000, self.corner_nm
        options = {
            "name": f"{name} · tiles", "scale": (cell, cell),
            "translate": (y / 1000, x / 1000), "units": UNITS, "axis_labels": AXES,
            "colormap": label_colours(
                {1 + number: STATE_COLOURS[state] for number, state in enumerate(STATES)}
            ),
        }  # fmt: skip
        return self.labels, options, "labels"


def in_words(tile: TileVerdict) -> str:
    """Say which tile it is, and what became of it."""
    part = tile.kind
    if part in ("data", "parity"):
        part = f"{part}, member {tile.member + 1} of group {tile.group + 1:,}"
    said = f"field {tile.field + 1:,}, tile {tile.tile:,}: {part}; {state_of(tile)}"
    if tile.lost and tile.state != "missing":
        said += f", {tile.lost} codewords lost"
    if tile.margin_db is not None:
        said += f", margin {tile.margin_db:.1f} dB"
    if tile.images:
        said += f", in {tile.images} image{'s' * (tile.images != 1)}"
    return said


def _least_distance(values: set[float]) -> float:
    """Return the least distance of different values; infinity where there is one alone."""
    ordered = sorted(values)
    apart = [b - a for a, b in pairwise(ordered) if b - a > 1e-3]
    return min(apart, default=float("inf"))
