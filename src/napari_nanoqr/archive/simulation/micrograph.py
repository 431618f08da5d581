"""The micrograph of a field of view: levels to depths, depths to signal, signal to grey values."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.levels import ONE_BIT_DOSE, LevelSet, level_set, levels_of
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.columns import Beam, find_beam
from napari_nanoqr.physics.milling import BeamShape
from napari_nanoqr.physics.sem import SemModel
from napari_nanoqr.physics.view import View

FRACTIONS = 128
"""Places within a module for which the beam's shares of neighbouring modules are kept."""

DEPTHS = 2048
"""Depths for which the signal is kept, from the surface to twice the film's thickness."""

LATTICE = 64
"""Meshes along each side in which a bent field is taken as linear."""

OFFSET = 1 << 20
"""Added to the number of a row or column of a sheet, so that none is negative."""

LEAST_COUNT = 10.0
"""Detected electrons from which on three cumulants describe a Poisson distribution: the density
is off by less than 1 % within three standard deviations."""


@dataclass(frozen=True, eq=False)
class Scratch:
    """A straight line along which the film is gone, in nm from the sheet's corner.

    Parameters
    ----------
    y_nm, x_nm : float
        A point of it.
    angle_deg : float
        Its direction, 0 along x, counted towards y.
    width_nm : float
        Across it.
    """

    y_nm: float
    x_nm: float
    angle_deg: float
    width_nm: float


@dataclass(frozen=True)
class Specimen:
    """What was milled, how, and what years did to it.

    Parameters
    ----------
    bits : int
        Bits a module.
    pitch_nm : float
        Side of a module.
    film : Film
        What was milled.
    beam : Beam
        Of ions; its spot and tail widen what is milled.
    over_etch : float, optional
        Dose of the deepest level, in units of that which just mills through; by default 1.1 for
        one bit, and for two what `napari_nanoqr.archive.levels.level_set` chooses.
    shares : tuple of float, optional
        Dose of each level in units of that of the deepest; by default as `level_set` chooses.
    end_point_spread : float
        Standard deviation of a module's dose, as a share.
    model : SemModel
        Yields, escape depth and detector.
    spread_nm, contrast : float
        Of ageing, see `napari_nanoqr.physics.ageing.Ageing`: by how much material has spread, and
        what is left of the contrast.
    """

    bits: int = 1
    pitch_nm: float = 49.0
    film: Film = field(default_factory=Film)
    beam: Beam = field(default_factory=find_beam)
    over_etch: float | None = None
    shares: tuple[float, ...] | None = None
    end_point_spread: float = 0.01
    model: SemModel = field(default_factory=SemModel)
    spread_nm: float = 0.0
    contrast: float = 1.0

    @property
    def levels(self) -> LevelSet:
        """Depths, doses and signals of the levels, as a fresh specimen has them."""
        full = self.over_etch or (ONE_BIT_DOSE if self.bits == 1 else None)
        spread = {"end_point_spread": self.end_point_spread}
        if self.shares is None or full is None:
            chosen = level_set(
                self.bits, self.film, self.model, self.beam, self.pitch_nm, over_etch=full, **spread
            )
            if self.shares is None:
                return chosen
            full = chosen.full_dose
        dose = full * np.array(self.shares)
        return levels_of(dose, self.film, self.model, self.beam, self.pitch_nm, **spread)


def field_signal(
    levels: NDArray[np.uint8],
    corner_nm: tuple[float, float],
    centre_nm: tuple[float, float],
    view: View,
    specimen: Specimen,
    *,
    probe_nm: float = 2.0,
    scratches: tuple[Scratch, ...] = (),
    seed: int = 0,
) -> NDArray[np.float32]:
    """Predict the relative signal of each pixel, without noise.

    Parameters
    ----------
    levels : (rows, columns) uint8 array
        Modules of the film around the view; beyond them it goes on as at their border.
    corner_nm, centre_nm : tuple of float
        y and x on the sheet, of the outer corner of the first module and of what is in the middle
        of the view.
    view : View
        Pixels, rotation, tilt, drift of one frame, faults.
    specimen : Specimen
        How it was milled.
    probe_nm : float
        Standard deviation of the probe.
    scratches : tuple of Scratch
        Where the film is gone.
    seed : int
        Of the modules' depths. It depends on the module alone, so that two images of a place agree.

    Returns
    -------
    (view.rows, view.columns) float32 array
        As `napari_nanoqr.physics.sem.emission` and the probe give it, but for the slope of
        surfaces, which is left out. Shares of modules come from an exact integral of the beam over
        each module, for the module itself and its eight neighbours; its tail, which is wider than
        a module, is taken as even within one.
    """
    from scipy.ndimage import gaussian_filter

    from napari_nanoqr.archive.simulation.kernels import see, vary

    pitch, model = specimen.pitch_nm, specimen.model
    depths = np.asarray(specimen.levels.dose, dtype=np.float32)[np.minimum(levels, 3)]
    if specimen.end_point_spread:
        row, column = (round(at / pitch) + OFFSET for at in corner_nm)
        vary(depths, row, column, seed, specimen.end_point_spread)
    shape = BeamShape(specimen.beam.tail_fraction, specimen.beam.tail_width)
    core = specimen.beam.core_sigma_nm
    tail = np.zeros_like(depths)
    if shape.tail_fraction:
        wide = core * shape.tail_width / pitch
        # a module's own width counts too
        tail = gaussian_filter(depths, math.hypot(wide, 1 / math.sqrt(12)), mode="nearest")
        tail *= np.float32(shape.tail_fraction)
        depths *= np.float32(1 - shape.tail_fraction)
    spread = math.hypot(probe_nm, specimen.spread_nm)
    squeeze = math.cos(math.radians(view.tilt_deg))
    bend = view.faults.bend(*np.meshgrid(*[np.linspace(0, 1, LATTICE + 1)] * 2, indexing="ij"))
    seen = np.empty((view.rows, view.columns), dtype=np.float32)
    see(
        depths, tail, _shares(core / pitch), _shares(math.hypot(core, model.edge_nm) / pitch),
        _signal_of_depth(specimen), (DEPTHS - 1) / 2.0, model.film_yield * model.edge,
        _affine(view, corner_nm, centre_nm, pitch), _rows_moved(view),
        bend / view.pixel_size_nm,
        (math.hypot(probe_nm / squeeze, specimen.spread_nm) / pitch, spread / pitch),
        _lines(scratches, corner_nm, pitch), model.floor_yield, seen,
    )  # fmt: skip
    if view.tilt_deg:
        seen *= np.float32(squeeze**-model.tilt_exponent)
    return seen


def grey_values(
    signal: NDArray[np.float32],
    electrons_per_pixel: float,
    model: SemModel,
    seed: int,
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Count electrons and turn them into grey values, stretched as an operator would.

    Parameters
    ----------
    signal : (rows, columns) float32 array
        Relative yield of each pixel.
    electrons_per_pixel : float
        Primary electrons.
    model : SemModel
        Share that is detected, read noise and bits.
    seed : int
        Of the noise.

    Returns
    -------
    (rows, columns) uint8 or uint16 array
        Where fewer than `LEAST_COUNT` electrons are expected, counts are drawn from the Poisson
        distribution itself; else from a distribution of the same mean, variance and skewness.

    Raises
    ------
    ValueError
        Where the number of electrons is out of range.
    """
    from napari_nanoqr.archive.simulation.kernels import count

    if not 0 < electrons_per_pixel < 1e9:
        raise ValueError("Electrons per pixel are positive.")
    rng = np.random.default_rng([seed, 1])
    expected = signal * np.float32(electrons_per_pixel * model.detected)
    np.maximum(expected, 0, out=expected)
    some = expected[:: max(expected.shape[0] // 500, 1), :: max(expected.shape[1] // 500, 1)]
    low, high = np.quantile(some, (0.005, 0.995))
    read = model.read_noise_electrons
    black = low - 2.5 * math.sqrt(low + read**2)
    white = high + 2.5 * math.sqrt(high + read**2)
    most = 2**model.bits - 1
    grey: NDArray[np.uint8] | NDArray[np.uint16]
    grey = np.empty(expected.shape, np.uint8 if model.bits == 8 else np.uint16)
    if expected.min() < LEAST_COUNT:
        counted = rng.poisson(expected) + rng.normal(0.0, read, expected.shape)
        np.clip(np.rint((counted - black) * (most / (white - black))), 0, most, out=counted)
        grey[:] = counted
        return grey
    noise = rng.standard_normal(expected.shape, dtype=np.float32)
    count(expected, noise, read, black, most / (white - black), float(most), grey)
    return grey


def _shares(sigma: float) -> NDArray[np.float32]:
    """Share of a Gaussian beam in the module before, this one and the next, by place in it."""
    at = (np.arange(FRACTIONS) + 0.5) / FRACTIONS
    edges = np.array([[-at, 1 - at]])[0] / (math.sqrt(2) * max(sigma, 1e-6))
    before, up_to = (0.5 * (1 + np.array([math.erf(v) for v in edge])) for edge in edges)
    return np.stack((before, up_to - before, 1 - up_to), axis=1).astype(np.float32)


def _signal_of_depth(specimen: Specimen) -> NDArray[np.float32]:
    """Relative signal for depths of 0 to twice the film's thickness."""
    model, film = specimen.model, specimen.film
    left = film.thickness_nm * np.maximum(1 - np.linspace(0, 2, DEPTHS), 0)
    cover = np.expm1(-left / model.escape_nm) / math.expm1(-film.thickness_nm / model.escape_nm)
    material = specimen.contrast * (model.film_yield - model.floor_yield) * cover
    return np.asarray(model.floor_yield + material, dtype=np.float32)


def _affine(
    view: View, corner_nm: tuple[float, float], centre_nm: tuple[float, float], pitch: float
) -> NDArray[np.float64]:
    """From pixels (y, x) to modules (y, x), ``(2, 3)``."""
    (xx, xy), (yx, yy) = np.linalg.inv(view.matrix) * view.pixel_size_nm / pitch
    linear = np.array([[yy, yx], [xy, xx]])
    middle = np.array([(view.rows - 1) / 2, (view.columns - 1) / 2])
    offset = np.subtract(centre_nm, corner_nm) / pitch - linear @ middle
    return np.column_stack((linear, offset))


def _rows_moved(view: View) -> NDArray[np.float64]:
    """Displacement of each row by drift and vibration, in pixels, ``(2, rows)``."""
    rows = np.arange(view.rows, dtype=np.float64)
    drift = np.multiply.outer(view.drift_nm, rows / view.rows)
    shaken = view.faults.shake(0, view.rows, rows, np.zeros_like(rows))
    return np.asarray((drift + shaken) / view.pixel_size_nm)


def _lines(
    scratches: tuple[Scratch, ...], corner_nm: tuple[float, float], pitch: float
) -> NDArray[np.float64]:
    """Distance of a module from a scratch's middle as a linear form, and half its width."""
    found = np.zeros((len(scratches), 4))
    for line, scratch in zip(found, scratches, strict=True):
        across = np.array([math.cos(math.radians(scratch.angle_deg)),
                           -math.sin(math.radians(scratch.angle_deg))])  # fmt: skip
        at = np.subtract((scratch.y_nm, scratch.x_nm), corner_nm) / pitch
        line[:] = (*across, -float(across @ at), scratch.width_nm / pitch / 2)
    return found
