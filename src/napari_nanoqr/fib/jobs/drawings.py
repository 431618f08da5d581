"""The labels and marks of a job, and how they stand about its symbols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design import marks
from napari_nanoqr.design.lettering import HEIGHT, lettering
from napari_nanoqr.fib.field import Drawing, PlacedPlan
from napari_nanoqr.fib.jobs.entries import JobEntry
from napari_nanoqr.fib.plan import MillPlan

CELL_SPOTS = 2.5
"""Least side of a label's cell in spots, so that letters stay open."""

DOSE = 1.5
"""Dose of labels and marks in units of the job's: lines as thin as these lose a part of theirs to
their surroundings, and the label of an underdosed symbol has to be legible."""

GAP_CELLS = 2
"""Between a symbol and its label."""

LIGHT_AROUND = 4
"""Modules that stay light around a symbol, whatever its quiet zone (ISO/IEC 18004, 6.3.8)."""

MARK_MODULES = 1.0
"""Side of a mark's cell in modules of the largest pitch."""


@dataclass(frozen=True)
class Pen:
    """Draws the labels and marks of a job with the points of its base plan.

    Parameters
    ----------
    point_pitch_nm : float
        Distance of points.
    points_per_cell : int
        Points along a cell of a label.
    points_per_mark_cell : int
        Points along a cell of a mark.
    labels : bool
        Whether there are labels.
    """

    point_pitch_nm: float
    points_per_cell: int
    points_per_mark_cell: int
    labels: bool = True

    @classmethod
    def for_job(cls, entries: Sequence[JobEntry], base: MillPlan, labels: bool) -> Pen:
        """Return a pen whose labels are as wide as symbols, where that leaves letters open."""
        pitch = base.point_pitch_nm
        fitting = [
            entry.design.size_nm[1] / (6 * len(entry.label) - 1)
            for entry in entries
            if labels and entry.label
        ]
        largest = max(entry.design.pitch_nm for entry in entries)
        smallest = min(entry.design.pitch_nm for entry in entries)
        wanted = min([smallest, *fitting])
        least = int(np.ceil(CELL_SPOTS * base.beam.spot_nm / pitch - 1e-9))
        return cls(
            pitch, max(least, int(wanted / pitch + 1e-9)),
            max(least, round(MARK_MODULES * largest / pitch)), labels,
        )  # fmt: skip

    @property
    def cell_nm(self) -> float:
        """Side of a label's cell."""
        return self.points_per_cell * self.point_pitch_nm

    @property
    def mark_nm(self) -> float:
        """Side of a mark."""
        return marks.SIDE * self.points_per_mark_cell * self.point_pitch_nm

    @property
    def frame_nm(self) -> float:
        """Width of the frame that marks need around a field."""
        return 1.5 * self.mark_nm

    def label(self, entry: JobEntry) -> NDArray[np.bool_] | None:
        """Return the cells of an entry's label, None where it has none."""
        return lettering(entry.label) if self.labels and entry.label else None

    def box_nm(self, entry: JobEntry) -> tuple[float, float]:
        """Return height and width of an entry with its quiet zone and label."""
        height, width = entry.design.field_size_nm
        label = self.label(entry)
        if label is None:
            return height, width
        return (
            height + self._gap_nm(entry) + HEIGHT * self.cell_nm,
            max(width, label.shape[1] * self.cell_nm),
        )

    def placed(
        self, entry: JobEntry, plan: MillPlan, x_nm: float, y_nm: float
    ) -> tuple[PlacedPlan, Drawing | None]:
        """Place an entry in the middle of a box.

        Parameters
        ----------
        entry : JobEntry
            What stands there.
        plan : MillPlan
            Of its design.
        x_nm, y_nm : float
            Centre of the box.

        Returns
        -------
        item : PlacedPlan
            The symbol at the top of the box, its corner a whole number of points from the centre
            of the field.
        label : Drawing or None
            Below it.
        """
        height, width = entry.design.field_size_nm
        top = y_nm - self.box_nm(entry)[0] / 2
        middle = self._snapped(x_nm, width)
        item = PlacedPlan(plan, middle, self._snapped(top + height / 2, height))
        cells = self.label(entry)
        if cells is None:
            return item, None
        below = item.y_nm + height / 2 + self._gap_nm(entry) + HEIGHT * self.cell_nm / 2
        return item, self._drawing(cells, self.points_per_cell, x_nm, below, entry.label)

    def marks(self, height_nm: float, width_nm: float) -> list[Drawing]:
        """Return the marks around a block: an L, three crosses, and one to correct drift by.

        Parameters
        ----------
        height_nm, width_nm : float
            Of the block in the middle of the field.

        Returns
        -------
        list of Drawing
            The mark for drift first, above the block.
        """
        away = self.frame_nm - self.mark_nm / 2
        x, y = width_nm / 2 + away, height_nm / 2 + away
        k = self.points_per_mark_cell
        return [
            self._drawing(marks.drift_mark(), k, 0.0, -y, "drift mark"),
            self._drawing(marks.corner(), k, -x, -y, "corner"),
            *(self._drawing(marks.cross(), k, *at, "cross") for at in ((x, -y), (-x, y), (x, y))),
        ]

    def _gap_nm(self, entry: JobEntry) -> float:
        design = entry.design
        light = (LIGHT_AROUND - design.quiet_zone) * design.pitch_nm
        return max(GAP_CELLS * self.cell_nm, light)

    def _drawing(
        self, cells: NDArray[np.bool_], points: int, x_nm: float, y_nm: float, name: str
    ) -> Drawing:
        height, width = np.array(cells.shape) * points * self.point_pitch_nm
        return Drawing(
            cells, points, self._snapped(x_nm, width), self._snapped(y_nm, height), name, DOSE
        )

    def _snapped(self, middle_nm: float, size_nm: float) -> float:
        """Move the middle of something so that its edge is a whole number of points away."""
        pitch = self.point_pitch_nm
        return float(round((middle_nm - size_nm / 2) / pitch) * pitch + size_nm / 2)
