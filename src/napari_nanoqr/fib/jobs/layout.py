"""Where the symbols of a job stand: in a grid, and the grid divided into fields of view."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HFW_STEPS_PER_POINT = 10
"""Steps of a 16-bit deflection from point to point that a field is kept small enough for."""

DAC_STEPS = 65536


@dataclass(frozen=True)
class JobLayout:
    """How a job is laid out.

    Parameters
    ----------
    columns : int, optional
        Symbols in a row of the whole job; by default so many that it is about square.
    spacing_nm : float, optional
        Least distance from symbol to symbol, quiet zones and labels not counted; by default 4
        modules of the largest pitch.
    labels : bool
        Mill a label below each symbol.
    marks : bool
        Mill an L and three crosses at the corners of each field, and a mark to correct drift by.
    hfw_um : float, optional
        Horizontal field width; by default the smallest usual one that holds the job in as few
        fields as a 16-bit deflection allows, with at least 10 of its steps from point to point.
    used : float
        Share of the field's width and height that may be filled, 0.1 to 1.
    most_points : int, optional
        Points in a file; by default what most instruments take, 8 million.

    Raises
    ------
    ValueError
        Where a value is out of range.
    """

    columns: int | None = None
    spacing_nm: float | None = None
    labels: bool = True
    marks: bool = True
    hfw_um: float | None = None
    used: float = 0.8
    most_points: int | None = None

    def __post_init__(self) -> None:
        if self.columns is not None and self.columns < 1:
            raise ValueError(f"{self.columns} columns cannot be: use 1 or more.")
        if self.spacing_nm is not None and not 0 <= self.spacing_nm < math.inf:
            raise ValueError(f"A spacing of {self.spacing_nm:g} nm cannot be.")
        if self.hfw_um is not None and not 0 < self.hfw_um < math.inf:
            raise ValueError(f"A field of {self.hfw_um:g} um cannot be.")
        if not 0.1 <= self.used <= 1:
            raise ValueError(f"A field is filled to 0.1 to 1 of its width, not to {self.used:g}.")
        if self.most_points is not None and self.most_points < 1:
            raise ValueError("A file holds at least one point.")


@dataclass(frozen=True, eq=False)
class Cells:
    """A grid of boxes, each as large as the largest of its row and of its column.

    Parameters
    ----------
    heights_nm, widths_nm : float64 arrays
        Of each row and of each column.
    gap_nm : float
        Between neighbours.
    """

    heights_nm: NDArray[np.float64]
    widths_nm: NDArray[np.float64]
    gap_nm: float

    @classmethod
    def around(cls, boxes_nm: Sequence[tuple[float, float]], columns: int, gap_nm: float) -> Cells:
        """Return the grid that boxes (height, width) fill row by row."""
        rows = -(-len(boxes_nm) // columns)
        padded = [*boxes_nm, *[(0.0, 0.0)] * (rows * columns - len(boxes_nm))]
        boxes = np.array(padded, dtype=np.float64).reshape(rows, columns, 2)
        return cls(boxes[..., 0].max(axis=1), boxes[..., 1].max(axis=0), gap_nm)

    def part(self, rows: slice, columns: slice) -> Cells:
        """Return the grid of some rows and columns."""
        return Cells(self.heights_nm[rows], self.widths_nm[columns], self.gap_nm)

    @property
    def size_nm(self) -> tuple[float, float]:
        """Height and width of all together."""
        return _total(self.heights_nm, self.gap_nm), _total(self.widths_nm, self.gap_nm)

    @property
    def middles_nm(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Middles of the rows (y) and of the columns (x), from the middle of all."""
        return _middles(self.heights_nm, self.gap_nm), _middles(self.widths_nm, self.gap_nm)


def _total(sizes: NDArray[np.float64], gap: float) -> float:
    return float(sizes.sum() + gap * (sizes.size - 1))


def _middles(sizes: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    ends = np.cumsum(sizes + gap) - gap
    return np.asarray(ends - sizes / 2 - _total(sizes, gap) / 2)


def columns_for(boxes_nm: Sequence[tuple[float, float]]) -> int:
    """Return the number of columns with which boxes make about a square."""
    height, width = np.max(np.array(boxes_nm), axis=0)
    return max(1, min(len(boxes_nm), math.ceil(math.sqrt(len(boxes_nm) * height / width))))


def largest_hfw_um(point_pitch_nm: float) -> float:
    """Return the field width at which a 16-bit deflection still resolves the points well."""
    return point_pitch_nm / HFW_STEPS_PER_POINT * DAC_STEPS / 1000


def divide(
    cells: Cells, points: NDArray[np.int64], side_nm: float, most_points: int
) -> list[tuple[slice, slice]]:
    """Divide a grid into as few blocks as fit into a field each.

    Parameters
    ----------
    cells : Cells
        The grid.
    points : (rows, columns) int64 array
        Points in each box.
    side_nm : float
        Height and width that a block may have.
    most_points : int
        Points that a block may have.

    Returns
    -------
    list of (slice, slice)
        Rows and columns of each block, in an order that goes to and fro, so that the stage
        travels little. All blocks are about equally large; those without points are left out.

    Raises
    ------
    ValueError
        Where a single box does not fit.
    """
    rows, columns = points.shape
    if max(cells.heights_nm.max(), cells.widths_nm.max()) > side_nm:
        largest = max(cells.heights_nm.max(), cells.widths_nm.max()) / 1000
        raise ValueError(
            f"A symbol is {largest:.4g} um wide with quiet zone and label, and a field has room "
            f"for {side_nm / 1000:.4g} um: widen the field, or use a smaller pitch or version."
        )
    if points.max() > most_points:
        raise ValueError(
            f"A symbol alone has {points.max():,} points, more than the {most_points:,} of a "
            "file: use a larger point pitch, or a beam with a larger spot."
        )
    sums = np.zeros((rows + 1, columns + 1), dtype=np.int64)
    sums[1:, 1:] = points.cumsum(axis=0).cumsum(axis=1)
    for down, across in _divisions(rows, columns, -(-int(sums[-1, -1]) // most_points)):
        y, x = _edges(rows, down), _edges(columns, across)
        inside = np.diff(np.diff(sums[np.ix_(y, x)], axis=0), axis=1)
        if inside.max() > most_points:
            continue
        blocks = [
            (slice(y[i], y[i + 1]), slice(x[j], x[j + 1]))
            for i in range(down)
            for j in (range(across) if i % 2 == 0 else reversed(range(across)))
            if inside[i, j]
        ]
        if max(max(cells.part(*block).size_nm) for block in blocks) <= side_nm * (1 + 1e-9):
            return blocks
    raise AssertionError("a block of each box fits")


def _divisions(rows: int, columns: int, least: int) -> Iterator[tuple[int, int]]:
    """Yield in how many rows and columns of blocks a grid can be divided, fewest blocks first."""
    every = [
        (down, across)
        for down in range(1, rows + 1)
        for across in range(1, columns + 1)
        if down * across >= least
    ]
    # of as many, those whose blocks are most like squares
    yield from sorted(
        every, key=lambda n: (n[0] * n[1], abs(math.log(rows / n[0] / (columns / n[1]))))
    )


def _edges(count: int, parts: int) -> NDArray[np.int64]:
    return np.asarray(np.arange(parts + 1) * count // parts)
