"""What a plan takes for granted about writing, reading and keeping an archive."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from napari_nanoqr.archive import figures
from napari_nanoqr.archive.levels import END_POINT_SPREAD
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.fib.beam_choice import LEAST_FILM_KEPT, choose_beam
from napari_nanoqr.fib.columns import Beam, Column
from napari_nanoqr.fib.materials import VolumePerDose, volume_per_dose

FILM_KEPT = {1: LEAST_FILM_KEPT, 2: 0.95}
"""Share of its film that a module alone among milled ones has to keep, by the bits that it carries.
Of two bits the middle levels lie where the signal is steep: with 0.92 they took five times the
electrons that they take with 0.96, with 15 nm of film and signal from 2 nm of it."""


@dataclass(frozen=True)
class ArchiveNeeds:
    """What a plan takes for granted about writing, reading and keeping.

    Parameters
    ----------
    beam : Beam, optional
        By default :func:`usual_beam` of Helios G4.
    beams : int
        Ion beams that write at the same time, in one instrument.
    volume_per_dose_um3_per_nc : float, optional
        Calibrated for the film; by default that of the film's material.
    dose_spread : float
        Standard deviation of a module's dose or of the film's thickness, as a share.
    settling_us, blanking_us : float, optional
        For each jump of the beam; by default as the column's file says, where it says anything.
    stage_move_s : float
        From one field to the next, writing and reading.
    write_power_w, read_power_w : float
        Of the instruments.
    px_per_module : float
        Pixels on a side of a module, reading.
    read_dwell_us : float
        For each pixel.
    read_beams : int
        Electron beams that read at the same time, in one instrument.
    read_margin : float
        What an image shows around a field, as a share of its side on each side.
    years : float
        How long it is kept, for the comparison with disk and tape.

    Raises
    ------
    ValueError
        Where a number is out of range.
    """

    beam: Beam | None = None
    beams: int = 1
    volume_per_dose_um3_per_nc: float | None = None
    dose_spread: float = END_POINT_SPREAD
    settling_us: float | None = None
    blanking_us: float | None = None
    stage_move_s: float = figures.STAGE_MOVE.value
    write_power_w: float = figures.WRITE_POWER.value
    read_power_w: float = figures.READ_POWER.value
    px_per_module: float = 4.0
    read_dwell_us: float = 0.1
    read_beams: int = 1
    read_margin: float = 0.02
    years: float = 100.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name == "beam" or value is None:
                continue
            least = 1 if name in ("beams", "read_beams") else 0
            if not least <= value < math.inf:
                raise ValueError(f"{name.replace('_', ' ')} cannot be {value:g}.")
        if self.dose_spread >= 0.5:
            raise ValueError(f"Doses that spread by {100 * self.dose_spread:g} % are none.")
        if self.px_per_module == 0 or self.volume_per_dose_um3_per_nc == 0:
            raise ValueError("Pixels a module and volume per dose are more than 0.")

    def beam_for(self, settings: ArchiveSettings) -> Beam:
        """Return the beam that writes."""
        return self.beam or usual_beam(settings.pitch_nm, settings.bits_per_module)

    def volume(self, settings: ArchiveSettings, beam: Beam) -> VolumePerDose:
        """Return what a dose removes from the film."""
        if self.volume_per_dose_um3_per_nc is not None:
            return VolumePerDose.exactly(self.volume_per_dose_um3_per_nc)
        return volume_per_dose(settings.film.material, beam.ion)

    def module_time_s(self, settings: ArchiveSettings, beam: Beam | None = None) -> float:
        """Return the time that a module takes which is milled through the film, in s.

        It is thickness / volume per dose x area / current, with one beam.
        """
        beam = beam or self.beam_for(settings)
        dose = settings.film.thickness_nm / 1000 / self.volume(settings, beam).value
        return dose * (settings.pitch_nm / 1000) ** 2 / (beam.current_pa / 1000)


def usual_beam(pitch_nm: float, bits: int = 1, column: Column | str | None = None) -> Beam:
    """Return the fastest beam of a column that resolves a pitch for so many bits a module.

    Raises
    ------
    ValueError
        Where none does, or the column is not known.
    """
    return choose_beam(pitch_nm, column, least_film_kept=FILM_KEPT[bits]).beam
