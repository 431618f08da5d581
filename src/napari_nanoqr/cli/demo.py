"""``nanoqr demo``: the whole loop on the record's case."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

DESCRIPTION = """\
Run the whole loop on the case of the smallest QR code on record: 29 x 29 modules at 49 nm in
15 nm of chromium nitride on glass. Encode a URL, plan and export the milling, predict the
micrograph from the exported file, decode it, and compare. Then show it all in napari; without
a display napari runs on a virtual one and closes after its screenshot."""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "demo",
        help="the whole loop on the record's case, with all its files",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("nanoqr-demo"), metavar="DIR",
        help="folder for the files (default nanoqr-demo)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, help="of the micrograph's noise")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--no-viewer", action="store_true", help="leave napari out")
    shown.add_argument(
        "--close", action="store_true", help="close napari once its screenshot is taken"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the loop, write its files and say what came out."""
    from napari_nanoqr.cli.decode_result import DecodeResult
    from napari_nanoqr.cli.encode import summary as design_summary
    from napari_nanoqr.cli.export import summary as plan_summary
    from napari_nanoqr.cli.export import verdict
    from napari_nanoqr.design.pictures import save_design
    from napari_nanoqr.design.record import RECORD_PAYLOAD, record_design
    from napari_nanoqr.fib.pattern_files import read_pattern, write_pattern
    from napari_nanoqr.fib.plan import plan_milling
    from napari_nanoqr.physics.simulate import simulate_micrograph
    from napari_nanoqr.reading.read import read_codes
    from napari_nanoqr.sem.read import read_micrograph
    from napari_nanoqr.sem.write import write_micrograph

    folder: Path = options.output
    folder.mkdir(parents=True, exist_ok=True)
    design = record_design()
    design.save(folder / "record.json")
    save_design(design, folder / "record.png")
    print(f"ENCODE   {RECORD_PAYLOAD}\n{_indent(design_summary(design))}")

    plan = plan_milling(design)
    print(f"PLAN     {_indent(plan_summary(plan)).lstrip()}")
    for suffix in (".str", ".bmp", ".gds"):
        found = write_pattern(plan, folder / f"record{suffix}")
        print(f"EXPORT   record{suffix}: {verdict(found)}")

    pattern = read_pattern(folder / "record.str")
    predicted = simulate_micrograph(pattern, rotation_deg=7.0, seed=options.seed)
    write_micrograph(predicted, folder / "predicted.tif")
    print(
        f"PREDICT  predicted.tif: {predicted.image.shape[1]} x {predicted.image.shape[0]} px of "
        "6.125 nm, from the points of record.str"
    )
    micrograph = read_micrograph(folder / "predicted.tif")
    readings = read_codes(micrograph, margin=True)
    result = DecodeResult("predicted.tif", 6.125, micrograph.pixel_size_source, readings)
    from napari_nanoqr.files import write_text

    write_text(folder / "reading.json", json.dumps(result.to_dict(), indent=1) + "\n")
    good = [r.payload for r in readings] == [design.symbol.payload]
    for reading in readings:
        print(f"DECODE   {reading.text} (by {reading.reader}, pitch {reading.pitch_nm:.4g} nm)")
    if good:
        wrong = readings[0].wrong
        repaired = 0 if wrong is None else int(wrong.sum())
        print(f"COMPARE  the payload is exact; {repaired} modules had to be repaired")
    else:
        print("COMPARE  the payload did not come back", file=sys.stderr)
    if not options.no_viewer:
        _show(folder, options.close)
    print(f"Files    {folder.resolve()}")
    return 0 if good else 1


def _indent(text: str) -> str:
    return "\n".join(" " * 9 + line for line in text.splitlines())


def _show(folder: Path, close: bool) -> None:
    """Show the loop in napari, on a virtual display where there is no other.

    napari runs in a process of its own: a display that cannot be used ends that, not this.
    """
    command = [sys.executable, "-m", "napari_nanoqr.widgets.demo", str(folder)]
    if _has_display():
        print("VIEWER   napari shows the three widgets; close it to go on", flush=True)
        done = subprocess.run([*command, "--close"] if close else command, check=False)
        if done.returncode == 0:
            print("VIEWER   viewer.png: its screenshot")
            return
        print("VIEWER   this display cannot be used")
    virtual = shutil.which("xvfb-run")
    if virtual is None:
        print(
            "VIEWER   left out: there is no display, and xvfb-run is not installed "
            "(Debian, Ubuntu: apt-get install xvfb xauth)"
        )
        return
    done = subprocess.run(
        [virtual, "-a", "-s", "-screen 0 1600x1000x24", *command, "--close"],
        env=os.environ | {"QT_QPA_PLATFORM": "xcb"}, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        print(f"VIEWER   failed on a virtual display:\n{_indent(said)}", file=sys.stderr)
    else:
        print("VIEWER   viewer.png: napari with the three widgets, on a virtual display")


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
