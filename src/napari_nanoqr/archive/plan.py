"""What an archive takes: sheets, density, time, files, energy; from its size alone, at once."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_nanoqr.archive import figures
from napari_nanoqr.archive.electrons import electrons_needed, planned_levels, reading_warning
from napari_nanoqr.archive.needs import ArchiveNeeds
from napari_nanoqr.archive.outer import Groups, most_data, parity_needed
from napari_nanoqr.archive.settings import SHEETS_MM, ArchiveSettings
from napari_nanoqr.archive.sheet import SheetPlan
from napari_nanoqr.archive.sizes import FILE_BYTES, index_size, stream_size
from napari_nanoqr.fib.beam_choice import LEAST_FILM_KEPT, film_kept
from napari_nanoqr.fib.columns import Beam, find_column
from napari_nanoqr.fib.plan import PITCH_PER_SPOT

if TYPE_CHECKING:
    from napari_nanoqr.archive.manifest import ArchiveManifest

PLAN = "plan.json"
FORMAT = "napari-nanoqr archive plan"

A4_MM2 = SHEETS_MM["A4"][0] * SHEETS_MM["A4"][1]

RUNS_PER_MODULE = 0.25
"""Runs of milled modules in a row of scrambled data, for each module of it: where half of the
modules are milled, every fourth begins a run."""

DWELL_US = 1.0
"""Of a milling pass, as :mod:`napari_nanoqr.fib.plan` takes it where nothing else is said."""


@dataclass(frozen=True)
class ArchivePlan:
    """A plan: what is to be stored, where it goes, what is taken for granted.

    Parameters
    ----------
    user_bytes, file_count : int
        What is to be stored.
    stream_bytes : int
        The stream that stands on the medium.
    sheets : SheetPlan
        Where everything lies.
    needs : ArchiveNeeds
        What is taken for granted.
    pattern_bytes : int, optional
        Of the pattern files, where they are written already.
    dose_modules : float, optional
        Sum of the doses of all modules, where they are written already.
    """

    user_bytes: int
    file_count: int
    stream_bytes: int
    sheets: SheetPlan
    needs: ArchiveNeeds
    pattern_bytes: int | None = None
    dose_modules: float | None = None

    @property
    def settings(self) -> ArchiveSettings:
        """How it is written."""
        return self.sheets.settings

    @property
    def area_mm2(self) -> float:
        """Of all fields with the gaps beside them."""
        return self.sheets.all_fields * (self.settings.step_nm / 1e6) ** 2

    @property
    def efficiency(self) -> dict[str, float]:
        """What each thing leaves of the area, and all of them together."""
        settings, sheets = self.settings, self.sheets
        kind, groups = settings.tile, sheets.groups
        code_bits = kind.code_modules * settings.bits_per_module
        in_field = sheets.tiles_per_field / settings.field_modules**2
        shares = {
            "marks_and_headers": kind.code_modules * in_field,
            "inner_code": kind.information,
            "checksums": 8 * settings.tile_bytes / (kind.information * code_bits),
            "outer_code": groups.data_tiles / groups.tiles,
            "gaps": (settings.field_modules * settings.pitch_nm / settings.step_nm) ** 2,
            "front_matter": groups.tiles * settings.copies
            / (sheets.all_fields * sheets.tiles_per_field),
            "packing": self.user_bytes / (groups.data_tiles * settings.tile_bytes),
            "copies": 1 / settings.copies,
        }  # fmt: skip
        return shares | {"total": math.prod(shares.values())}

    @property
    def density(self) -> dict[str, float]:
        """Bits in an um^2 and TB on a side of A4: raw, net, and net of full sheets.

        Full sheets hold one copy in groups of full size; what a sheet has once, and what packing
        takes, is left out.
        """
        raw = self.settings.bits_per_module / (self.settings.pitch_nm / 1000) ** 2
        shares = self.efficiency
        net = raw * shares["total"]
        data = most_data(self.settings.tile_loss, self.settings.failure)
        spare = parity_needed(data, self.settings.tile_loss, self.settings.failure) or 0
        kept = ("marks_and_headers", "inner_code", "checksums", "gaps")
        full = raw * math.prod(shares[key] for key in kept) * data / (data + spare)
        tb = A4_MM2 * 1e6 / 8 / 1e12
        return {
            "raw_bit_per_um2": raw, "net_bit_per_um2": net, "full_bit_per_um2": full,
            "raw_tb_per_a4": raw * tb, "net_tb_per_a4": net * tb, "full_tb_per_a4": full * tb,
        }  # fmt: skip

    @property
    def files_bytes(self) -> float:
        """Of all pattern files."""
        if self.pattern_bytes is not None:
            return self.pattern_bytes
        modules = self.sheets.all_fields * self.settings.field_modules**2
        return modules * FILE_BYTES[self.settings.bits_per_module][self.settings.suffix]

    def writing(self, beam: Beam | None = None) -> dict[str, Any]:
        """Return what writing takes, by default with the beam of the needs."""
        settings, needs = self.settings, self.needs
        beam = beam or needs.beam_for(settings)
        modules = self.sheets.all_fields * settings.field_modules**2
        levels = planned_levels(settings, needs)
        in_tiles = self.sheets.all_fields * self.sheets.tiles_per_field * settings.tile.side**2
        full = self.dose_modules if self.dose_modules is not None else in_tiles * levels.dose.mean()
        beam_on = full * needs.module_time_s(settings, beam) / needs.beams
        points = max(1, round(settings.pitch_nm / (PITCH_PER_SPOT * beam.spot_nm)))
        passes = max(1, round(needs.module_time_s(settings, beam) / points**2 / (DWELL_US * 1e-6)))
        jumps = in_tiles * RUNS_PER_MODULE * points * passes / needs.beams
        settling, blanking = needs.settling_us, needs.blanking_us
        try:
            column = find_column(beam.column)
            settling = column.settling_us if settling is None else settling
            blanking = column.blanking_us if blanking is None else blanking
        except ValueError:
            pass  # a beam of the user's own belongs to no column
        stage = self.sheets.all_fields * needs.stage_move_s / needs.beams
        waiting = jumps * 1e-6 * ((settling or 0) + (blanking or 0))
        volume = needs.volume(settings, beam)
        return {
            "beam": str(beam),
            "beams": needs.beams,
            "resolves_pitch": film_kept(beam, settings.pitch_nm) >= LEAST_FILM_KEPT,
            "dose_nc_per_um2": levels.full_dose * settings.film.thickness_nm / 1000 / volume.value,
            "doses": list(levels.shares),
            "dose_spread": needs.dose_spread,
            "milled_share": full / modules,
            "beam_on_s": beam_on,
            "jumps": jumps,
            "settling_us": settling,
            "blanking_us": blanking,
            "jumps_s": waiting,
            "stage_s": stage,
            "total_s": beam_on + waiting + stage,
            "charge_c": full * needs.module_time_s(settings, beam) * beam.current_pa * 1e-12,
            "energy_kev": beam.energy_kev,
        }

    def other_beams(self) -> list[dict[str, Any]]:
        """Return beam, time and whether it resolves the pitch, for all beams of the column."""
        beam = self.needs.beam_for(self.settings)
        try:
            beams = find_column(beam.column).beams
        except ValueError:
            beams = (beam,)
        kept = ("beam", "resolves_pitch", "beam_on_s", "total_s")
        return [{key: self.writing(each)[key] for key in kept} for each in beams]

    def reading(self) -> dict[str, Any]:
        """Return what reading all of it once takes."""
        settings, needs = self.settings, self.needs
        side = settings.field_modules * (1 + 2 * needs.read_margin) * needs.px_per_module
        pixels = self.sheets.all_fields * side**2
        beam = pixels * needs.read_dwell_us * 1e-6 / needs.read_beams
        stage = self.sheets.all_fields * needs.stage_move_s / needs.read_beams
        return {
            "px_per_module": needs.px_per_module,
            "dwell_us": needs.read_dwell_us,
            "beams": needs.read_beams,
            "pixels": pixels,
            "electrons_needed": electrons_needed(settings, needs),
            "beam_s": beam,
            "stage_s": stage,
            "total_s": beam + stage,
        }

    def energy(self) -> dict[str, float]:
        """Return the energy for each user bit in J, and that of disk and tape."""
        bits, writing = 8 * max(self.user_bytes, 1), self.writing()
        return {
            "years": self.needs.years,
            "write_j_per_bit": writing["total_s"] * self.needs.write_power_w / bits,
            "film_j_per_bit": writing["charge_c"] * writing["energy_kev"] * 1000 / bits,
            "keep_j_per_bit": 0.0,
            "read_j_per_bit": self.reading()["total_s"] * self.needs.read_power_w / bits,
            "disk_j_per_bit": figures.disk_j_per_bit(self.needs.years),
            "tape_j_per_bit": figures.tape_j_per_bit(self.needs.years),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        sheets, groups = self.sheets, self.sheets.groups
        return {
            "format": FORMAT,
            "format_version": 1,
            "user_bytes": self.user_bytes,
            "file_count": self.file_count,
            "stream_bytes": self.stream_bytes,
            "settings": self.settings.to_dict(),
            "tile_bytes": self.settings.tile_bytes,
            "data_tiles": groups.data_tiles,
            "parity_tiles": groups.groups * groups.parity,
            "groups": groups.groups,
            "group_data": -(-groups.data_tiles // groups.groups),
            "group_parity": groups.parity,
            "description_tiles": sheets.description_tiles,
            "index_tiles": sheets.index_tiles,
            "tiles": sheets.all_tiles,
            "fields": sheets.all_fields,
            "sheets": sheets.sheets,
            "area_mm2": self.area_mm2,
            "density": self.density,
            "efficiency": self.efficiency,
            "pattern_bytes": self.files_bytes,
            "writing": self.writing() | {"other_beams": self.other_beams()},
            "reading": self.reading(),
            "energy": self.energy(),
            "warnings": self.warnings(),
            "figures": [figure.to_dict() for figure in self.figures()],
        }

    def warnings(self) -> list[str]:
        """Return what should be changed before anything is written, as sentences."""
        warning = reading_warning(self.settings, self.needs)
        return [] if warning is None else [warning]

    def figures(self) -> list[figures.Figure]:
        """Return the figures that were taken for granted, as they were given."""
        given = {
            figures.WRITE_POWER: self.needs.write_power_w,
            figures.READ_POWER: self.needs.read_power_w,
            figures.STAGE_MOVE: self.needs.stage_move_s,
        }
        return [
            replace(each, value=given[each], source="given", certain=True)
            if given.get(each, each.value) != each.value
            else each
            for each in figures.ALL
        ]


def plan_archive(
    size: int,
    settings: ArchiveSettings | None = None,
    needs: ArchiveNeeds | None = None,
    *,
    file_count: int = 1,
) -> ArchivePlan:
    """Plan an archive of some bytes.

    Parameters
    ----------
    size : int
        Bytes of the files.
    settings : ArchiveSettings, optional
        How it is written. That the files may shrink by compression is not taken into account.
    needs : ArchiveNeeds, optional
        What is taken for granted.
    file_count : int
        How many files it is.

    Returns
    -------
    ArchivePlan
        Of what it takes.

    Raises
    ------
    ValueError
        Where the size is negative, or the sheets are too small.
    """
    settings, needs = settings or ArchiveSettings(), needs or ArchiveNeeds()
    if size < 0 or file_count < 1:
        raise ValueError("A size is at least 0 bytes, in at least one file.")
    stream = stream_size(size, file_count)
    told = index_size(0 if settings.encrypted else file_count)
    tile = settings.tile_bytes
    groups = Groups.planned(-(-stream // tile), settings.tile_loss, settings.failure)
    text = settings.tile.description().encode("utf-8")
    sheets = SheetPlan(settings, groups, -(-len(text) // tile), -(-told // tile))
    return ArchivePlan(size, file_count, stream, sheets, needs)


def plan_written(manifest: ArchiveManifest, needs: ArchiveNeeds | None = None) -> ArchivePlan:
    """Return the plan of an archive that is written.

    Parameters
    ----------
    manifest : ArchiveManifest
        Of the archive.
    needs : ArchiveNeeds, optional
        What is taken for granted; the same as when it was written.
    """
    needs = needs or ArchiveNeeds()
    module_s = needs.module_time_s(manifest.plan.settings)
    return ArchivePlan(
        manifest.user_bytes, manifest.file_count, manifest.index.facts.size, manifest.plan, needs,
        manifest.pattern_bytes, manifest.beam_on_time_s / module_s,
    )  # fmt: skip
