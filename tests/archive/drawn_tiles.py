"""Draw micrographs of tiles, quicker and simpler than the simulator: for tests and benchmarks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.layout import SIDE, known_modules
from napari_nanoqr.codes.compiled import compiled

REACH = 3
"""Modules on either side whose light reaches a point."""


@dataclass(frozen=True)
class Pose:
    """How a micrograph shows the modules.

    Lengths are in pixels of the image or in modules, as their names say.
    """

    pitch_px: float = 4.0
    rotation_deg: float = 0.0
    tilt_deg: float = 0.0
    mirrored: bool = False
    dark: bool = True
    blur_modules: float = 0.35
    noise: float = 0.0
    drift_modules: float = 0.0
    jitter_px: float = 0.0
    charging: float = 0.0
    shape: tuple[int, int] = (4296, 4296)
    centre: tuple[float, float] = (0.0, 0.0)
    seed: int = 0
    extra: dict[str, float] = field(default_factory=dict)


def matrix_of(pose: Pose) -> NDArray[np.float64]:
    """Return pixels (y, x) a module (row, column)."""
    turn = math.radians(pose.rotation_deg)
    c, s = math.cos(turn), math.sin(turn)
    matrix = pose.pitch_px * np.array([[c, s], [-s, c]])
    if pose.mirrored:
        matrix[:, 1] *= -1
    matrix[0] *= math.cos(math.radians(pose.tilt_deg))
    return matrix


def drift_of(pose: Pose) -> NDArray[np.float64]:
    """Return (rows, 2) pixels (y, x) by which each row of the image is displaced."""
    rng = np.random.default_rng(pose.seed + 77)
    t = np.linspace(0, 1, pose.shape[0])
    drift = np.zeros((pose.shape[0], 2))
    for axis in range(2):
        a, b, phase = rng.uniform(-1, 1, 3)
        wave = a * t + b * np.sin(2 * np.pi * (t * rng.uniform(0.5, 1.5) + phase))
        wave -= wave.mean()
        drift[:, axis] = wave / max(np.abs(wave).max(), 1e-9) * pose.drift_modules * pose.pitch_px
    drift[:, 1] += rng.normal(0, 1, pose.shape[0]) * pose.jitter_px
    return drift


@compiled
def _draw(
    levels: NDArray[np.float32],
    inverse: NDArray[np.float64],
    offset: NDArray[np.float64],
    drift: NDArray[np.float64],
    table: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    rows, columns = levels.shape
    fine = table.shape[0]
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            py, px = y - drift[y, 0], x - drift[y, 1]
            u = inverse[0, 0] * py + inverse[0, 1] * px + offset[0]
            v = inverse[1, 0] * py + inverse[1, 1] * px + offset[1]
            if u < -3 or v < -3 or u > rows + 2 or v > columns + 2:
                continue
            i, j = int(np.floor(u)), int(np.floor(v))
            wu = table[int((u - i) * fine)]
            wv = table[int((v - j) * fine)]
            total = np.float32(0)
            for a in range(-REACH, REACH + 1):
                if 0 <= i + a < rows:
                    for b in range(-REACH, REACH + 1):
                        if 0 <= j + b < columns:
                            total += wu[a + REACH] * wv[b + REACH] * levels[i + a, j + b]
            out[y, x] += total


def _profile(blur: float) -> NDArray[np.float32]:
    """Return the share of each module at a point, by the place of the point in its module."""
    erf = np.vectorize(math.erf)
    place = (np.arange(64) + 0.5)[:, None] / 64 - np.arange(-REACH, REACH + 1)
    scale = max(blur, 1e-3) * math.sqrt(2)
    return (0.5 * (erf(place / scale) - erf((place - 1) / scale))).astype(np.float32)


def place_of(pose: Pose, modules: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return pixels (y, x) of places (row, column) in modules from the middle, without jitter."""
    middle = (np.array(pose.shape) - 1) / 2 + np.array(pose.centre)
    pixels = modules @ matrix_of(pose).T + middle
    drift = drift_of(Pose(**{**pose.__dict__, "jitter_px": 0.0}))
    for _ in range(3):
        row = np.clip(pixels[..., 0].round().astype(int), 0, pose.shape[0] - 1)
        pixels = modules @ matrix_of(pose).T + middle + drift[row]
    return pixels


def clean(
    planes: list[tuple[NDArray[np.float32], tuple[float, float], float]], pose: Pose
) -> NDArray[np.float32]:
    """Return how deep each pixel is milled, 0 to 1.

    Parameters
    ----------
    planes : list of (depths, place, turn)
        Depths (0 to 1) of the modules of each field of view; where its middle lies, in modules
        (row, column) from the middle of the image; how it is turned, in degrees.
    pose : Pose
        How the image shows them.
    """
    drift, table = drift_of(pose), _profile(pose.blur_modules)
    out = np.zeros(pose.shape, np.float32)
    middle = (np.array(pose.shape) - 1) / 2 + np.array(pose.centre)
    inverse = np.linalg.inv(matrix_of(pose))
    for depths, place, turn in planes:
        c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        own = np.array([[c, s], [-s, c]]) @ inverse
        offset = -own @ middle - np.array([[c, s], [-s, c]]) @ place + np.array(depths.shape) / 2
        _draw(depths.astype(np.float32), own, offset, drift, table, out)
    return out


def micrograph(depth: NDArray[np.float32], pose: Pose) -> NDArray[np.uint8]:
    """Return an 8-bit image of what is milled, with noise and charging."""
    rng = np.random.default_rng(pose.seed + 5)
    signal = (0.5 - depth if pose.dark else depth - 0.5).astype(np.float32)
    if pose.noise:
        signal += np.float32(pose.noise) * rng.standard_normal(depth.shape, np.float32)
    if pose.charging:
        y, x = np.meshgrid(*(np.linspace(0, 1, n, dtype=np.float32) for n in depth.shape),
                           indexing="ij")  # fmt: skip
        a, b, c, d = rng.uniform(0, 2 * np.pi, 4)
        slow = np.sin(5 * y + a) * np.cos(4 * x + b)
        signal *= 1 + pose.charging * np.sin(6 * x + c).astype(np.float32) * np.cos(3 * y + d)
        signal += np.float32(pose.charging) * slow
        signal += (pose.charging * 0.2) * rng.standard_normal((depth.shape[0], 1), np.float32)
    spread = 0.5 + 3 * pose.noise + 1.5 * pose.charging
    return np.clip(np.rint(128 + signal * (120 / spread)), 0, 255).astype(np.uint8)


def random_tile(rng: np.random.Generator, depth: int = 1) -> NDArray[np.uint8]:
    """Return the levels of a tile with the right marks and random data, without a header."""
    known, bits = known_modules()
    levels = rng.integers(0, depth + 1, (SIDE, SIDE), dtype=np.uint8)
    return np.where(known, bits * np.uint8(depth), levels)


def field_of(tiles: list[list[NDArray[np.uint8]]]) -> NDArray[np.float32]:
    """Return the depths, 0 to 1, of tiles side by side; the levels are evenly apart."""
    whole = np.block(tiles)
    return (whole / np.float32(max(int(whole.max()), 1))).astype(np.float32)
