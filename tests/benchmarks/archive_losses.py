"""Measure what an archive survives: missing tiles, a scratch, unreadable fields, and noise.

Usage: ``python tests/benchmarks/archive_losses.py [--bytes 1000000] [--px 4] [--seed 1]
[--tile-loss 0.15] [--no-noise]``. Random bytes are written by `write_archive`, imaged by
`simulate_archive` with 8 % of the tiles missing, a scratch of 2 um across the sheet and 1 % of the
fields (at least one) out of focus, and read again: once with the default settings and once planned
for the tile loss that is given. Then, on the undamaged sheet of an archive a tenth as large, the
electrons for each pixel are lowered step by step: for each step the share of wrong modules of all
tiles that were read, as their decoders found it, and how many tiles were lost. The files are
compared byte by byte.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from napari_nanoqr.archive.manifest import ArchiveManifest
from napari_nanoqr.archive.read import read_archive
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.archive.simulate import Imaging
from napari_nanoqr.archive.simulate_archive import simulate_archive
from napari_nanoqr.archive.state import ReadingState
from napari_nanoqr.archive.unpack import RECORDS
from napari_nanoqr.archive.write import write_archive

ELECTRONS = (1000.0, 120.0, 60.0, 40.0, 37.0, 35.0, 34.0, 33.0, 32.0, 30.0)


def written(folder: Path, size: int, settings: ArchiveSettings) -> ArchiveManifest:
    source = folder / "random.bin"
    if not source.exists():
        source.write_bytes(np.random.default_rng(0).bytes(size))
    name = f"archive-{settings.tile_loss:g}"
    return write_archive([source], folder / name, settings, jobs=2)


def is_same(folder: Path, out: Path) -> bool:
    found, source = out / "random.bin", folder / "random.bin"
    return found.is_file() and found.read_bytes() == source.read_bytes()


def losses(folder: Path, manifest: ArchiveManifest, imaging: Imaging) -> None:
    settings, groups = manifest.plan.settings, manifest.plan.groups
    images, out = folder / "images", folder / "out"
    fields = manifest.plan.all_fields
    damaged = Imaging(
        imaging.px_per_module, imaging.electrons_per_pixel, seed=imaging.seed,
        unreadable=max(0.01, 1 / fields),
    )  # fmt: skip
    begun = time.perf_counter()
    taken = simulate_archive(manifest, images, damaged, missing=0.08, scratches=1, jobs=2)
    took = time.perf_counter() - begun
    begun = time.perf_counter()
    reading = read_archive([images], out, pitch_nm=49.0)
    spent = time.perf_counter() - begun
    spare = min((each.spare for each in reading.groups), default=None)
    print(
        f"planned for {settings.tile_loss:.0%} of the tiles lost: {groups.groups} group of "
        f"{groups.data_count(0)} + {groups.parity}; {fields} fields, "
        f"{len(taken.missing)} tiles missing, {len(taken.unreadable)} field out of focus, 1 scratch"
    )
    print(
        f"  read: tiles {reading.states}, spare {spare}, files exact: {reading.exact}, "
        f"same bytes: {is_same(folder, out)} (images {took:.0f} s, reading {spent:.0f} s)",
        flush=True,
    )
    if not reading.exact:
        print(reading.to_text(), flush=True)
    _remove(images, out)


def noise(folder: Path, manifest: ArchiveManifest, imaging: Imaging) -> None:
    print("electrons a pixel   wrong modules   least margin   tiles read/lost   files exact")
    for electrons in ELECTRONS:
        images, out = folder / "images", folder / "out"
        simulate_archive(
            manifest, images, Imaging(imaging.px_per_module, electrons, seed=imaging.seed), jobs=2
        )
        reading = read_archive([images], out, pitch_nm=49.0)
        with ReadingState(out / RECORDS) as state:
            known = state.summary(bytes.fromhex(manifest.index.archive))
        rates = [rate for _, lost, _, rate in known if not lost]
        margins = [margin for _, lost, margin, _ in known if not lost]
        lost = sum(each.state == "missing" or each.lost > 0 for each in reading.tiles)
        print(
            f"{electrons:14.0f}   {np.mean(rates) if rates else np.nan:13.2%}   "
            f"{min(margins, default=np.nan):9.1f} dB   {len(rates):6} / {lost:<6}   "
            f"{is_same(folder, out)}",
            flush=True,
        )
        _remove(images, out)


def _remove(*folders: Path) -> None:
    import shutil

    for each in folders:
        shutil.rmtree(each, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=1_000_000)
    parser.add_argument("--px", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tile-loss", type=float, default=0.15)
    parser.add_argument("--no-noise", action="store_true")
    options = parser.parse_args()
    imaging = Imaging(options.px, seed=options.seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        default = written(folder, options.bytes, ArchiveSettings())
        losses(folder, default, imaging)
        strong = ArchiveSettings(tile_loss=options.tile_loss)
        losses(folder, written(folder, options.bytes, strong), imaging)
        if not options.no_noise:
            (folder / "random.bin").unlink()
            small = ArchiveSettings(tile_loss=0.005)
            noise(folder, written(folder, options.bytes // 10, small), imaging)


if __name__ == "__main__":
    main()
