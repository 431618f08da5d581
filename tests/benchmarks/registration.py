"""Measure how near to the truth the frames of a stack are registered.

Usage: ``python tests/benchmarks/registration.py [--cnr 1 0.3] [--pixels 5 8 12] [--seeds N]``.
Between the starts of frames the specimen walks in a random direction by up to ``--walk`` modules,
evenly, so that it drifts while each frame is scanned; ``--vibration`` adds that, in nm. Frames
are those of our simulator without noise; white noise is added, so that the contrast of light and
dark areas over the noise of a pixel is what is asked for.

In the output, a Markdown table, errors are root mean squares in pixels, of y and x each: of the
frames as a whole by comparing whole frames, and after refining; of each row, where the symbol is;
and what all frames have in common, which is part of that. ``moved`` is what rows differ by from
their frames.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from napari_nanoqr.design.record import record_design
from napari_nanoqr.physics.scan import ScanFaults
from napari_nanoqr.physics.sem import SemModel
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.physics.view import View
from napari_nanoqr.sem.restore.register import register_frames
from napari_nanoqr.sem.restore.rows import seen_from
from napari_nanoqr.sem.restore.shifts import frame_shifts


def drifting(
    seed: int, frames: int, pixels: float, cnr: float, walk: float, vibration_nm: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return frames and their true path, ``(frame, rows, 2)``."""
    design = record_design()
    pixel_nm = design.pitch_nm / pixels
    faults = ScanFaults(wander_nm=walk * design.pitch_nm, vibration_nm=vibration_nm, seed=seed)
    clean = simulate_micrograph(
        design, pixel_size_nm=pixel_nm, electrons_per_pixel=1e6, frames=frames, faults=faults,
        model=SemModel(read_noise_electrons=0, bits=16), rotation_deg=11.0 * seed, seed=seed,
    ).image.astype(np.float32)  # fmt: skip
    middle = np.percentile(clean[0], (1, 99)).mean()
    dark, light = (np.median(clean[0][side]) for side in (clean[0] < middle, clean[0] > middle))
    noise = np.random.default_rng(seed).standard_normal(clean.shape, np.float32)
    rows, columns = clean.shape[1:]
    view = View(pixel_nm, rows, columns, 0, 0, (0, 0), frames, faults)
    y, middle_x = np.arange(rows, dtype=float), np.full(rows, columns / 2)
    tracks = [
        (view._moved_nm(i, y, middle_x) + faults.shake(i, rows, y, np.full(rows, 0.5))).T
        for i in range(frames)
    ]
    tracks = np.array(tracks) / pixel_nm
    tracks -= tracks[0].mean(axis=0)
    path = np.stack([seen_from(track) for track in tracks])
    return clean + noise * np.float32((light - dark) / cnr), path


def rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))


def errors(frames: np.ndarray, path: np.ndarray) -> tuple[float, ...]:
    """Return the errors of a stack in pixels, and the seconds that it took."""
    rows = frames.shape[1]
    inner = slice(rows // 4, -rows // 4)
    whole = -frame_shifts(frames) - path[:, inner].mean(axis=1)
    start = time.perf_counter()
    found = register_frames(frames)
    seconds = time.perf_counter() - start
    apart = (found.path - path)[:, inner]
    apart -= apart.mean(axis=(0, 1))
    refined, common = apart.mean(axis=1), apart.mean(axis=0)
    moved = path[:, inner] - path[:, inner].mean(axis=1, keepdims=True)
    return (
        rms(whole - whole.mean(axis=0)), rms(refined - refined.mean(axis=0)), rms(moved),
        rms(apart), rms(common), seconds,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--cnr", type=float, nargs="+", default=[1.0])
    parser.add_argument("--pixels", type=float, nargs="+", default=[5.0, 8.0, 12.0])
    parser.add_argument("--walk", type=float, default=1.0, help="modules a frame, at most")
    parser.add_argument("--vibration", type=float, default=0.0, help="nm")
    parser.add_argument("--seeds", type=int, default=6)
    options = parser.parse_args()
    print("| px a module | CNR | whole | refined | worst | moved | rows | common | s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for pixels in options.pixels:
        for cnr in options.cnr:
            found = np.array([
                errors(*drifting(seed, options.frames, pixels, cnr, options.walk,
                                 options.vibration))
                for seed in range(options.seeds)
            ])  # fmt: skip
            whole, refined, moved, rows, common = np.sqrt((found[:, :5] ** 2).mean(axis=0))
            print(
                f"| {pixels:g} | {cnr:g} | {whole:.3f} | {refined:.3f} | {found[:, 1].max():.3f} | "
                f"{moved:.2f} | {rows:.3f} | {common:.3f} | {np.median(found[:, 5]):.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
