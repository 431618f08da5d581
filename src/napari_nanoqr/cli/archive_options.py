"""The options that say how an archive is written, and what its plan takes for granted."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_nanoqr.cli.film_options import add_film_options, film_from

if TYPE_CHECKING:
    from napari_nanoqr.archive.needs import ArchiveNeeds
    from napari_nanoqr.archive.settings import ArchiveSettings


def add_settings_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that make `ArchiveSettings`, but for who may read."""
    code = parser.add_argument_group("code")
    code.add_argument("--rate", metavar="R", help="of the tiles: 0.5, 0.67, 0.8 (default) or 0.88")
    code.add_argument(
        "--tiles", choices=("own", "qr"), default="own",
        help="qr: QR codes, for readers that have no nanoqr; less dense, and far less is repaired "
        "in each",
    )  # fmt: skip
    code.add_argument("--qr-version", type=int, metavar="N", help="of QR codes: 10 to 40 (default)")
    code.add_argument(
        "--qr-error", choices=("L", "M", "Q", "H"), help="error-correction level of QR codes (L)"
    )
    code.add_argument(
        "--bits-per-pixel", type=int, default=1, choices=(1, 2), metavar="N",
        help="1 (default), or 2 for recesses of four depths",
    )  # fmt: skip
    code.add_argument(
        "--tile-loss", type=float, default=0.015, metavar="SHARE",
        help="of the tiles that you expect to be lost (default 0.015)",
    )  # fmt: skip
    code.add_argument(
        "--failure", type=float, default=1e-12, metavar="P",
        help="probability, for each group of up to 255 tiles, that more are lost than can be "
        "repaired (default 1e-12)",
    )  # fmt: skip
    code.add_argument(
        "--copies", type=int, default=1, metavar="N", help="each on sheets of its own (default 1)"
    )
    sheet = parser.add_argument_group("sheets")
    sheet.add_argument(
        "--pitch", type=float, default=49.0, metavar="NM", help="side of a module (default 49)"
    )
    sheet.add_argument(
        "--sheet", default="A4", metavar="SIZE", help="A3, A4 (default), A5 or WIDTHxHEIGHT in mm"
    )
    sheet.add_argument(
        "--tiles-per-field", type=int, metavar="N",
        help="on a side of a field of view (default: 2, which is 1024 modules; as many QR codes as "
        "make this or a little more)",
    )  # fmt: skip
    sheet.add_argument(
        "--gap", type=int, default=4, metavar="N", help="modules between fields (default 4)"
    )
    sheet.add_argument(
        "--format", default="oas", metavar="SUFFIX",
        help="of the pattern files: oas (default), gds or bmp",
    )  # fmt: skip
    film = parser.add_argument_group("film")
    add_film_options(film)
    film.add_argument(
        "--escape", type=float, default=2.0, metavar="NM",
        help="of film from which the signal of your SEM comes; depths of two bits a module are "
        "chosen for it (default 2)",
    )  # fmt: skip


def settings_from(options: argparse.Namespace, **more: Any) -> ArchiveSettings:
    """Return the settings of the options of a parser with :func:`add_settings_options`."""
    from napari_nanoqr.archive.settings import ArchiveSettings, parse_sheet
    from napari_nanoqr.archive.tile_kind import tile_kind

    rate = _rate(options)
    across = options.tiles_per_field
    if across is None:
        across = tile_kind(rate, options.bits_per_pixel).usual_across
    return ArchiveSettings(
        rate=rate, bits_per_module=options.bits_per_pixel,
        tile_loss=options.tile_loss, failure=options.failure, pitch_nm=options.pitch,
        tiles_per_field=across, field_gap_modules=options.gap,
        sheet_mm=parse_sheet(options.sheet), copies=options.copies,
        suffix="." + options.format.lower().lstrip("."), film=film_from(options),
        escape_nm=options.escape, **more,
    )  # fmt: skip


def _rate(options: argparse.Namespace) -> str:
    """Return what the tiles are."""
    from napari_nanoqr.archive.settings import parse_rate

    if options.tiles == "qr":
        if options.rate is not None:
            raise ValueError("QR codes have a level instead of a rate: --qr-error L, M, Q or H.")
        return f"QR {options.qr_version or 40}-{options.qr_error or 'L'}"
    if options.qr_version is not None or options.qr_error is not None:
        raise ValueError("Version and level are those of QR codes: say --tiles qr too.")
    return parse_rate(options.rate or "0.8")


def add_needs_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that make `ArchiveNeeds`: what the plan takes for granted."""
    writing = parser.add_argument_group("what the plan takes for granted: writing")
    writing.add_argument(
        "--beam", metavar="CURRENT",
        help='e.g. "26 pA", "0.26 nA" (default: the fastest that resolves the pitch; a finer one '
        "for two bits a module)",
    )  # fmt: skip
    writing.add_argument(
        "--column", metavar="NAME|FILE", help="whose beams; a name, or a column's file (.json)"
    )
    writing.add_argument("--materials", type=Path, metavar="FILE", help="your materials (.json)")
    writing.add_argument(
        "--volume-per-dose", type=float, metavar="UM3_PER_NC", help="calibrated for your film"
    )
    writing.add_argument(
        "--dose-spread", type=float, metavar="SHARE",
        help="by which doses of modules differ: beam, clock and film (0.01)",
    )  # fmt: skip
    writing.add_argument(
        "--beams", type=int, default=1, metavar="N", help="that write at the same time (default 1)"
    )
    writing.add_argument(
        "--settling", type=float, metavar="US", help="of the beam after a jump (default: as the "
        "column's file says)",
    )  # fmt: skip
    writing.add_argument(
        "--blanking", type=float, metavar="US", help="for a jump (default: as the column's file "
        "says)",
    )  # fmt: skip
    writing.add_argument("--stage-move", type=float, metavar="S", help="to the next field (1)")
    writing.add_argument("--write-power", type=float, metavar="W", help="of the FIB (3000)")
    reading = parser.add_argument_group("what the plan takes for granted: reading and keeping")
    reading.add_argument("--px-per-module", type=float, metavar="N", help="pixels along one (4)")
    reading.add_argument("--read-dwell", type=float, metavar="US", help="for each pixel (0.1)")
    reading.add_argument("--read-beams", type=int, metavar="N", help="at the same time (1)")
    reading.add_argument("--read-power", type=float, metavar="W", help="of the SEM (2000)")
    reading.add_argument("--years", type=float, metavar="N", help="that it is kept (100)")


def needs_from(options: argparse.Namespace, settings: ArchiveSettings) -> ArchiveNeeds:
    """Return the needs of the options of a parser with :func:`add_needs_options`."""
    from napari_nanoqr.archive.needs import ArchiveNeeds, usual_beam
    from napari_nanoqr.cli.plan_options import named_column
    from napari_nanoqr.fib.columns import find_beam
    from napari_nanoqr.fib.materials import load_materials

    if options.materials is not None:
        load_materials(options.materials)
    column = named_column(options.column)
    beam = None
    if options.beam is not None:
        beam = find_beam(options.beam, column)
    elif column is not None:
        beam = usual_beam(settings.pitch_nm, settings.bits_per_module, column)
    given = {
        "beam": beam, "beams": options.beams,
        "volume_per_dose_um3_per_nc": options.volume_per_dose,
        "dose_spread": options.dose_spread,
        "settling_us": options.settling, "blanking_us": options.blanking,
        "stage_move_s": options.stage_move, "write_power_w": options.write_power,
        "read_power_w": options.read_power, "px_per_module": options.px_per_module,
        "read_dwell_us": options.read_dwell, "read_beams": options.read_beams,
        "years": options.years,
    }  # fmt: skip
    return ArchiveNeeds(**{name: value for name, value in given.items() if value is not None})
