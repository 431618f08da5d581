"""What the SEM sees of a milled film: contrast, probe, shot noise, detector."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.physics.blur import blur
from napari_nanoqr.physics.milling import FilmState
from napari_nanoqr.physics.view import View
from napari_nanoqr.sem.electrons import ELECTRONS_PER_PA_US
from napari_nanoqr.sem.micrograph import Micrograph

BEAM_CURRENT_PA = 50.0
LANDING_ENERGY_EV = 5000.0

LEAST_COSINE = float(np.cos(np.deg2rad(75.0)))
"""The yield rises as 1/cos up to about 75 degrees."""


@dataclass(frozen=True)
class SemModel:
    """What the signal depends on. All values are free parameters with usual defaults.

    Parameters
    ----------
    film_yield, floor_yield : float
        Relative yields of the intact film and of the bare substrate. The contrast of CrN to
        glass is not published; either can be the brighter one.
    escape_nm : float
        Thickness of film over which the signal changes from floor to film, 1/e.
    tilt_exponent : float
        n of the yield 1/cos(angle)^n.
    topography : float
        Share of the signal that follows the slope of the surface itself, 0 to 1. The film is
        far thinner than the range of the electrons, so most of the signal comes from a
        wider region; the stage's tilt acts on all of it.
    edge, edge_nm : float
        Extra signal of upper edges relative to the film, and how wide they glow.
    detected : float
        Detected electrons per primary at a yield of 1; 0.03 to 0.1 for chamber detectors.
    read_noise_electrons : float
        Standard deviation of the detector's own noise, in detected electrons.
    bits : int
        8 or 16 bits of grey.

    Raises
    ------
    ValueError
        Where a value is out of range.
    """

    film_yield: float = 1.0
    floor_yield: float = 0.45
    escape_nm: float = 2.0
    tilt_exponent: float = 1.0
    topography: float = 0.2
    edge: float = 0.1
    edge_nm: float = 6.0
    detected: float = 0.1
    read_noise_electrons: float = 0.5
    bits: int = 8

    def __post_init__(self) -> None:
        positive = (self.film_yield, self.floor_yield, self.escape_nm, self.edge_nm, self.detected)
        if min(positive) <= 0 or min(self.tilt_exponent, self.edge) < 0:
            raise ValueError("Yields, widths and the detected share are positive numbers.")
        if not 0 <= self.topography <= 1:
            raise ValueError("The share of the signal that follows slopes is from 0 to 1.")
        if self.read_noise_electrons < 0 or self.bits not in (8, 16):
            raise ValueError("Noise is not negative, and images have 8 or 16 bits.")


def image_film(
    state: FilmState,
    view: View,
    *,
    electrons_per_pixel: float = 3000.0,
    probe_nm: float = 2.0,
    model: SemModel | None = None,
    seed: int | None = None,
) -> Micrograph:
    """Predict the micrograph of a milled film.

    Parameters
    ----------
    state : FilmState
        The film; beyond its grid it is taken to go on as at the border.
    view : View
        Pixels, rotation, tilt, drift, frames.
    electrons_per_pixel : float
        Primary electrons for each pixel of each frame.
    probe_nm : float
        Standard deviation of the probe, a Gaussian; 1 to 3 nm for a field emitter.
    model : SemModel, optional
        Yields and detector.
    seed : int, optional
        For the same noise again.

    Returns
    -------
    Micrograph
        ``(y, x)``, or ``(frame, y, x)`` for several frames, uint8 or uint16, stretched as an
        operator would; the pixel size is that of the scan, no tilt correction applied.

    Raises
    ------
    ValueError
        Where a value is out of range.
    """
    model = model or SemModel()
    rng = np.random.default_rng(seed)
    mean = expected_electrons(
        state, view, electrons_per_pixel=electrons_per_pixel, probe_nm=probe_nm, model=model
    )
    frames = []
    levels: tuple[float, float] | None = None
    for expected in mean:
        levels = levels or _stretch(expected, model.read_noise_electrons)
        frames.append(detect(expected, levels, model, rng))
    image = frames[0] if view.frames == 1 else np.stack(frames)
    return Micrograph(
        image,
        (view.pixel_size_nm, view.pixel_size_nm),
        "simulated",
        _metadata(view, electrons_per_pixel, probe_nm),
    )


def expected_electrons(
    state: FilmState,
    view: View,
    *,
    electrons_per_pixel: float = 3000.0,
    probe_nm: float = 2.0,
    model: SemModel | None = None,
) -> Iterator[NDArray[np.float64]]:
    """Yield the mean number of detected electrons of each pixel, frame by frame.

    Parameters
    ----------
    state, view, electrons_per_pixel, probe_nm, model
        As for `image_film`.

    Yields
    ------
    (rows, columns) float64 array
        What the shot noise of the frame is counted from.

    Raises
    ------
    ValueError
        Where a value is out of range.
    """
    if not 0 < electrons_per_pixel < 1e9 or not 0 <= probe_nm < 1e4:
        raise ValueError("Electrons per pixel are positive, and a probe has a width in nm.")
    model = model or SemModel()
    signal = emission(state, view, model)
    if probe_nm:
        probe = [(1.0, _footprint(view, probe_nm))]
        signal = blur(signal, state.grid.cell_nm, probe, surroundings="edge")
    for frame in range(view.frames):
        seen = view.faults.charge(_sample(signal, state, view, frame), view.pixel_size_nm)
        yield electrons_per_pixel * model.detected * seen


def emission(state: FilmState, view: View, model: SemModel) -> NDArray[np.float64]:
    """Return the relative signal of each cell of a film, before the probe.

    Parameters
    ----------
    state : FilmState
        The film.
    view : View
        From where the beam comes.
    model : SemModel
        Yields.

    Returns
    -------
    (rows, columns) float64 array
        Material, angle of incidence and glowing edges together.
    """
    from scipy.ndimage import gaussian_filter

    cover = -np.expm1(-state.remaining_nm / model.escape_nm)
    cover /= -np.expm1(-state.film.thickness_nm / model.escape_nm)
    if state.spread_nm:
        spread = state.spread_nm / state.grid.cell_nm
        cover = gaussian_filter(cover, spread, mode="nearest")
        relief = gaussian_filter(state.depth_nm, spread, mode="nearest")
        state = replace(state, depth_nm=relief)
    film_yield = model.film_yield * (1.0 if state.film_gain is None else state.film_gain)
    material = model.floor_yield + state.contrast * (film_yield - model.floor_yield) * cover
    if state.covered is not None:
        material = np.where(np.isnan(state.covered), material, model.film_yield * state.covered)
    # a point glows by how much lower its surroundings lie
    lower = gaussian_filter(state.depth_nm, model.edge_nm / state.grid.cell_nm, mode="nearest")
    edge = np.maximum(lower - state.depth_nm, 0.0) / state.film.thickness_nm
    return np.asarray(
        material * _tilt_gain(state, view, model) + model.film_yield * model.edge * edge
    )


def _tilt_gain(state: FilmState, view: View, model: SemModel) -> NDArray[np.float64]:
    """1/cos^n of the angle of incidence: of the tilt in full, of the slope in part."""
    down, right = np.gradient(-state.depth_nm, state.grid.cell_nm)
    turn, tilt = np.deg2rad(view.rotation_deg), np.deg2rad(view.tilt_deg)
    # slope along the image's y, which is the direction of the tilt
    along = np.cos(turn) * down - np.sin(turn) * right
    cosine = (np.cos(tilt) - np.sin(tilt) * along) / np.sqrt(1 + down**2 + right**2)
    plane = max(np.cos(tilt), LEAST_COSINE) ** -model.tilt_exponent
    slope = np.maximum(cosine, LEAST_COSINE) ** -model.tilt_exponent
    return np.asarray(plane + model.topography * (slope - plane))


def _footprint(view: View, probe_nm: float) -> NDArray[np.float64]:
    """Covariance on the specimen of a probe that is round across the beam, ``(2, 2)``."""
    inverse = np.linalg.inv(view.matrix)
    return np.asarray(probe_nm**2 * inverse @ inverse.T)


def detect(
    expected: NDArray[np.float64],
    levels: tuple[float, float],
    model: SemModel,
    rng: np.random.Generator,
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Count electrons and turn them into grey values.

    Parameters
    ----------
    expected : float64 array
        Mean number of detected electrons of each pixel.
    levels : tuple of float
        Electrons that become black and white.
    model : SemModel
        Read noise and bits.
    rng : numpy.random.Generator
        Source of the noise.

    Returns
    -------
    uint8 or uint16 array
        Grey values, of the same shape: Poisson noise, read noise, gain, clipping.
    """
    counted = rng.poisson(expected).astype(np.float64)
    counted += rng.normal(0.0, model.read_noise_electrons, expected.shape)
    white = 2**model.bits - 1
    grey = np.rint((counted - levels[0]) / (levels[1] - levels[0]) * white)
    grey = np.clip(grey, 0, white)
    if model.bits == 8:
        return np.asarray(grey, dtype=np.uint8)
    return np.asarray(grey, dtype=np.uint16)


def _sample(
    signal: NDArray[np.float64], state: FilmState, view: View, frame: int
) -> NDArray[np.float64]:
    """Signal where each pixel looks."""
    from scipy.ndimage import map_coordinates

    x, y = view.to_specimen(frame)
    grid = state.grid
    where = ((y - grid.top_nm) / grid.cell_nm - 0.5, (x - grid.left_nm) / grid.cell_nm - 0.5)
    return np.asarray(map_coordinates(signal, where, order=1, mode="nearest"), dtype=np.float64)


def _stretch(expected: NDArray[np.float64], read_noise: float) -> tuple[float, float]:
    """Electrons for black and white: the range of the signal and most of its noise."""
    low, high = np.quantile(expected, (0.005, 0.995))
    black = low - 2.5 * np.sqrt(low + read_noise**2)
    white = high + 2.5 * np.sqrt(high + read_noise**2)
    return float(black), float(white)


def _metadata(view: View, electrons: float, probe_nm: float) -> dict[str, Any]:
    """Say how such an image would have been taken."""
    dwell_us = electrons / (ELECTRONS_PER_PA_US * BEAM_CURRENT_PA)
    return {
        "vendor": "simulated",
        "tilt_deg": view.tilt_deg,
        "dwell_s": dwell_us * 1e-6,
        "beam_current_a": BEAM_CURRENT_PA * 1e-12,
        "landing_energy_ev": LANDING_ENERGY_EV,
        "detector": "simulated chamber detector",
        "electrons_per_pixel": electrons,
        "probe_nm": probe_nm,
        "rotation_deg": view.rotation_deg,
    }
