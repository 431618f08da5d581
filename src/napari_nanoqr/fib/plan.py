"""A plan: which points the beam visits, for how long, and what that removes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.placed import Placed
from napari_nanoqr.fib.columns import Beam, find_beam
from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.lattice import Lattice
from napari_nanoqr.fib.limits import refuse_impossible
from napari_nanoqr.fib.materials import VolumePerDose, volume_per_dose
from napari_nanoqr.fib.scan import ScanOrder

PITCH_PER_SPOT = 0.55
"""Default point pitch in spots; points this close add up to an even dose."""

DWELL_US = 1.0
"""Default dwell. Many short passes leave less redeposited material than one long one."""

DWELL_STEP_US = 0.1
"""Unit of most stream files; 25 ns, the other one, is a quarter of it."""

MOST_ROUNDING = 0.005
"""Relative error of dwell times passes up to which they are whole numbers of steps."""

LEAST_THROUGH = 0.6
"""Edges are where half of the film is gone: a dose that mills little more has none to correct."""

HFW_STEPS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
SMALLEST_HFW_UM = 5.0
FIELD_USED = 0.8
"""Share of the field that a design may fill by default; the screen shows 0.86 in y."""


@dataclass(frozen=True, eq=False)
class MillPlan:
    """Everything that is needed to mill a design.

    Parameters
    ----------
    design : Design
        What is milled.
    beam : Beam
        With which beam.
    points_per_module : int
        Points along one side of a module.
    dwell_us : float
        Dwell at each point in each pass, in us.
    passes : int
        How often every point is visited.
    scan : {"serpentine", "raster"}
        In which order.
    hfw_um : float
        Horizontal field width in um.
    volume_per_dose : VolumePerDose
        What a dose removes from the film.
    needed_dose_nc_per_um2 : float
        Ion dose that was asked for.
    relative_dose : (rows, columns) float32 array, optional
        Dose of each point in units of the plan's, with ``points_per_module`` rows and columns a
        module, 0 where the beam never goes; by default 1 on all modules that are milled.

    Raises
    ------
    ValueError
        Where the plan cannot work on any instrument; the message says why.
    """

    design: Design
    beam: Beam
    points_per_module: int
    dwell_us: float
    passes: int
    scan: ScanOrder
    hfw_um: float
    volume_per_dose: VolumePerDose
    needed_dose_nc_per_um2: float
    relative_dose: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        refuse_impossible(self)

    @property
    def point_pitch_nm(self) -> float:
        """Distance of neighbouring points in nm, a whole number of which makes a module."""
        return self.design.pitch_nm / self.points_per_module

    @property
    def overlap_percent(self) -> float:
        """Overlap of neighbouring spots in percent; negative where they do not touch."""
        return 100 * (1 - self.point_pitch_nm / self.beam.spot_nm)

    @property
    def milled_modules(self) -> int:
        """Modules that are milled, with those of the quiet zone."""
        return int(np.count_nonzero(self.design.milled))

    @property
    def n_points(self) -> int:
        """Points in each pass."""
        if self.relative_dose is not None:
            return int(np.count_nonzero(self.relative_dose))
        return self.milled_modules * self.points_per_module**2

    @property
    def placed(self) -> tuple[Placed, ...]:
        """The design, in the middle of the field."""
        return (Placed(self.design),)

    @property
    def lattice(self) -> Lattice:
        """The points and their doses, made afresh each time."""
        dose, k = self.relative_dose, self.points_per_module
        if dose is None:
            dose = self.design.milled.astype(np.float32).repeat(k, axis=0).repeat(k, axis=1)
        left, top = self.placed[0].corner_nm
        return Lattice(dose, self.point_pitch_nm, left, top, self.scan, k)

    @cached_property
    def exposure(self) -> Exposure:
        """The plan in the form that pattern formats take."""
        return Exposure(
            (self.lattice,), self.beam, self.hfw_um, self.dwell_us, self.passes,
            self.volume_per_dose, self.design.name,
        )  # fmt: skip

    @cached_property
    def points_nm(self) -> NDArray[np.float64]:
        """Points in the order of the scan, ``(n, 2)``: x to the right and y down, in nm.

        The design's centre, which is the centre of the field, is at 0, 0.
        """
        points = np.concatenate([points for points, _ in self.exposure.points()])
        points.setflags(write=False)
        return points

    @property
    def area_um2(self) -> float:
        """Area that is milled in um^2."""
        return self.milled_modules * (self.design.pitch_nm / 1000) ** 2

    @property
    def volume_um3(self) -> float:
        """Volume of film that is to be removed in um^3."""
        return self.area_um2 * self.design.film.thickness_nm / 1000

    @property
    def ion_dose_nc_per_um2(self) -> float:
        """Ion dose of all passes in nC/um^2: current x dwell x passes / point pitch^2."""
        charge_nc = self.beam.current_pa * self.dwell_us * 1e-9 * self.passes
        return charge_nc / (self.point_pitch_nm / 1000) ** 2

    @property
    def depth_nm(self) -> float:
        """Depth in nm that the dose mills at the nominal volume per dose."""
        return 1000 * self.ion_dose_nc_per_um2 * self.volume_per_dose.value

    @property
    def depth_range_nm(self) -> tuple[float, float]:
        """Depth in nm at the low and at the high end of the volume per dose."""
        dose = self.ion_dose_nc_per_um2
        return 1000 * dose * self.volume_per_dose.low, 1000 * dose * self.volume_per_dose.high

    @property
    def beam_on_time_s(self) -> float:
        """Time in s with the beam on the film, all passes.

        Blanking, settling and refresh come on top; how long they take is the instrument's.
        """
        total = float(self.n_points)
        if self.relative_dose is not None:
            total = float(self.relative_dose.sum(dtype=np.float64))
        return total * self.passes * self.dwell_us * 1e-6

    @property
    def warnings(self) -> list[str]:
        """What a careful operator would want to know, as sentences; empty where all is well."""
        from napari_nanoqr.fib.check import check_plan

        return [complaint.sentence for complaint in check_plan(self)]


def plan_milling(
    design: Design,
    beam: Beam | None = None,
    *,
    point_pitch_nm: float | None = None,
    overlap_percent: float | None = None,
    dwell_us: float | None = None,
    passes: int | None = None,
    scan: ScanOrder = "serpentine",
    volume_per_dose_um3_per_nc: float | VolumePerDose | None = None,
    ion_dose_nc_per_um2: float | None = None,
    hfw_um: float | None = None,
    over_etch: float = 1.0,
    correct_edges: bool = False,
) -> MillPlan:
    """Plan the milling of a design: points, dwell and passes.

    Parameters
    ----------
    design : Design
        What to mill, on which film.
    beam : Beam, optional
        By default 26 pA of 30 kV gallium with a spot of 12.5 nm.
    point_pitch_nm : float, optional
        Distance of points in nm, adjusted so that a whole number of them makes a module; by
        default about 0.55 spots.
    overlap_percent : float, optional
        Overlap of neighbouring spots in percent, instead of the point pitch.
    dwell_us : float, optional
        Dwell at each point in each pass in us; by default 1 us.
    passes : int, optional
        By default as many as the dose takes.
    scan : {"serpentine", "raster"}
        Order of the points.
    volume_per_dose_um3_per_nc : float or VolumePerDose, optional
        Calibrated value; by default that of the film's material with its bracket.
    ion_dose_nc_per_um2 : float, optional
        Dose in nC/um^2, instead of the one that mills through the film.
    hfw_um : float, optional
        Horizontal field width in um; by default the next usual one that leaves a margin.
    over_etch : float
        Factor on the dose that mills through the film, e.g. 1.1 to be sure of the floor.
    correct_edges : bool
        Give each point the dose with which modules keep their nominal size after the beam's
        spread, see :func:`~napari_nanoqr.fib.correction.corrected_dose`. Takes some seconds for
        the largest symbols.

    Returns
    -------
    MillPlan
        The plan; see its ``warnings``.

    Raises
    ------
    ValueError
        Where a value makes no sense, the film's material is not known, or the plan cannot
        work on any instrument.
    """
    beam = beam or find_beam()
    volume = _volume(design, beam, volume_per_dose_um3_per_nc)
    if over_etch <= 0:
        raise ValueError(f"An over-etch of {over_etch:g} cannot be: 1 is just through the film.")
    needed = design.film.thickness_nm / 1000 / volume.value * over_etch
    if ion_dose_nc_per_um2 is not None:
        if not 0 < ion_dose_nc_per_um2 < math.inf:
            raise ValueError(f"A dose of {ion_dose_nc_per_um2:g} nC/um^2 is not positive.")
        needed = ion_dose_nc_per_um2
    points = _points_per_module(design, beam, point_pitch_nm, overlap_percent)
    pitch_um = design.pitch_nm / points / 1000
    time_us = needed * pitch_um**2 / beam.current_pa * 1e9
    dwell, count = _dwell_and_passes(time_us, dwell_us, passes)
    relative = None
    if correct_edges:
        from napari_nanoqr.fib.correction import corrected_dose

        through = needed * volume.value * 1000 / design.film.thickness_nm
        relative = corrected_dose(
            design.milled, points, design.pitch_nm / points, beam, max(through, LEAST_THROUGH)
        )
    return MillPlan(
        design, beam, points, dwell, count, scan,
        hfw_um if hfw_um is not None else usual_hfw_um(max(design.field_size_nm)),
        volume, needed, relative,
    )  # fmt: skip


def usual_hfw_um(field_side_nm: float) -> float:
    """Return the smallest usual HFW in um that holds a field of some nm with a margin."""
    least = max(field_side_nm / 1000 / FIELD_USED, SMALLEST_HFW_UM)
    decade = 10.0 ** math.floor(math.log10(least))
    choices = [round(step * scale, 6) for scale in (decade, 10 * decade) for step in HFW_STEPS]
    return next(hfw for hfw in choices if hfw >= least * (1 - 1e-9))


def _volume(design: Design, beam: Beam, given: float | VolumePerDose | None) -> VolumePerDose:
    if given is None:
        return volume_per_dose(design.film.material, beam.ion)
    return given if isinstance(given, VolumePerDose) else VolumePerDose.exactly(given)


def _points_per_module(
    design: Design, beam: Beam, pitch_nm: float | None, overlap: float | None
) -> int:
    """Points along a module whose distance is nearest to what is wanted."""
    if pitch_nm is not None and overlap is not None:
        raise ValueError("Give the point pitch or the overlap, not both.")
    wanted = PITCH_PER_SPOT * beam.spot_nm if pitch_nm is None else pitch_nm
    if overlap is not None:
        if not overlap < 100:
            raise ValueError(f"An overlap of {overlap:g} % cannot be: it is below 100 %.")
        wanted = beam.spot_nm * (1 - overlap / 100)
    if not 0 < wanted < math.inf:
        raise ValueError(f"A point pitch of {wanted:g} nm cannot be.")
    return max(1, round(design.pitch_nm / wanted))


def _dwell_and_passes(
    time_us: float, dwell_us: float | None, passes: int | None
) -> tuple[float, int]:
    """Divide the time that each point needs into passes.

    Where nothing is given, a dwell near the default and in whole steps is sought that takes the
    time exactly with some number of passes; with few passes the dwell is what it must be.
    """
    if passes is not None and (passes != int(passes) or passes < 1):
        raise ValueError(f"{passes} passes cannot be: use a whole number from 1.")
    if dwell_us is not None:
        if not 0 < dwell_us < math.inf:
            raise ValueError(f"A dwell of {dwell_us:g} us cannot be.")
        return dwell_us, int(passes or max(1, round(time_us / dwell_us)))
    if passes is not None:
        return time_us / passes, int(passes)
    usual = max(1, round(time_us / DWELL_US))
    for count in sorted(range(max(1, round(usual * 0.8)), round(usual * 1.25) + 1),
                        key=lambda n: abs(n - usual)):  # fmt: skip
        steps = round(time_us / count / DWELL_STEP_US)
        if steps and abs(steps * DWELL_STEP_US * count / time_us - 1) < MOST_ROUNDING:
            return round(steps * DWELL_STEP_US, 6), count
    return time_us / usual, usual
