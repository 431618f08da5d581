"""``nanoqr archive plan``: what an archive takes, from its size alone."""

from __future__ import annotations

import argparse
import json
import re
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from napari_nanoqr.cli.archive_options import (
    add_needs_options,
    add_settings_options,
    needs_from,
    settings_from,
)
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

DESCRIPTION = """\
Plan an archive of some size and write nothing: density, sheets, time, energy, reading. No data is
needed."""

EPILOG = """\
examples:
  nanoqr archive plan --size 2TB
  nanoqr archive plan --size 700MB --bits-per-pixel 2 --sheet 100x100
  nanoqr archive plan --size 2TB --tiles qr
  nanoqr archive plan --size 2TB --beams 10000 --read-beams 91 --json
"""

WIDTH = 96
UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}

FACTORS = {
    "marks_and_headers": "marks and headers",
    "inner_code": "code of the tiles",
    "checksums": "checksums in the tiles",
    "outer_code": "parity tiles",
    "gaps": "gaps between fields",
    "front_matter": "title, description, index",
    "packing": "bag, tar, last tile",
    "copies": "copies",
    "total": "all together",
}


QR_FACTORS = {
    "marks_and_headers": "patterns, quiet zones",
    "inner_code": "error correction",
    "checksums": "headers in the codes",
}
"""What these are where tiles are QR codes."""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "plan",
        help="sheets, density, time and energy of an archive, from its size",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--size", type=parse_size, required=True, metavar="SIZE", help="e.g. 2TB, 500 MB, 3GiB, 512"
    )
    parser.add_argument("--files", type=int, default=1, metavar="N", help="how many (default 1)")
    add_settings_options(parser)
    add_needs_options(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Plan, and show."""
    from napari_nanoqr.archive.plan import plan_archive

    settings = settings_from(options)
    needs = needs_from(options, settings)
    plan = plan_archive(options.size, settings, needs, file_count=options.files)
    print(json.dumps(plan.to_dict()) if options.json else table(plan))
    return 0


def parse_size(word: str) -> int:
    """Return bytes as people write them: ``2TB``, ``1.5 GiB``, ``512``.

    Raises
    ------
    ArgumentTypeError
        Where it is no size.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([KMGTP]?)(i?)B?\s*", word, re.IGNORECASE)
    if not found or (found[3] and not found[2]):
        raise argparse.ArgumentTypeError(f"{word!r} is no size: write 2TB, 500 MB or 3GiB")
    base: int = 1024 if found[3] else 1000
    return round(float(found[1]) * float(base ** UNITS[found[2].upper()]))


def table(plan: ArchivePlan) -> str:
    """Return a plan as lines for people."""
    from napari_nanoqr.archive.layout import RATES

    values = plan.to_dict()
    settings, writing = plan.settings, values["writing"]
    height, width = settings.sheet_mm
    side_um = settings.field_modules * settings.pitch_nm / 1000
    density, shares = values["density"], values["efficiency"]
    rows = [
        ("to store", f"{in_bytes(plan.user_bytes)} in {counted(plan.file_count, 'file')}"),
        ("sheets", f"{plan.sheets.sheets:,} of {width:g} x {height:g} mm, "
                   f"{in_area(plan.area_mm2)} written ({in_percent(_used(plan))} of "
                   f"{'it' if plan.sheets.sheets == 1 else 'them'})"),
        ("fields", f"{values['fields']:,} of {side_um:.1f} um, "
                   f"{settings.field_modules} x {settings.field_modules} modules of "
                   f"{settings.pitch_nm:g} nm, {settings.bits_per_module} bit"
                   f"{'s' * (settings.bits_per_module > 1)} each"),
        ("tiles", f"{values['data_tiles']:,} of data, {values['parity_tiles']:,} of parity: "
                  f"{counted(values['groups'], 'group')} of {values['group_data']} + "
                  f"{values['group_parity']}"),
        ("survives", f"{100 * values['group_parity'] / _group(values):.1f} % of the tiles lost in "
                     f"one piece; with {100 * settings.tile_loss:g} % lost at random a group "
                     f"fails with less than {settings.failure:g}"),
        ("files", f"{in_bytes(values['pattern_bytes'])} of {settings.suffix} pattern files"),
    ]  # fmt: skip
    lines = _rows(rows)
    lines += [line for text in values["warnings"] for line in ["", *wrap(f"WARNING {text}", WIDTH)]]
    lines += ["", "DENSITY" + " " * 22 + "bit/um^2   TB on a side of A4"]
    for key, name in (
        ("raw", "modules alone"), ("full", "net, full sheets"), ("net", "net, this archive"),
    ):  # fmt: skip
        bits, tb = density[f"{key}_bit_per_um2"], density[f"{key}_tb_per_a4"]
        lines.append(f"  {name:<24}{bits:>11.1f}{tb:>21.3f}")
    lines += ["", "EFFICIENCY"]
    names = FACTORS if settings.rate in RATES else FACTORS | QR_FACTORS
    lines += [
        f"  {name:<28}{shares[key]:>8.4f}"
        for key, name in names.items()
        if key != "copies" or shares[key] < 1
    ]
    lines += ["", "WRITING"]
    jumps = "not counted: give --settling and --blanking"
    if writing["settling_us"] is not None or writing["blanking_us"] is not None:
        jumps = in_time(writing["jumps_s"])
    lines += _rows([
        ("beam", f"{writing['beam']}, {counted(writing['beams'], 'beam')} at once"
                 + ("" if writing["resolves_pitch"] else ", TOO WIDE for the pitch")),
        ("beam on", f"{in_time(writing['beam_on_s'])} "
                    f"({writing['dose_nc_per_um2']:.3g} nC/um^2, "
                    f"{100 * writing['milled_share']:.0f} % of the area)"),
        ("jumps", jumps),
        ("stage", in_time(writing["stage_s"])),
        ("total", in_time(writing["total_s"])),
    ])  # fmt: skip
    lines += _rows([
        ("others", "; ".join(
            f"{each['beam'].partition(' (')[0]} {in_time(each['total_s'])}"
            for each in writing["other_beams"] if each["resolves_pitch"]
        )),
    ])  # fmt: skip
    if settings.bits_per_module > 1:
        lines += _rows([("doses", _doses(writing))])
    lines += ["", "READING, all of it once"]
    reading = values["reading"]
    lines += _rows([
        ("pixels", f"{reading['pixels']:.3g}, {reading['px_per_module']:g} along a module, "
                   f"{reading['dwell_us']:g} us each, {counted(reading['beams'], 'beam')} at once"),
        ("total", f"{in_time(reading['total_s'])} (beam {in_time(reading['beam_s'])}, stage "
                  f"{in_time(reading['stage_s'])})"),
    ])  # fmt: skip
    if reading["electrons_needed"]:
        lines += _rows([
            ("electrons", f"at least {reading['electrons_needed']:,} a pixel, by prediction, for "
                          f"a signal from {settings.escape_nm:g} nm of film"),
        ])  # fmt: skip
    lines += ["", *_energy(values["energy"])]
    lines += ["", "TAKEN FOR GRANTED (? is uncertain)"]
    for figure in values["figures"]:
        text = f"{figure['name']}: {figure['value']:.4g} {figure['unit']}".rstrip()
        mark = " " if figure["certain"] else "?"
        lines += wrap(
            f"{text} - {figure['source']}",
            WIDTH,
            initial_indent=f"{mark} ",
            subsequent_indent="    ",
        )
    return "\n".join(lines)


def _energy(energy: dict[str, float]) -> list[str]:
    written, read = energy["write_j_per_bit"], energy["read_j_per_bit"]
    years = f"{energy['years']:g} years"
    lines = ["ENERGY" + " " * 36 + "J/bit"]
    for name, value in (
        ("writing once (of it the ions: {:.2g})".format(energy["film_j_per_bit"]), written),
        (f"keeping for {years}", 0.0),
        ("reading all of it once", read),
        (f"a hard disk that idles for {years}", energy["disk_j_per_bit"]),
        (f"tapes in a shelf for {years}", energy["tape_j_per_bit"]),
    ):
        lines.append(f"  {name:<40}{value:>9.3g}")
    per_year = energy["disk_j_per_bit"] / energy["years"] if energy["years"] else 0.0
    if per_year:
        lines += wrap(
            f"Writing takes as much as a disk that idles for {in_digits(written / per_year)} "
            "years. More beams at once lower it in proportion.",
            WIDTH, initial_indent="  ", subsequent_indent="  ",
        )  # fmt: skip
    return lines


def _rows(rows: list[tuple[str, str]]) -> list[str]:
    return [
        line
        for name, value in rows
        for line in wrap(value, WIDTH, initial_indent=f"  {name:<10}", subsequent_indent=" " * 12)
    ]


def _doses(writing: dict[str, Any]) -> str:
    milled = ", ".join(f"{share:.3f}" for share in writing["doses"][1:])
    return (
        f"{milled} of the full one, which is to be {writing['dose_nc_per_um2']:.3g} nC/um^2; "
        f"modules may differ by {100 * writing['dose_spread']:g} %"
    )


def _group(values: dict[str, Any]) -> int:
    return int(values["group_data"]) + int(values["group_parity"])


def _used(plan: ArchivePlan) -> float:
    return plan.area_mm2 / (plan.settings.area_mm2 * plan.sheets.sheets)
