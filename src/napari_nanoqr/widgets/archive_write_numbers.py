"""What an archive will take, in numbers for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_nanoqr.cli.archive_words import (
    counted,
    in_area,
    in_bytes,
    in_digits,
    in_percent,
    in_time,
)

if TYPE_CHECKING:
    from napari_nanoqr.archive.plan import ArchivePlan

ROWS = (
    "Density", "Efficiency", "Sheets", "Fields", "Tiles", "Survives", "Writing", "Reading",
    "Energy", "Files",
)  # fmt: skip


def headline(plan: ArchivePlan) -> str:
    """Return what matters most in one line."""
    sheets = plan.sheets
    return (
        f"{in_bytes(plan.user_bytes)} in {counted(plan.file_count, 'file')} · "
        f"{counted(sheets.sheets, 'sheet')} · {counted(sheets.all_fields, 'field')} · "
        f"{_area(plan.area_mm2)} · {plan.density['net_tb_per_a4']:.3g} TB on A4"
    )


def numbers(plan: ArchivePlan) -> dict[str, str]:
    """Return the text of each of the `ROWS`."""
    settings, sheets, groups = plan.settings, plan.sheets, plan.sheets.groups
    density, writing, reading, energy = plan.density, plan.writing(), plan.reading(), plan.energy()
    height, width = settings.sheet_mm
    side = settings.field_modules * settings.pitch_nm / 1000
    data = groups.data_count(0)
    used = plan.area_mm2 / (settings.area_mm2 * sheets.sheets)
    filled = in_percent(used) if used >= 1e-4 else "less than 0.01 %"
    jumps = writing["settling_us"] is not None or writing["blanking_us"] is not None
    beam = writing["beam"].partition(" (")[0]
    slow = "" if writing["resolves_pitch"] else "; TOO WIDE for the pitch"
    disk = energy["disk_j_per_bit"] / energy["years"] if energy["years"] else 0.0
    return {
        "Density": f"{density['net_tb_per_a4']:.3g} TB on a side of A4, net; full sheets "
                   f"{density['full_tb_per_a4']:.3g} TB, {density['full_bit_per_um2']:.4g} bit/µm²",
        "Efficiency": f"{in_percent(plan.efficiency['total'])} of the modules' "
                      f"{density['raw_tb_per_a4']:.3g} TB on A4 are your data",
        "Sheets": f"{sheets.sheets:,} of {width:g} x {height:g} mm; {_area(plan.area_mm2)} "
                  f"written ({filled})",
        "Fields": f"{sheets.all_fields:,} of {side:.4g} x {side:.4g} µm "
                  f"({settings.field_modules} x {settings.field_modules} modules)",
        "Tiles": f"{groups.data_tiles:,} data, {groups.groups * groups.parity:,} parity in "
                 f"{counted(groups.groups, 'group')} of {data} + {groups.parity}; "
                 f"{in_bytes(settings.tile_bytes)} each",
        "Survives": f"{100 * groups.parity / (data + groups.parity):.3g} % of the tiles gone in "
                    f"one piece",
        "Writing": f"{in_time(writing['total_s'])}, {in_time(writing['beam_on_s'])} of it beam on "
                   f"({beam}, {counted(writing['beams'], 'beam')}){slow}"
                   + ("" if jumps else "; jumps of the beam not counted"),
        "Reading": f"{in_time(reading['total_s'])} at {reading['dwell_us']:g} µs a pixel, "
                   f"{reading['px_per_module']:g} pixels a module, "
                   f"{counted(reading['beams'], 'beam')}",
        "Energy": f"{energy['write_j_per_bit']:.3g} J/bit to write, {energy['read_j_per_bit']:.3g} "
                  f"J/bit to read; none to keep. An idle disk: "
                  f"{energy['disk_j_per_bit']:.2g} J/bit in {energy['years']:g} years"
                  + (f"; as much as writing in {in_digits(energy['write_j_per_bit'] / disk)} years"
                     if disk else ""),
        "Files": f"{in_bytes(plan.files_bytes)} of {settings.suffix} pattern files",
    }  # fmt: skip


def _area(mm2: float) -> str:
    return in_area(mm2).replace("^2", "²")
