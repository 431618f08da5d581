"""What a pattern file holds: points that are visited, or shapes that are filled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.fib.raster import (
    Grid,
    add_up,
    along_axes,
    fill_along_axes,
    fill_polygon,
    polygon_area,
    spline_shares,
)


class BadPattern(ValueError):
    """A file that holds no pattern, or one that is damaged."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pattern(ABC):
    """A pattern as it was read from a file.

    Parameters
    ----------
    format : str
        Name of the format, for people.
    hfw_um : float or None
        Horizontal field width in um, None where nothing tells it.
    hfw_source : str or None
        Where the field width comes from.
    metadata : dict
        What the sidecar says: plain values. It never holds the points themselves.
    notes : tuple of str
        What the reader found worth saying.
    path : Path or None
        The file.
    own_beam : Beam or None
        The beam that the file itself tells, None where it does not.
    """

    format: str
    hfw_um: float | None = None
    hfw_source: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    path: Path | None = None
    own_beam: Beam | None = None

    @property
    def beam(self) -> Beam | None:
        """The beam that the sidecar names, or else the file; None where neither does."""
        values = self.metadata.get("beam")
        try:
            return Beam(**values) if isinstance(values, dict) else self.own_beam
        except (TypeError, ValueError) as problem:
            raise BadPattern(f"The sidecar's beam makes no sense: {problem}.") from problem

    @property
    @abstractmethod
    def bounds_nm(self) -> tuple[float, float, float, float] | None:
        """Left, top, right and bottom of what is milled, in nm; None where unknown or empty."""

    @property
    @abstractmethod
    def beam_on_time_s(self) -> float | None:
        """Time in s with the beam on, all passes; None where the file does not tell."""

    @property
    @abstractmethod
    def charge_nc(self) -> float | None:
        """Charge in nC, all passes; None where dwell or dose, or the beam, are unknown."""

    @abstractmethod
    def rasterise(self, grid: Grid) -> NDArray[np.float64]:
        """Return the exposure of each cell of a grid.

        Parameters
        ----------
        grid : Grid
            Cells on the specimen.

        Returns
        -------
        (rows, columns) float64 array
            Seconds of beam, all passes, for points; mean dose factor for shapes.

        Raises
        ------
        ValueError
            Where the file does not tell its scale.
        """


@dataclass(frozen=True, eq=False, kw_only=True)
class PointPattern(Pattern):
    """Points that the beam visits.

    Parameters
    ----------
    steps : (n, 2) int64 array
        x and y of each point as in the file: steps of the deflection, or pixels.
    dwell_units : (n,) int64 array
        Dwell of each point in each pass, in units of the file.
    beam_on : (n,) bool array
        Points at which the beam is not blanked.
    passes : int
        How often all points are visited.
    centre_step : tuple of float
        x and y of the field's centre.
    step_nm : float or None
        Size of a step in nm, None where nothing tells it.
    dwell_unit_s : float or None
        Unit of the dwell in s, None where nothing tells it.
    y_up : bool
        y of the file grows upwards.
    """

    steps: NDArray[np.int64]
    dwell_units: NDArray[np.int64]
    beam_on: NDArray[np.bool_]
    passes: int
    centre_step: tuple[float, float]
    step_nm: float | None = None
    dwell_unit_s: float | None = None
    y_up: bool = False

    @property
    def exposes(self) -> NDArray[np.bool_]:
        """Points that receive ions, ``(n,)``."""
        return np.asarray(self.beam_on & (self.dwell_units > 0))

    @property
    def points_nm(self) -> NDArray[np.float64] | None:
        """Points in file order, ``(n, 2)``: x to the right and y down from the field's centre."""
        if self.step_nm is None:
            return None
        points = (self.steps - np.array(self.centre_step)) * self.step_nm
        if self.y_up:
            points[:, 1] *= -1
        return np.asarray(points)

    @property
    def dwell_s(self) -> NDArray[np.float64] | None:
        """Dwell of each point in each pass in s, ``(n,)``."""
        if self.dwell_unit_s is None:
            return None
        return np.asarray(self.dwell_units * self.dwell_unit_s, dtype=np.float64)

    @property
    def beam_on_time_s(self) -> float | None:
        """Time in s with the beam on, all passes."""
        if self.dwell_unit_s is None:
            return None
        units = int(self.dwell_units[self.beam_on].sum())
        return units * self.dwell_unit_s * self.passes

    @property
    def charge_nc(self) -> float | None:
        """Charge in nC, all passes; None where the dwell or the beam are unknown."""
        seconds, beam = self.beam_on_time_s, self.beam
        return None if seconds is None or beam is None else seconds * beam.current_pa / 1000

    @property
    def bounds_nm(self) -> tuple[float, float, float, float] | None:
        """Left, top, right and bottom of the outermost exposed points, in nm."""
        points = self.points_nm
        if points is None or not self.exposes.any():
            return None
        points = points[self.exposes]
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    def rasterise(self, grid: Grid) -> NDArray[np.float64]:
        """Seconds of beam in each cell, all passes; see :meth:`Pattern.rasterise`.

        Each point counts for the one cell that it lies in.
        """
        points, seconds = self._exposed()
        columns = np.floor((points[:, 0] - grid.left_nm) / grid.cell_nm).astype(np.int64)
        rows = np.floor((points[:, 1] - grid.top_nm) / grid.cell_nm).astype(np.int64)
        return add_up(grid, rows, columns, seconds)

    def spread(self, grid: Grid) -> NDArray[np.float64]:
        """Return seconds of beam in each cell, each point divided among 4 x 4 cells.

        The shares are those of a cubic B-spline: they keep the charge and the centre of each
        point, widen it by :data:`~napari_nanoqr.fib.raster.SPREAD_VARIANCE` cells^2, and do
        not beat with the point pitch.
        """
        points, seconds = self._exposed()
        x = (points[:, 0] - grid.left_nm) / grid.cell_nm - 0.5
        y = (points[:, 1] - grid.top_nm) / grid.cell_nm - 0.5
        column, row = np.floor(x), np.floor(y)
        across, down = spline_shares(x - column), spline_shares(y - row)
        columns, rows = column.astype(np.int64) - 1, row.astype(np.int64) - 1
        total = np.zeros((grid.rows, grid.columns))
        for j in range(4):
            weights = seconds * down[j]
            for i in range(4):
                total += add_up(grid, rows + j, columns + i, weights * across[i])
        return total

    def _exposed(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        points, dwell = self.points_nm, self.dwell_s
        if points is None:
            raise ValueError(
                "This pattern file does not tell its scale: give the horizontal field width (HFW)."
            )
        if dwell is None:
            raise ValueError("This pattern file does not tell its dwell: give it in us.")
        chosen = self.exposes
        return points[chosen], dwell[chosen] * self.passes


@dataclass(frozen=True, eq=False, kw_only=True)
class ShapePattern(Pattern):
    """Polygons that the instrument fills.

    Parameters
    ----------
    polygons_nm : tuple of (k, 2) float64 arrays
        Corners in nm, x to the right and y down.
    dose_factors : (n,) float64 array
        Dose of each polygon in units of the base dose.
    layers : (n,) int64 array
        Layer of each polygon.
    base_dose_nc_per_um2 : float or None
        Dose of a factor of 1 in nC/um^2, from the file where it tells, else from the sidecar;
        None where nothing tells it.
    """

    polygons_nm: tuple[NDArray[np.float64], ...]
    dose_factors: NDArray[np.float64]
    layers: NDArray[np.int64]
    base_dose_nc_per_um2: float | None = None

    @property
    def areas_um2(self) -> NDArray[np.float64]:
        """Area of each polygon in um^2, ``(n,)``."""
        return np.array([polygon_area(polygon) for polygon in self.polygons_nm]) / 1e6

    @property
    def charge_nc(self) -> float | None:
        """Charge in nC of all polygons, None where the base dose is unknown."""
        if self.base_dose_nc_per_um2 is None:
            return None
        return float((self.areas_um2 * self.dose_factors).sum()) * self.base_dose_nc_per_um2

    @property
    def beam_on_time_s(self) -> float | None:
        """Time in s with the beam on, None where base dose or beam are unknown."""
        charge_nc, beam = self.charge_nc, self.own_beam or self.beam
        return None if charge_nc is None or beam is None else 1000 * charge_nc / beam.current_pa

    @property
    def bounds_nm(self) -> tuple[float, float, float, float] | None:
        """Left, top, right and bottom of all polygons, in nm."""
        if not self.polygons_nm:
            return None
        corners = np.concatenate(self.polygons_nm)
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    def rasterise(self, grid: Grid) -> NDArray[np.float64]:
        """Mean dose factor of each cell; see :meth:`Pattern.rasterise`.

        Exact for polygons with edges along the axes; others are sampled 4 x 4 times a cell.
        """
        if not self.polygons_nm:
            return np.zeros((grid.rows, grid.columns))
        corners = np.concatenate(self.polygons_nm)
        lengths = np.array([len(polygon) for polygon in self.polygons_nm])
        exact = along_axes(corners, lengths)
        total = fill_along_axes(
            grid, corners[np.repeat(exact, lengths)], lengths[exact], self.dose_factors[exact]
        )
        for index in np.flatnonzero(~exact).tolist():
            polygon, factor = self.polygons_nm[index], float(self.dose_factors[index])
            x = (polygon[:, 0] - grid.left_nm) / grid.cell_nm
            y = (polygon[:, 1] - grid.top_nm) / grid.cell_nm
            fill_polygon(total, x, y, factor)
        return total
