"""Pitch, orthogonality and tilt, from the steps of a lattice in an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.measuring.quantity import Quantity

_STEP = 1e-6
"""Change of a step, relative to its length, with which derivatives are taken."""


@dataclass(frozen=True)
class Lattice:
    """What the steps of a lattice say of the specimen.

    Parameters
    ----------
    pitch_px : Quantity
        Mean of both pitches in the image, in pixels.
    pitch_x_nm, pitch_y_nm : Quantity or None
        Distance from column to column and from row to row on the specimen.
    orthogonality_deg : Quantity
        Angle between rows and columns on the specimen, less 90 degrees.
    tilt_deg : Quantity
        Tilt about the fast axis, by the lattice alone.
    """

    pitch_px: Quantity
    pitch_x_nm: Quantity | None
    pitch_y_nm: Quantity | None
    orthogonality_deg: Quantity
    tilt_deg: Quantity


def lattice_of(
    steps: NDArray[np.float64],
    covariance: NDArray[np.float64],
    pixel_size_nm: tuple[float, float] | None,
    tilt_deg: float,
) -> Lattice:
    """Return what the steps of a lattice say of the specimen.

    Parameters
    ----------
    steps : (2, 2) float array
        Pixels (y, x) from row to row, ``[:, 0]``, and from column to column, ``[:, 1]``.
    covariance : (4, 4) float array
        Of ``steps.ravel()``.
    pixel_size_nm : tuple of float or None
        y and x, as the scan sees the specimen; where it is not known pixels are taken to be
        square.
    tilt_deg : float
        Tilt of the specimen about the fast axis as the micrograph tells it: y is foreshortened.

    Returns
    -------
    Lattice
        Uncertainties are those of the image. That of the pixel size is not known and not
        part of them.
    """
    pixel = np.array(pixel_size_nm or (1.0, 1.0))
    on_specimen = pixel / [np.cos(np.deg2rad(tilt_deg)), 1.0]

    def with_doubt(of: Callable[[NDArray[np.float64]], float], unit: str) -> Quantity:
        gradient = np.empty(4)
        for i in range(4):
            size = _STEP * float(np.abs(steps).max())
            change = size * np.eye(4)[i].reshape(2, 2)
            gradient[i] = (of(steps + change) - of(steps - change)) / (2 * size)
        doubt = float(np.sqrt(max(float(gradient @ covariance @ gradient), 0.0)))
        return Quantity(of(steps), doubt, unit)

    def length(which: int) -> Callable[[NDArray[np.float64]], float]:
        return lambda s: float(np.linalg.norm(s[:, which] * on_specimen))

    def angle(s: NDArray[np.float64]) -> float:
        down, right = (s * on_specimen[:, None]).T
        cosine = down @ right / np.linalg.norm(down) / np.linalg.norm(right)
        return float(np.rad2deg(np.arccos(cosine))) - 90

    known = pixel_size_nm is not None
    return Lattice(
        pitch_px=with_doubt(lambda s: float(np.linalg.norm(s, axis=0).mean()), "px"),
        pitch_x_nm=with_doubt(length(1), "nm") if known else None,
        pitch_y_nm=with_doubt(length(0), "nm") if known else None,
        orthogonality_deg=with_doubt(angle, "°"),
        tilt_deg=_tilt(with_doubt(lambda s: _stretch(s, pixel).real, ""), _stretch(steps, pixel)),
    )


def _stretch(steps: NDArray[np.float64], pixel: NDArray[np.float64]) -> complex:
    """Return the square of the factor by which y has to be stretched for square modules.

    Two equations, equal lengths and a right angle, are the real and the imaginary part of one:
    with y and x of a step from row to row plus i times those of one from column to column,
    stretch * y^2 + x^2 = 0. Where no stretch along y makes the modules square, something is left
    in the imaginary part.
    """
    y, x = (steps * pixel[:, None])[:, 0] + 1j * (steps * pixel[:, None])[:, 1]
    return complex(-(x**2) / y**2)


def _tilt(stretch: Quantity, whole: complex) -> Quantity:
    """Return the tilt that such a stretch stands for: its root is 1 / cos(tilt)."""
    # drift and shear do what no tilt does; they may as well have done some of what a tilt does
    doubt = float(np.hypot(stretch.uncertainty or 0.0, whole.imag))

    def degrees(square: float) -> float:
        return float(np.rad2deg(np.arccos(min(1.0, max(square, 1e-12) ** -0.5))))

    value = degrees(stretch.value)
    # near zero the tilt goes as the root of what is seen: by what more would be seen
    return Quantity(value, degrees(max(stretch.value, 1.0) + doubt) - value, "°")
