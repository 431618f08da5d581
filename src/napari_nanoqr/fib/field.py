"""Many symbols in one field of view, milled together with one beam."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.placed import Placed
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.lattice import Lattice
from napari_nanoqr.fib.plan import MillPlan


@dataclass(frozen=True, eq=False)
class PlacedPlan:
    """A plan at its place in a field of view.

    Parameters
    ----------
    plan : MillPlan
        What is milled there; its own field does not count.
    x_nm, y_nm : float
        Centre of its design from the field's, x to the right and y down.
    """

    plan: MillPlan
    x_nm: float = 0.0
    y_nm: float = 0.0

    @property
    def placed(self) -> Placed:
        """The design at this place."""
        return Placed(self.plan.design, self.x_nm, self.y_nm)


@dataclass(frozen=True, eq=False)
class Drawing:
    """Cells that are milled beside the symbols of a field: a label or a mark.

    Parameters
    ----------
    cells : (rows, columns) bool array
        True where a cell is milled.
    points_per_cell : int
        Points along a cell, at the distance of the base plan's.
    x_nm, y_nm : float
        Centre of the cells from the field's, x to the right and y down.
    name : str
        What it is, or says.
    dose : float
        In units of the base plan's.
    """

    cells: NDArray[np.bool_]
    points_per_cell: int
    x_nm: float
    y_nm: float
    name: str
    dose: float = 1.0

    @property
    def n_points(self) -> int:
        """Points in each pass."""
        return int(np.count_nonzero(self.cells)) * self.points_per_cell**2

    def size_nm(self, point_pitch_nm: float) -> tuple[float, float]:
        """Return height and width with points at a distance."""
        rows, columns = self.cells.shape
        cell_nm = self.points_per_cell * point_pitch_nm
        return rows * cell_nm, columns * cell_nm


@dataclass(frozen=True, eq=False)
class FieldPlan:
    """Symbols, labels and marks in one field of view.

    The beam, the passes and the dwell are those of a base plan. A symbol that was planned with
    another dose, other passes or another distance of points is milled with the dose that its own
    plan says, by a longer or shorter dwell.

    Parameters
    ----------
    symbols : tuple of PlacedPlan
        In the order in which they are milled; at least one.
    hfw_um : float
        Horizontal field width in um.
    drawings : tuple of Drawing
        Labels and marks; milled first in each pass.
    base : MillPlan, optional
        Whose beam, dwell, passes and dose all others are counted in; by default the first.
    name : str
        For formats that name what they hold.

    Raises
    ------
    ValueError
        Where plans have different beams or films, or something reaches out of the field.
    """

    symbols: tuple[PlacedPlan, ...]
    hfw_um: float
    drawings: tuple[Drawing, ...] = ()
    base: MillPlan | None = None
    name: str = "field"

    def __post_init__(self) -> None:
        if not self.symbols:
            raise ValueError("There is nothing to mill: the field holds no symbol.")
        if any(item.plan.beam != self.beam for item in self.symbols):
            raise ValueError("All symbols of a field are milled with the same beam.")
        if any(item.plan.design.film != self.base_plan.design.film for item in self.symbols):
            raise ValueError("All symbols of a field are milled into the same film.")
        reach = max(map(abs, self.bounds_nm))
        if reach > 500 * self.hfw_um * (1 + 1e-9):
            raise ValueError(
                f"The symbols, labels and marks reach {reach / 1000:.4g} um from the centre, out "
                f"of a field (HFW) of {self.hfw_um:g} um: widen the field, or use several."
            )

    @property
    def base_plan(self) -> MillPlan:
        """The plan whose dwell and passes the file is written with."""
        return self.symbols[0].plan if self.base is None else self.base

    @property
    def beam(self) -> Beam:
        """The beam that mills all of it."""
        return self.base_plan.beam

    @property
    def placed(self) -> tuple[Placed, ...]:
        """The designs at their places."""
        return tuple(item.placed for item in self.symbols)

    @property
    def bounds_nm(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of all that is in the field, quiet zones included."""
        boxes = [
            (item.x_nm, item.y_nm, *item.plan.design.field_size_nm) for item in self.symbols
        ] + [(d.x_nm, d.y_nm, *d.size_nm(self.base_plan.point_pitch_nm)) for d in self.drawings]
        x, y, height, width = np.array(boxes).T
        return (
            float((x - width / 2).min()), float((y - height / 2).min()),
            float((x + width / 2).max()), float((y + height / 2).max()),
        )  # fmt: skip

    @property
    def n_points(self) -> int:
        """Points in each pass."""
        drawn = sum(drawing.n_points for drawing in self.drawings)
        return drawn + sum(item.plan.n_points for item in self.symbols)

    @property
    def beam_on_time_s(self) -> float:
        """Time in s with the beam on, all passes; that of each symbol is its own plan's."""
        drawn = sum(drawing.n_points * drawing.dose for drawing in self.drawings)
        base = self.base_plan
        time_s = drawn * base.passes * base.dwell_us * 1e-6
        return time_s + sum(item.plan.beam_on_time_s for item in self.symbols)

    @property
    def exposure(self) -> Exposure:
        """The field in the form that pattern formats take; made afresh each time."""
        base = self.base_plan
        lattices = [_drawn(drawing, base) for drawing in self.drawings]
        lattices += [_moved(item, base) for item in self.symbols]
        return Exposure(
            tuple(lattices), base.beam, self.hfw_um, base.dwell_us, base.passes,
            base.volume_per_dose, self.name,
        )  # fmt: skip

    @property
    def warnings(self) -> list[str]:
        """What a careful operator would want to know, each once; empty where all is well."""
        from napari_nanoqr.fib.check import check_exposure

        said = [complaint.sentence for complaint in check_exposure(self.exposure)]
        return list(dict.fromkeys(said))


def _moved(item: PlacedPlan, base: MillPlan) -> Lattice:
    """Points of a plan at their place, their dose in units of the base's."""
    plan = item.plan
    lattice = plan.lattice
    ratio = plan.dwell_us * plan.passes / (base.dwell_us * base.passes)
    dose = lattice.dose if ratio == 1 else lattice.dose * np.float32(ratio)
    left, top = lattice.left_nm + item.x_nm, lattice.top_nm + item.y_nm
    return replace(lattice, dose=dose, left_nm=left, top_nm=top)


def _drawn(drawing: Drawing, base: MillPlan) -> Lattice:
    """Points of a label or a mark."""
    k, pitch = drawing.points_per_cell, base.point_pitch_nm
    height, width = drawing.size_nm(pitch)
    dose = drawing.cells.repeat(k, axis=0).repeat(k, axis=1) * np.float32(drawing.dose)
    left, top = drawing.x_nm - width / 2, drawing.y_nm - height / 2
    return Lattice(dose, pitch, left, top, base.scan, k)
