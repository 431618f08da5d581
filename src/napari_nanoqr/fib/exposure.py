"""What the beam is to do, in the form in which every pattern format takes it.

Plans of one symbol and of whole fields both end here, and no format knows where an exposure came
from. It is held once, as lattices of points with a dose each, and told in two ways: as points
with a dwell in the order of the scan, or as rectangles or polygons with a dose factor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.placed import Placed
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.fib.lattice import Lattice
from napari_nanoqr.fib.materials import VolumePerDose
from napari_nanoqr.fib.merging import merge_rectangles
from napari_nanoqr.fib.outlining import Merged, Outlines, merge_polygons

DOSE_CLASSES = 1000
"""Shapes carry the dose of their points to a thousandth of the base dose, Raith's resolution."""


@dataclass(frozen=True, eq=False)
class Exposure:
    """Everything that a pattern file can say.

    Parameters
    ----------
    lattices : tuple of Lattice
        In the order in which they are milled; at least one, each with at least one point.
    beam : Beam
        With which beam.
    hfw_um : float
        Horizontal field width in um.
    dwell_us : float
        Dwell in us of a point with a dose of 1, in each pass.
    passes : int
        How often every point is visited.
    volume_per_dose : VolumePerDose
        Of the film, for formats that hold a depth rather than a dose.
    name : str
        For formats that name what they hold.

    Raises
    ------
    ValueError
        Where nothing is milled.
    """

    lattices: tuple[Lattice, ...]
    beam: Beam
    hfw_um: float
    dwell_us: float
    passes: int
    volume_per_dose: VolumePerDose
    name: str = "design"

    def __post_init__(self) -> None:
        if not self.lattices or not all(lattice.n_points for lattice in self.lattices):
            raise ValueError("Nothing is milled: the design has no module for the beam.")

    @property
    def n_points(self) -> int:
        """Points in each pass."""
        return sum(lattice.n_points for lattice in self.lattices)

    @property
    def bounds_nm(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the outermost points in nm."""
        bounds = np.array([lattice.bounds_nm for lattice in self.lattices])
        left, top = bounds[:, :2].min(axis=0).tolist()
        right, bottom = bounds[:, 2:].max(axis=0).tolist()
        return left, top, right, bottom

    @property
    def outline_nm(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the outermost cells in nm."""
        grown = np.array(
            [np.array(lattice.bounds_nm) + lattice.pitch_nm / 2 * np.array((-1, -1, 1, 1))
             for lattice in self.lattices]
        )  # fmt: skip
        left, top = grown[:, :2].min(axis=0).tolist()
        right, bottom = grown[:, 2:].max(axis=0).tolist()
        return left, top, right, bottom

    @property
    def beam_on_time_s(self) -> float:
        """Time in s with the beam on the film, all passes."""
        total = sum(lattice.total_dose for lattice in self.lattices)
        return total * self.dwell_us * 1e-6 * self.passes

    @property
    def charge_nc(self) -> float:
        """Charge in nC that falls on the film, all passes."""
        return self.beam_on_time_s * self.beam.current_pa / 1000

    @property
    def base_dose_nc_per_um2(self) -> float:
        """Ion dose in nC/um^2 where the dose of the first lattice is 1."""
        return self._base_dose(self.lattices[0])

    @property
    def depth_nm(self) -> float:
        """Depth in nm that the base dose mills at the nominal volume per dose."""
        return 1000 * self.base_dose_nc_per_um2 * self.volume_per_dose.value

    def _base_dose(self, lattice: Lattice) -> float:
        charge_nc = self.beam.current_pa * self.dwell_us * 1e-9 * self.passes
        return charge_nc / (lattice.pitch_nm / 1000) ** 2

    @cached_property
    def _boxes(self) -> NDArray[np.float64]:
        """Left, top, right and bottom of the cells of each lattice, ``(n, 4)``."""
        return np.array(
            [(one.left_nm, one.top_nm, one.left_nm + one.dose.shape[1] * one.pitch_nm,
              one.top_nm + one.dose.shape[0] * one.pitch_nm) for one in self.lattices]
        )  # fmt: skip

    def module_dose(self, item: Placed) -> NDArray[np.float64]:
        """Return the mean relative dose of each module of a design, with its quiet zone.

        Parameters
        ----------
        item : Placed
            A design of this exposure, at its place.

        Returns
        -------
        (rows, columns) float64 array
            0 where nothing is milled.
        """
        rows, columns = item.design.modules.shape
        total = np.zeros((rows, columns))
        left, top = item.corner_nm
        height, width = item.design.field_size_nm
        # of hundreds of lattices in a field one or two reach into a design
        first, last = self._boxes[:, :2], self._boxes[:, 2:]
        met = (first < (left + width, top + height)) & (last > (left, top))
        for index in np.flatnonzero(met.all(axis=1)).tolist():
            lattice = self.lattices[index]
            row, column = np.nonzero(lattice.dose)
            x = lattice.left_nm + (column + 0.5) * lattice.pitch_nm - left
            y = lattice.top_nm + (row + 0.5) * lattice.pitch_nm - top
            i = np.floor(y / item.design.pitch_nm).astype(np.int64)
            j = np.floor(x / item.design.pitch_nm).astype(np.int64)
            inside = (i >= 0) & (i < rows) & (j >= 0) & (j < columns)
            share = (lattice.pitch_nm / item.design.pitch_nm) ** 2
            share *= self._base_dose(lattice) / self.base_dose_nc_per_um2
            dose = lattice.dose[row[inside], column[inside]].astype(np.float64) * share
            cells = i[inside] * columns + j[inside]
            total += np.bincount(cells, dose, rows * columns).reshape(rows, columns)
        return total

    def points(self) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Yield points and dwells in the order of the scan.

        Yields
        ------
        points_nm : (n, 2) float64 array
            x to the right and y down, from the field's centre.
        dwell_us : (n,) float64 array
            Of each pass.
        """
        for lattice in self.lattices:
            for points_nm, dose in lattice.points():
                yield points_nm, dose * self.dwell_us

    def points_in_units(
        self, unit_us: float
    ) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64]]]:
        """Yield points, and dwells as whole numbers of a unit.

        What is rounded off at one point is given to the next, so that the dose of a module, let
        alone of the whole, stays as planned however coarse the unit.

        Parameters
        ----------
        unit_us : float
            Unit of the dwell in us.

        Yields
        ------
        points_nm : (n, 2) float64 array
            As :meth:`points` gives them.
        units : (n,) int64 array
            Dwell in units.
        """
        done, written = 0.0, 0
        for points_nm, dwell_us in self.points():
            # a hair, so that sums of whole units are not rounded down
            total = done + np.cumsum(dwell_us / unit_us)
            whole = np.floor(total + 0.5 + 1e-6).astype(np.int64)
            yield points_nm, np.diff(whole, prepend=written)
            done, written = float(total[-1]), int(whole[-1])

    def rectangles(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return rectangles that together cover all cells, without overlap or gap.

        Returns
        -------
        rectangles_nm : (n, 4) float64 array
            Left, top, right and bottom.
        factors : (n,) float64 array
            Dose in units of the base dose, whole thousandths.
        """
        corners, factors = [], []
        for lattice, classes in self._classes():
            found, values = merge_rectangles(classes)
            corners.append(
                found[:, [1, 0, 3, 2]] * lattice.pitch_nm
                + np.array([lattice.left_nm, lattice.top_nm] * 2)
            )
            factors.append(values / DOSE_CLASSES)
        return np.concatenate(corners), np.concatenate(factors)

    def outlines(self, merged: Merged = "rectangles") -> Outlines:
        """Return shapes that together cover all cells, without overlap or gap.

        Parameters
        ----------
        merged : {"rectangles", "polygons"}
            To what cells of one dose are joined: rectangles, or the outlines of areas that hang
            together, see :func:`~napari_nanoqr.fib.outlining.merge_polygons`.

        Returns
        -------
        Outlines
            Their corners and doses.

        Raises
        ------
        ValueError
            Where they are to be anything else.
        """
        if merged not in get_args(Merged):
            raise ValueError(
                f"Shapes {merged!r} do not exist: use {' or '.join(get_args(Merged))}."
            )
        if merged == "rectangles":
            return Outlines.of_rectangles(*self.rectangles())
        corners, lengths, factors = [], [], []
        for lattice, classes in self._classes():
            at, count, values = merge_polygons(classes)
            corner = np.array((lattice.left_nm, lattice.top_nm))
            corners.append(at[:, ::-1] * lattice.pitch_nm + corner)
            lengths.append(count)
            factors.append(values / DOSE_CLASSES)
        return Outlines(*map(np.concatenate, (corners, lengths, factors)))

    def _classes(self) -> Iterator[tuple[Lattice, NDArray[np.int32]]]:
        """Yield lattices with their doses in thousandths of the base dose."""
        for lattice in self.lattices:
            ratio = self._base_dose(lattice) / self.base_dose_nc_per_um2
            yield lattice, np.rint(lattice.dose * ratio * DOSE_CLASSES).astype(np.int32)
