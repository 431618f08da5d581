"""Micrographs of the fields of view of a sheet: as a microscope would take them one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.simulation.micrograph import Specimen, field_signal, grey_values
from napari_nanoqr.archive.simulation.sheet import FieldPlace, Particle, Sheet
from napari_nanoqr.physics.ageing import Ageing
from napari_nanoqr.physics.scan import ScanFaults
from napari_nanoqr.physics.sem import BEAM_CURRENT_PA, LANDING_ENERGY_EV
from napari_nanoqr.physics.view import View
from napari_nanoqr.sem.electrons import ELECTRONS_PER_PA_US
from napari_nanoqr.sem.micrograph import Micrograph

_POSE, _FATE = range(2)
"""Random numbers of their own, so that a fault that is added leaves the poses as they were."""

DEFOCUS_MODULES = 2.0
"""Standard deviation of the blur of a field that is out of focus: nothing can be read then."""


@dataclass(frozen=True)
class Imaging:
    """How the fields are imaged, and how badly.

    Parameters
    ----------
    px_per_module : float
        Pixels along a module.
    electrons_per_pixel : float
        Primary electrons.
    probe_nm : float
        Standard deviation of the probe.
    margin_modules : float
        What is seen of the surroundings at each side of a field, where the stage is right.
    stage_error_nm : float
        Standard deviation of where the stage stops, along each axis.
    rotation_deg : float
        Standard deviation of the rotation.
    tilt_deg : float
        Tilt of the stage about the image's x axis.
    drift_nm : float
        From the first row to the last, in a direction of its own for each image.
    vibration_nm, warp_nm, charging : float
        See `napari_nanoqr.physics.scan.ScanFaults`.
    unreadable : float
        Share of the fields whose image is out of focus.
    not_taken : float
        Share of the fields of which there is no image.
    seed : int
        For the same images again.

    Raises
    ------
    ValueError
        Where a value is out of range.
    """

    px_per_module: float = 4.0
    electrons_per_pixel: float = 1000.0
    probe_nm: float = 2.0
    margin_modules: float = 24.0
    stage_error_nm: float = 200.0
    rotation_deg: float = 0.2
    tilt_deg: float = 0.0
    drift_nm: float = 20.0
    vibration_nm: float = 2.0
    warp_nm: float = 0.0
    charging: float = 0.0
    unreadable: float = 0.0
    not_taken: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.px_per_module <= 64:
            raise ValueError(f"{self.px_per_module:g} pixels a module cannot be: use 1 to 64.")
        if not (0 < self.electrons_per_pixel < 1e9 and 0 <= self.probe_nm < 1e3):
            raise ValueError("Electrons per pixel are positive, and a probe has a width in nm.")
        if min(self.margin_modules, self.stage_error_nm, self.rotation_deg, self.drift_nm) < 0:
            raise ValueError("Margins, errors and drift are not negative.")
        if min(self.unreadable, self.not_taken) < 0 or self.unreadable + self.not_taken > 1:
            raise ValueError("The shares of fields that are lost are from 0 to 1 together.")
        if self.seed < 0:
            raise ValueError("A seed is not negative.")


@dataclass(frozen=True, eq=False)
class SheetMicrographs:
    """The micrographs that can be taken of a sheet.

    Parameters
    ----------
    sheet : Sheet
        What lies in the microscope.
    specimen : Specimen
        How it was milled.
    imaging : Imaging
        How it is imaged.
    """

    sheet: Sheet
    specimen: Specimen = field(default_factory=Specimen)
    imaging: Imaging = field(default_factory=Imaging)

    @property
    def taken(self) -> list[FieldPlace]:
        """The fields of which there is an image."""
        lost = self._fates()[1]
        return [place for at, place in enumerate(self.sheet.fields) if at not in lost]

    @property
    def unreadable(self) -> list[int]:
        """Numbers of the fields whose image is out of focus."""
        return sorted(self.sheet.fields[at].number for at in self._fates()[0])

    def take(self, place: FieldPlace) -> Micrograph:
        """Take the image of a field.

        Parameters
        ----------
        place : FieldPlace
            One of the sheet's.

        Returns
        -------
        Micrograph
            ``(y, x)`` uint8 or uint16 with its pixel size. ``metadata`` holds the acquisition, and
            ``stage_y_nm`` and ``stage_x_nm``: where on the sheet the stage was sent, which is off
            by its error.
        """
        imaging, pitch = self.imaging, self.specimen.pitch_nm
        seed = [imaging.seed, place.sheet, place.number]
        rng = np.random.default_rng([*seed, _POSE])
        wanted = np.array(
            [place.top_nm + place.rows * pitch / 2, place.left_nm + place.columns * pitch / 2]
        )
        centre = wanted + imaging.stage_error_nm * rng.normal(size=2)
        turn, drift = rng.normal() * imaging.rotation_deg, rng.uniform(0, 2 * math.pi)
        pixel = pitch / imaging.px_per_module
        rows, columns = (
            math.ceil(squeeze * (n + 2 * imaging.margin_modules) * imaging.px_per_module)
            for n, squeeze in (
                (place.rows, math.cos(math.radians(imaging.tilt_deg))), (place.columns, 1.0),
            )
        )  # fmt: skip
        own = int(rng.integers(2**31))
        view = View(
            pixel, rows, columns, turn, imaging.tilt_deg,
            (imaging.drift_nm * math.sin(drift), imaging.drift_nm * math.cos(drift)),
            faults=ScanFaults(
                imaging.warp_nm, imaging.vibration_nm, charging=imaging.charging, seed=own
            ),
        )  # fmt: skip
        signal = self._signal(view, (float(centre[0]), float(centre[1])))
        if place.number in self.unreadable:
            from scipy.ndimage import gaussian_filter

            signal = gaussian_filter(signal, DEFOCUS_MODULES * imaging.px_per_module)
        image = grey_values(signal, imaging.electrons_per_pixel, self.specimen.model, own)
        dwell_us = imaging.electrons_per_pixel / (ELECTRONS_PER_PA_US * BEAM_CURRENT_PA)
        metadata = {
            "vendor": "simulated",
            "tilt_deg": imaging.tilt_deg,
            "dwell_s": dwell_us * 1e-6,
            "beam_current_a": BEAM_CURRENT_PA * 1e-12,
            "landing_energy_ev": LANDING_ENERGY_EV,
            "detector": "simulated chamber detector",
            "electrons_per_pixel": imaging.electrons_per_pixel,
            "stage_y_nm": float(wanted[0]),
            "stage_x_nm": float(wanted[1]),
            "sheet": place.sheet,
        }
        return Micrograph(image, (pixel, pixel), "simulated", metadata)

    def _signal(self, view: View, centre: tuple[float, float]) -> NDArray[np.float32]:
        """Relative signal of the view around a place of the sheet, with all that lies on it."""
        pitch = self.specimen.pitch_nm
        left, top, right, bottom = view.bounds_nm
        reach = max(map(abs, view.drift_nm)) + view.faults.reach_nm(1) + 4 * pitch
        first = [math.floor((at - reach) / pitch) for at in (centre[0] + top, centre[1] + left)]
        last = [math.ceil((at + reach) / pitch) for at in (centre[0] + bottom, centre[1] + right)]
        levels = self.sheet.modules(first[0], first[1], last[0] - first[0], last[1] - first[1])
        signal = field_signal(
            levels, (first[0] * pitch, first[1] * pitch), centre, view, self.specimen,
            probe_nm=self.imaging.probe_nm, scratches=self.sheet.scratches,
            seed=self.sheet.seed,
        )  # fmt: skip
        window = (centre[0] + top, centre[1] + left, centre[0] + bottom, centre[1] + right)
        for place in self.sheet.fields:
            if _touches(place, window, pitch):
                for particle in self.sheet.debris(place):
                    self._lay(particle, signal, view, centre)
        if self.imaging.charging:
            charged = view.faults.charge(signal.astype(np.float64), view.pixel_size_nm)
            signal = charged.astype(np.float32)
        return signal

    def _lay(
        self, particle: Particle, signal: NDArray[np.float32], view: View,
        centre: tuple[float, float],
    ) -> None:  # fmt: skip
        """Draw a disc that covers what is below it, or a pit."""
        offset = np.array([[particle.x_nm - centre[1], particle.y_nm - centre[0]]])
        ((y, x),) = view.to_pixels(offset)
        across = particle.radius_nm / view.pixel_size_nm
        down = across * math.cos(math.radians(view.tilt_deg))
        model = self.specimen.model
        bright = (
            model.floor_yield
            if math.isnan(particle.relative_yield)
            else model.film_yield * particle.relative_yield
        )
        rows = slice(max(math.floor(y - down), 0), max(math.ceil(y + down) + 1, 0))
        columns = slice(max(math.floor(x - across), 0), max(math.ceil(x + across) + 1, 0))
        part = signal[rows, columns]
        if part.size:
            yy = (np.arange(rows.start, rows.start + part.shape[0])[:, None] - y) / down
            xx = (np.arange(columns.start, columns.start + part.shape[1])[None, :] - x) / across
            part[yy**2 + xx**2 <= 1] = bright

    def _fates(self) -> tuple[set[int], set[int]]:
        """Fields whose image is out of focus, and those of which there is none."""
        count = len(self.sheet.fields)
        sheet = self.sheet.fields[0].sheet if count else 0
        order = np.random.default_rng([self.imaging.seed, _FATE, sheet]).permutation(count)
        blurred = round(self.imaging.unreadable * count)
        gone = round(self.imaging.not_taken * count)
        return set(order[:blurred].tolist()), set(order[blurred : blurred + gone].tolist())


def aged(specimen: Specimen, ageing: Ageing) -> Specimen:
    """Return a specimen after some time; pits are the sheet's."""
    return replace(specimen, spread_nm=ageing.spread_nm, contrast=ageing.contrast)


def pits_per_field(ageing: Ageing, places: Sequence[FieldPlace], pitch_nm: float) -> float:
    """Return the mean number of pits that a field has after some time."""
    from napari_nanoqr.physics.ageing import acceleration

    if not places:
        return 0.0
    area_um2 = float(np.mean([p.rows * p.columns for p in places])) * (pitch_nm / 1000) ** 2
    faster = acceleration(ageing.temperature_c, ageing.reference_c, ageing.pits_ev)
    return ageing.pits_per_um2_year * ageing.years * faster * area_um2


def _touches(
    place: FieldPlace, window: tuple[float, float, float, float], pitch: float
) -> bool:  # fmt: skip
    top, left, bottom, right = window
    return (
        place.top_nm < bottom and place.top_nm + place.rows * pitch > top
        and place.left_nm < right and place.left_nm + place.columns * pitch > left
    )  # fmt: skip
