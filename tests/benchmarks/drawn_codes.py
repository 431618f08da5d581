"""Micrographs of codes whose edges are drawn where they are told to be, to a nanometre and less."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from napari_nanoqr.sem.micrograph import Micrograph

CELL_NM = 1.0
REACH = 1 / 3
"""Modules to each side of an edge within which it may wander."""


def drawn_micrograph(
    modules: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    pitch_nm: int = 49,
    pixel_nm: float = 6.125,
    bias_yx_nm: tuple[float, float] = (0.0, 0.0),
    roughness_nm: float = 0.0,
    length_nm: float = 25.0,
    blur_nm: float = 5.0,
    electrons: tuple[float, float] = (300.0, 135.0),
    rotation_deg: float = 0.0,
    tilt_deg: float = 0.0,
) -> Micrograph:
    """Draw a symbol with its quiet zone, and take a picture of it.

    Parameters
    ----------
    modules : (rows, columns) bool array
        True = dark.
    rng : numpy.random.Generator
        For edges, noise and place.
    pitch_nm : int
        Side of a module.
    pixel_nm : float
        Pixel size.
    bias_yx_nm : tuple of float
        How far dark reaches beyond its edges between rows, and between columns.
    roughness_nm, length_nm : float
        Standard deviation of edges, and the distance after which they keep 1/e of it.
    blur_nm : float
        Standard deviation of the probe.
    electrons : tuple of float
        Detected ones in each pixel of light and dark areas.
    rotation_deg, tilt_deg : float
        Pose.
    """
    modules = np.pad(modules, 4)
    side = int(pitch_nm / CELL_NM)
    plain = modules.repeat(side, axis=0).repeat(side, axis=1)
    moved = plain.copy()
    for axis, bias in enumerate(bias_yx_nm):
        one = _wandering(np.moveaxis(modules, axis, 1), side, bias, roughness_nm, length_nm, rng)
        one = np.moveaxis(one, 1, axis)
        moved = (moved | (one & ~plain)) & ~(plain & ~one)
    surface = gaussian_filter(
        np.where(moved, electrons[1], electrons[0]).astype(np.float32), blur_nm / CELL_NM
    )
    turn, squeeze = np.deg2rad(rotation_deg), np.cos(np.deg2rad(tilt_deg))
    length = (max(modules.shape) - 3) * pitch_nm * (abs(np.cos(turn)) + abs(np.sin(turn)))
    rows, columns = int(length * squeeze / pixel_nm) + 2, int(length / pixel_nm) + 2
    y, x = np.indices((rows, columns), dtype=float)
    y = (y - rows / 2 + rng.uniform()) * pixel_nm / squeeze
    x = (x - columns / 2 + rng.uniform()) * pixel_nm
    right, down = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
    middle = np.array(plain.shape) / 2 - 0.5
    where = (down / CELL_NM + middle[0], right / CELL_NM + middle[1])
    counted = rng.poisson(map_coordinates(surface, where, order=1, mode="nearest"))
    image = np.clip(np.rint(counted * 180 / electrons[0]), 0, 255).astype(np.uint8)
    told = {"tilt_deg": tilt_deg, "dwell_s": 1e-5, "beam_current_a": 5e-11}
    return Micrograph(image, (pixel_nm, pixel_nm), "drawn", told)


def _wandering(
    modules: NDArray[np.bool_],
    side: int,
    bias_nm: float,
    sigma_nm: float,
    length_nm: float,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Draw modules with the edges between their columns displaced."""
    drawn = modules.repeat(side, axis=0).repeat(side, axis=1)
    reach = int(REACH * side)
    across = np.arange(-reach, reach)
    for edge in range(1, modules.shape[1]):
        step = modules[:, edge - 1].astype(int) - modules[:, edge]
        for sign in (1, -1):
            wander = bias_nm + sigma_nm * _exponential(len(drawn), CELL_NM / length_nm, rng)
            here = np.flatnonzero((step == sign).repeat(side))
            dark = (across + 0.5) * CELL_NM * sign < wander[here][:, None]
            drawn[here[:, None], edge * side + across] = dark
    return drawn


def _exponential(count: int, step: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a random walk of variance 1 whose correlation falls exponentially."""
    from scipy.signal import lfilter

    keeps = float(np.exp(-step))
    drive = np.sqrt(1 - keeps**2) * rng.normal(size=count)
    drive[0] = rng.normal()
    return np.asarray(lfilter([1.0], [1.0, -keeps], drive))
