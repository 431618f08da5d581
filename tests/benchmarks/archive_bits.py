"""Measure what two bits a module cost: electrons, dose, and how steady doses have to be.

Usage: ``OMP_NUM_THREADS=1 python tests/benchmarks/archive_bits.py [--fields N] [--spreads]``.

A Markdown table of one bit and two, for two ion beams and two escape depths: the least number of
electrons a pixel, to 5 %, with which every codeword of all tiles (four a field) is read from
simulated micrographs of 4 pixels a module and rate 4/5; what is foretold; the mean dose of a
module and of a bit, in units of that which just mills through; and the time of the beam for a bit
beside that of one bit with the same beam. With ``--spreads`` a second one: the share of codewords
that is read where each module is off by a share of its dose at random, or all of an image are.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.electrons import electrons_needed
from napari_nanoqr.archive.header import Role, TileHeader
from napari_nanoqr.archive.needs import ArchiveNeeds
from napari_nanoqr.archive.seeing import see_tiles
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.archive.simulate import Imaging, SheetMicrographs
from napari_nanoqr.archive.simulation.micrograph import Specimen
from napari_nanoqr.archive.simulation.sheet import FieldPlace, Sheet
from napari_nanoqr.archive.tile import decode_tiles, encode_tile
from napari_nanoqr.fib.columns import find_beam
from napari_nanoqr.physics.sem import SemModel

PITCH = 49.0
STEP = 1.05
"""Between numbers of electrons that are told apart."""


def field(number: int, bits: int) -> NDArray[np.uint8]:
    """Return the levels of 2 x 2 tiles of random bytes."""
    rng = np.random.default_rng([number, bits])
    drawn = []
    for tile in range(4):
        header = TileHeader(Role.DATA, rng.bytes(8), bits=bits, tile=tile, tiles=4)
        drawn.append(encode_tile(header, rng.bytes(header.capacity)))
    return np.block([drawn[:2], drawn[2:]])


def share_read(specimen: Specimen, electrons: float, fields: int) -> float:
    """Return the share of codewords that is read."""
    written = [field(number, specimen.bits) for number in range(fields)]
    places = [FieldPlace(0, n, 0.0, n * 1028 * PITCH, 1024, 1024) for n in range(fields)]
    sheet = Sheet(places, lambda place: written[place.number], PITCH)
    series = SheetMicrographs(sheet, specimen, Imaging(electrons_per_pixel=electrons))
    good = 0
    for place in places:
        tiles = see_tiles(series.take(place).image, PITCH / 4, PITCH)
        tiles = [tile for tile in tiles if tile.header is not None]
        decoded = decode_tiles([tile.soft for tile in tiles], [tile.header for tile in tiles])
        good += sum(int(each.good.sum()) for each in decoded)
    return good / (100 * specimen.bits * fields)


def limit(specimen: Specimen, start: float, fields: int) -> float:
    """Return the least number of electrons with which all codewords are read."""
    low, high = start / 2, start
    while share_read(specimen, high, fields) < 1:
        low, high = high, 1.5 * high
        if high > 1e5:
            return float("nan")
    while high / low > STEP:
        middle = (low * high) ** 0.5
        if share_read(specimen, middle, fields) < 1:
            low = middle
        else:
            high = middle
    return high


def costs(fields: int) -> None:
    print("| bits | beam | escape | electrons | foretold | dose/module | dose/bit | time/bit |")
    print("|---|---|---|---|---|---|---|---|")
    for beam in ("26 pA", "90 pA"):
        per_bit = 1.0
        for bits, escape in ((1, 2.0), (2, 2.0), (2, 5.0)):
            ions, model = find_beam(beam), SemModel(escape_nm=escape)
            specimen = Specimen(bits, beam=ions, model=model)
            settings = ArchiveSettings(bits_per_module=bits, escape_nm=escape)
            foretold = electrons_needed(settings, ArchiveNeeds(beam=ions))
            found = limit(specimen, foretold or 3000, fields)
            levels = specimen.levels
            if bits == 1:
                per_bit = levels.dose_per_bit
            print(
                f"| {bits} | {beam} | {escape:g} nm | {found:.0f} | {foretold} | "
                f"{levels.dose.mean():.3f} | {levels.dose_per_bit:.3f} | "
                f"{levels.dose_per_bit / per_bit:.2f} |", flush=True,
            )  # fmt: skip


def spreads(fields: int, electrons: float) -> None:
    print(f"\n| escape | off by | each module | all of them (+) | (-), {electrons:g} electrons |")
    print("|---|---|---|---|---|")
    for escape in (2.0, 5.0):
        plain = Specimen(2, model=SemModel(escape_nm=escape))
        shares, full = plain.levels.shares, plain.levels.full_dose
        plain = replace(plain, shares=shares, over_etch=full)
        for off in (0.02, 0.04, 0.06, 0.08):
            read = [
                share_read(each, electrons, fields)
                for each in (
                    replace(plain, end_point_spread=off),
                    replace(plain, over_etch=full * (1 + off)),
                    replace(plain, over_etch=full * (1 - off)),
                )
            ]
            print(
                f"| {escape:g} nm | {off:.0%} | " + " | ".join(f"{each:.3f}" for each in read)
                + " |", flush=True,
            )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=2)
    parser.add_argument("--spreads", action="store_true")
    parser.add_argument("--electrons", type=float, default=1000.0)
    options = parser.parse_args()
    costs(options.fields)
    if options.spreads:
        spreads(options.fields, options.electrons)
