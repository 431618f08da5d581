"""Count how often symbols are read at the smallest pitch that is found for them.

Usage: ``python tests/benchmarks/smallest_pitch.py [--images N]``. Each line is a symbol that holds
a URL, with a beam and the way it is imaged: the pitch from which on 99 % of the images are
predicted to be read, what is predicted there, and how many predicted micrographs are read at this
pitch and at one nm less.
"""

from __future__ import annotations

import argparse

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.columns import find_beam
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.planning.choice import Choice
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.planning.pitch_sweep import PITCH_STEP_NM
from napari_nanoqr.planning.read_probability import count_reading
from napari_nanoqr.planning.smallest import smallest_symbols
from napari_nanoqr.symbols.encode import encode

URL = "https://www.tuwien.at"

CASES = (
    ("1 pA", 6.125, ("Micro QR M4-L", "QR 2-Q", "R11x43-M")),
    ("26 pA", 6.125, ("QR 1-L",)),
    ("1 pA", 3.0, ("QR 2-Q",)),
)
"""Beam, pixel size in nm, and symbols."""

ELECTRONS = 50.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=150)
    options = parser.parse_args()
    print("| symbol | beam | pixel, nm | pitch, nm | predicted | counted | one nm less |")
    print("|---" * 7 + "|", flush=True)
    for beam, pixel, names in CASES:
        sem = SemCondition(pixel_size_nm=pixel, electrons_per_pixel=ELECTRONS)
        choices = smallest_symbols(
            URL, "smallest", beam=find_beam(beam), sem=sem, allow_upper=True, most=None
        )
        for name in names:
            choice = next(choice for choice in choices if choice.name == name)
            counted = [
                share_read(choice, choice.pitch_nm - less, sem, options.images)
                for less in (0.0, PITCH_STEP_NM)
            ]
            cells = [name, beam, f"{pixel:g}", f"{choice.pitch_nm:g}",
                     f"{100 * choice.reading.probability:.1f} %",
                     *(f"{100 * share:.1f} %" for share in counted)]  # fmt: skip
            print(f"| {' | '.join(cells)} |", flush=True)


def share_read(choice: Choice, pitch_nm: float, sem: SemCondition, images: int) -> float:
    """Return the share of predicted micrographs of a symbol that are read."""
    symbol = encode(choice.payload, choice.error, choice.version)
    plan = plan_milling(Design(symbol, pitch_nm), choice.beam)
    return count_reading(plan, sem, images=images).probability


if __name__ == "__main__":
    main()
