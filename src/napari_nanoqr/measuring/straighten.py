"""Take the distortion of the scan out of a micrograph, by a code that is read in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.progress import Progress, go_on
from napari_nanoqr.reading.grid import Grid, Points, polynomials
from napari_nanoqr.reading.image import Source, open_source
from napari_nanoqr.reading.model import fit_to_symbol
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.restore.provenance import restored
from napari_nanoqr.sem.restore.warp import warped

_BEYOND = 4.0
"""Modules beside the symbol up to which a bend goes on; further out it stays as it is there."""


def straighten(
    micrograph: Micrograph,
    readings: Sequence[Reading] | None = None,
    *,
    pitch_nm: float | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Micrograph:
    """Resample a micrograph so that the modules of a code in it lie on a square grid.

    A code is a grating whose every module is known once it is read: where its modules are not
    where they should be, the scan was distorted, by drift, tilt, a bent field or wrong angles.

    Parameters
    ----------
    micrograph : Micrograph
        One image.
    readings : sequence of Reading, optional
        Codes that were read from it; by default they are read here. The largest one counts.
    pitch_nm : float, optional
        Distance of modules as designed; the pixel size is then calibrated by it.
    progress, cancelled : callable, optional
        As for `napari_nanoqr.read_codes`.

    Returns
    -------
    Micrograph
        Turned and moved as before, with square pixels, float32. Beyond the code the distortion
        is carried on.

    Raises
    ------
    ValueError
        Where it is a stack, or no code was read.
    Cancelled
        Where it was.
    """
    if micrograph.frames > 1:
        raise ValueError("This is a stack of frames: register them first, then straighten.")
    source = open_source(micrograph)
    if readings is None:
        readings = read_codes(micrograph, pitch_nm=pitch_nm, progress=progress, cancelled=cancelled)
    go_on(cancelled)
    known = [reading for reading in readings if written_in(reading) is not None]
    if not known:
        raise ValueError(
            "No code was read in this image: only a code that is read shows how the scan is "
            "distorted."
        )
    reading = max(known, key=lambda reading: _area(reading.corners_yx))
    image = source.frames[0].astype(np.float32)
    modules = written_in(reading)
    assert modules is not None
    grid = fit_to_symbol(image, Grid.from_corners(reading.corners_yx, modules.shape), modules)
    go_on(cancelled)
    square = _Square.of(grid, source)
    rows, columns = image.shape
    shape = max(1, round(rows * square.ratio)), columns
    result = warped(image, lambda pixels: square.seen(grid, pixels), shape)
    size = micrograph.pixel_size_nm
    pixel = None if size is None else size[1]
    if pitch_nm is not None:
        pixel = pitch_nm / square.pitch_px
    changed: dict[str, Any] = {}
    if source.tilt_deg:
        changed = {"tilt_correction": True, "tilt_correction_deg": source.tilt_deg}
    if square.ratio != 1:
        scans = micrograph.metadata.get("averaged") or 1.0
        changed["averaged"] = round(scans / square.ratio, 6)
    straight = restored(
        micrograph,
        result,
        "straightened",
        {"pitch_nm": pitch_nm},
        {
            "payload_hex": reading.payload.hex(),
            "distortion_px": round(square.distortion_px(grid), 3),
            "pitch_px": round(square.pitch_px, 4),
            "corners_yx": [[round(float(v), 3) for v in corner] for corner in grid.corners_yx],
        },
        pixel_size_nm=None if pixel is None else (pixel, pixel),
        **changed,
    )
    if pitch_nm is None:
        return straight
    return replace(straight, pixel_size_source=f"a code whose pitch is {pitch_nm:g} nm")


def written_in(reading: Reading) -> NDArray[np.bool_] | None:
    """Return the modules that a code was written with, None where they are not known."""
    if reading.matrix is None or reading.wrong is None:
        return None
    return np.asarray(reading.matrix ^ reading.wrong)


class _Square:
    """A square grid that lies, all in all, where a distorted one lies.

    Parameters
    ----------
    ratio : float
        By how much y is stretched first: pixels that are not square, and the tilt.
    turn : (2, 2) float array
        From modules to pixels: a rotation, or reflection, times the pitch.
    middle_modules, middle_px : (2,) float arrays
        What lies on one another.
    """

    def __init__(
        self,
        ratio: float,
        turn: NDArray[np.float64],
        middle_modules: NDArray[np.float64],
        middle_px: NDArray[np.float64],
    ) -> None:
        self.ratio, self.turn = ratio, turn
        self.middle_modules, self.middle_px = middle_modules, middle_px

    @classmethod
    def of(cls, grid: Grid, source: Source) -> _Square:
        """Fit it by least squares."""
        ratio = 1 / float(np.cos(np.deg2rad(source.tilt_deg)))
        if source.pixel_size_nm is not None:
            ratio *= source.pixel_size_nm[0] / source.pixel_size_nm[1]
        modules = _lattice(grid.shape)
        pixels = _scaled_y(grid.to_pixels(modules), ratio)
        middle_modules, middle_px = modules.mean(axis=0), pixels.mean(axis=0)
        crossed = (pixels - middle_px).T @ (modules - middle_modules)
        # of all rotations, and reflections for mirrored codes, the one that fits best
        u, strength, v = np.linalg.svd(crossed)
        pitch = float(strength.sum() / ((modules - middle_modules) ** 2).sum())
        return cls(ratio, pitch * u @ v, middle_modules, middle_px)

    @property
    def pitch_px(self) -> float:
        """Side of a module in pixels of the result."""
        return float(np.sqrt(abs(np.linalg.det(self.turn))))

    def seen(self, grid: Grid, pixels: Points) -> Points:
        """Return which pixels of the distorted image belong to pixels of the result."""
        modules = (pixels - self.middle_px) @ np.linalg.inv(self.turn).T + self.middle_modules
        near = np.clip(modules, -_BEYOND, np.array(grid.shape) + _BEYOND)
        basis = polynomials(grid.scaled(near), grid.degree)
        return grid.to_pixels(modules, basis)

    def distortion_px(self, grid: Grid) -> float:
        """Return by how much a module is displaced at most, in pixels of the result."""
        modules = _lattice(grid.shape)
        straight = (modules - self.middle_modules) @ self.turn.T + self.middle_px
        apart = _scaled_y(grid.to_pixels(modules), self.ratio) - straight
        return float(np.hypot(apart[:, 0], apart[:, 1]).max())


def _lattice(shape: tuple[int, int]) -> Points:
    """Return the corners of all modules, ``(n, 2)``."""
    return np.indices((shape[0] + 1, shape[1] + 1), dtype=np.float64).reshape(2, -1).T


def _scaled_y(pixels: Points, ratio: float) -> Points:
    """Return pixels of an image that is stretched along y; pixel 0 begins at -0.5."""
    return np.stack(((pixels[:, 0] + 0.5) * ratio - 0.5, pixels[:, 1]), axis=-1)


def _area(corners_yx: NDArray[np.float64]) -> float:
    y, x = corners_yx.T
    return 0.5 * abs(float(y @ np.roll(x, 1) - x @ np.roll(y, 1)))
