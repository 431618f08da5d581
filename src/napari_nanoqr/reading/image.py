"""From whatever a user has to a grey image with its pixel size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanoqr.reading.dose import Dose
from napari_nanoqr.sem.electrons import electrons_per_pixel
from napari_nanoqr.sem.micrograph import Micrograph

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Weights of red, green and blue (ITU-R BT.601)."""


@dataclass(frozen=True, eq=False)
class Source:
    """An image that codes are to be read from.

    Parameters
    ----------
    frames : (frame, y, x) array
        Grey values, real numbers, none of them NaN; uint8 stays uint8, all else is float32.
    pixel_size_nm : tuple of float or None
        y and x.
    tilt_deg : float
        Stage tilt; 0 where it is not known, or the image was corrected for it.
    dose : Dose
        Electrons of all frames together.
    """

    frames: NDArray[Any]
    pixel_size_nm: tuple[float, float] | None
    tilt_deg: float = 0.0
    dose: Dose = field(default_factory=Dose)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of pixels."""
        return int(self.frames.shape[1]), int(self.frames.shape[2])


def open_source(
    image: ArrayLike | Micrograph, pixel_size_nm: float | tuple[float, float] | None = None
) -> Source:
    """Bring an image into the form that the readers want.

    Parameters
    ----------
    image : array or Micrograph
        ``(y, x)``, ``(y, x, 3 or 4)`` for colour (the fourth channel is opacity, before a
        white page), or ``(frame, y, x)``; bool, integers or floats.
    pixel_size_nm : float or tuple of float, optional
        Overrides that of the micrograph.

    Returns
    -------
    Source
        The image.

    Raises
    ------
    ValueError
        Where it is no image, empty, or holds no number; or where the pixel size is not
        positive.
    """
    size: float | tuple[float, float] | None = pixel_size_nm
    tilt, each = 0.0, None
    if isinstance(image, Micrograph):
        size = image.pixel_size_nm if size is None else size
        # an image that was stretched already shows the specimen from above
        if not image.metadata.get("tilt_correction"):
            tilt = _tilt(image.metadata.get("tilt_deg"))
        each = electrons_per_pixel(image.metadata)
        image = image.image
    frames, pixel = _frames(np.asarray(image)), _pair(size)
    return Source(frames, pixel, tilt, _dose(each, len(frames), pixel, tilt))


def _dose(
    each: float | None, frames: int, pixel_nm: tuple[float, float] | None, tilt_deg: float
) -> Dose:
    """Return the dose of some frames; a tilted pixel covers more of the specimen."""
    if each is None:
        return Dose()
    if pixel_nm is None:
        return Dose(frames * each)
    area = pixel_nm[0] * pixel_nm[1] / np.cos(np.deg2rad(tilt_deg))
    return Dose(frames * each, float(frames * each / area))


def _tilt(value: Any) -> float:
    """Return a tilt that can be divided out; beyond 80 degrees there is nothing left to see."""
    if isinstance(value, (int, float)) and np.isfinite(value) and abs(value) <= 80:
        return abs(float(value))
    return 0.0


def _pair(size: float | tuple[float, float] | None) -> tuple[float, float] | None:
    if size is None:
        return None
    pair = np.broadcast_to(np.asarray(size, dtype=float), (2,)) if np.size(size) in (1, 2) else None
    if pair is None or not np.isfinite(pair).all() or (pair <= 0).any():
        raise ValueError(f"A pixel size is a positive number of nm, or two (y, x), not {size!r}.")
    return float(pair[0]), float(pair[1])


def _frames(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind not in "buif":
        raise ValueError(f"An image holds real numbers, not {array.dtype}.")
    if array.ndim not in (2, 3):
        raise ValueError(
            "An image is (y, x), a colour image (y, x, 3 or 4) or a stack (frame, y, x), "
            f"not an array of shape {array.shape}."
        )
    if array.size == 0:
        raise ValueError(f"The image is empty: its shape is {array.shape}.")
    if array.dtype.kind == "b":
        array = array.astype(np.uint8) * np.uint8(255)
    if array.ndim == 3 and array.shape[2] in (3, 4):
        grey = array[..., :3].astype(np.float32) @ _LUMA
        if array.shape[2] == 4:
            white = np.float32(np.iinfo(array.dtype).max if array.dtype.kind in "iu" else 1)
            opacity = array[..., 3] / white
            grey = grey * opacity + white * (1 - opacity)
        array = np.rint(grey).astype(np.uint8) if array.dtype == np.uint8 else grey
    frames = array if array.ndim == 3 else array[None]
    if frames.dtype == np.uint8:
        return frames
    frames = frames.astype(np.float32)
    missing = ~np.isfinite(frames)
    if missing.all():
        raise ValueError("The image holds no number: every pixel is NaN or infinite.")
    if missing.any():
        frames[missing] = np.median(frames[~missing])
    return frames
