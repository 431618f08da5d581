"""Steps of restoring: each takes a micrograph and returns another one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.progress import Progress
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.restore.levels import Levels, two_levels
from napari_nanoqr.sem.restore.provenance import restored
from napari_nanoqr.sem.restore.register import register_frames, registered_mean
from napari_nanoqr.sem.restore.stripes import stripes_of

_LIGHT = 0.2
"""Weight below which a frame hardly counts."""

_STEEPEST_DEG = 80.0
"""Beyond this there is nothing left to see."""


def register_stack(
    micrograph: Micrograph,
    *,
    rows: bool = True,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Micrograph:
    """Bring the frames of a stack into line, and take their weighted mean.

    Parameters
    ----------
    micrograph : Micrograph
        A stack of frames of one field of view.
    rows : bool
        Also take out how the specimen moved while each frame was scanned.
    progress, cancelled : callable, optional
        As for `napari_nanoqr.sem.restore.register.register_frames`.

    Returns
    -------
    Micrograph
        One image in the place of the first frame, float32. ``metadata["averaged"]`` counts the
        frames, each by its weight, so that the dose is that of all of them;
        ``metadata["restored"]`` has the drift and the weights.

    Raises
    ------
    ValueError
        Where it is a single image.
    Cancelled
        Where it was.
    """
    if micrograph.frames < 2:
        raise ValueError("This is a single image: it takes a stack of frames to register them.")
    frames = micrograph.image if micrograph.image.dtype.kind in "iu" else _finite(micrograph.image)
    found = register_frames(frames, rows=rows, progress=progress, cancelled=cancelled)
    image = registered_mean(frames, found, cancelled=cancelled)
    # so many frames of equal weight would have as little noise
    worth = float(found.weights.sum() ** 2 / (found.weights**2).sum())
    scans = micrograph.metadata.get("averaged")
    once = float(scans) if isinstance(scans, (int, float)) and scans > 0 else 1.0
    return restored(
        micrograph,
        image,
        "registered",
        {"rows": rows},
        {
            "frames": micrograph.frames,
            "drift_px": round(found.drift_px, 3),
            "within_px": round(found.within_px, 3),
            "light_frames": int((found.weights < _LIGHT).sum()),
            "shifts_px": [[round(float(v), 3) for v in shift] for shift in found.shifts],
            "weights": [round(float(weight), 3) for weight in found.weights],
        },
        averaged=round(once * worth, 3),
    )


def flatten(micrograph: Micrograph) -> Micrograph:
    """Even out brightness and contrast that change slowly over the image.

    The levels of dark and of light areas are fitted, each as a polynomial, and are made the same
    everywhere; what is written does not count as uneven.

    Parameters
    ----------
    micrograph : Micrograph
        An image, or a stack, whose frames are then treated alike.

    Returns
    -------
    Micrograph
        In grey values of the same range, float32.
    """
    levels = two_levels(_mean(micrograph))
    middle, contrast = float(levels.middle.mean()), float(levels.contrast.mean())
    gain = np.float32(contrast) / levels.contrast
    image = np.float32(middle) + (_finite(micrograph.image) - levels.middle) * gain
    return restored(
        micrograph,
        np.asarray(image, dtype=np.float32),
        "flattened",
        {},
        {
            "brightness": round(float(np.ptp(levels.middle)) / contrast, 4),
            "contrast": round(float(np.ptp(levels.contrast)) / contrast, 4),
        },
    )


def destripe(micrograph: Micrograph, *, rows: bool = True, columns: bool = True) -> Micrograph:
    """Take out what makes single rows or columns brighter or darker.

    Parameters
    ----------
    micrograph : Micrograph
        An image, or a stack, each frame of which has stripes of its own.
    rows, columns : bool
        Which stripes are looked for.

    Returns
    -------
    Micrograph
        The rows of what is written keep their brightness: a stripe is what a row differs by from
        the levels of dark and light areas around it. Stripes that cannot be told from noise are
        left alone.

    Raises
    ------
    ValueError
        Where neither is to be looked for.
    """
    if not (rows or columns):
        raise ValueError("Choose rows, columns or both to look for stripes in.")
    frames = _finite(micrograph.image)
    frames = frames.copy() if frames.ndim == 3 else frames[None].copy()
    strength = np.zeros((len(frames), 2))
    for i, frame in enumerate(frames):
        for axis, wanted in enumerate((rows, columns)):
            if wanted:
                levels: Levels = two_levels(frame)
                stripes = stripes_of(frame, levels, axis)
                frame -= np.expand_dims(stripes, 1 - axis)
                strength[i, axis] = float(stripes.std())
    means = [round(float(one), 4) for one in strength.mean(axis=0)]
    return restored(
        micrograph,
        frames.reshape(micrograph.image.shape),
        "destriped",
        {"rows": rows, "columns": columns},
        {"rows": means[0], "columns": means[1]},
    )


def correct_tilt(
    micrograph: Micrograph, tilt_deg: float | None = None, *, axis: str = "x"
) -> Micrograph:
    """Stretch an image of a tilted specimen to what is seen from above.

    Parameters
    ----------
    micrograph : Micrograph
        An image or a stack.
    tilt_deg : float, optional
        Tilt of the specimen against the plane that the beam stands upright on; by default the
        stage tilt that the file tells.
    axis : {"x", "y"}
        The image's axis about which the specimen is tilted; stages tilt about x, the fast axis.

    Returns
    -------
    Micrograph
        With square pixels. ``metadata["tilt_correction"]`` is True now, and ``averaged`` smaller,
        since as many electrons are spread over more pixels.

    Raises
    ------
    ValueError
        Where no tilt is known, it cannot be, or the microscope has corrected it already.
    """
    if axis not in ("x", "y"):
        raise ValueError(f"A specimen is tilted about x or y, not about {axis!r}.")
    metadata = micrograph.metadata
    if metadata.get("tilt_correction"):
        raise ValueError(
            "The file says that the scan was corrected for the tilt already: correcting it again "
            "would distort the image."
        )
    tilt = metadata.get("tilt_deg") if tilt_deg is None else tilt_deg
    if not isinstance(tilt, (int, float)) or not np.isfinite(tilt):
        raise ValueError("The file does not tell the tilt: enter it.")
    if abs(tilt) > _STEEPEST_DEG:
        raise ValueError(f"A tilt of {tilt:g} degrees is more than {_STEEPEST_DEG:g}.")
    cosine = float(np.cos(np.deg2rad(tilt)))
    size = np.array(micrograph.pixel_size_nm or (1.0, 1.0))
    along = 0 if axis == "x" else 1
    seen = size.copy()
    seen[along] /= cosine
    # the axis that is not tilted keeps its pixels
    pixel = float(size[1 - along])
    image = _stretched(_finite(micrograph.image), along, float(seen[along]) / pixel)
    scans = metadata.get("averaged")
    once = float(scans) if isinstance(scans, (int, float)) and scans > 0 else 1.0
    return restored(
        micrograph,
        image,
        "tilt-corrected",
        {"tilt_deg": tilt_deg, "axis": axis},
        {"tilt_deg": float(tilt), "axis": axis, "stretch": round(float(seen[along]) / pixel, 6)},
        pixel_size_nm=None if micrograph.pixel_size_nm is None else (pixel, pixel),
        tilt_deg=float(tilt),
        tilt_correction=True,
        tilt_correction_deg=float(tilt),
        averaged=round(once * pixel * cosine / float(size[along]), 6),
    )


def _stretched(image: NDArray[np.float32], along: int, factor: float) -> NDArray[np.float32]:
    """Return an image with so many times as many pixels along y (0) or x (1), by cubic splines."""
    from scipy.ndimage import spline_filter1d

    axis = image.ndim - 2 + along
    count = image.shape[axis]
    places = (np.arange(max(1, round(count * factor))) + 0.5) / factor - 0.5
    if count < 4:
        return np.asarray(image.take(np.clip(np.rint(places), 0, count - 1).astype(int), axis))
    places = places.clip(0, count - 1)
    knots = spline_filter1d(image, 3, axis=axis, mode="mirror", output=np.float32)
    first = np.floor(places).astype(int)
    t = (places - first).astype(np.float32)
    # weights of the cubic B-spline's four knots
    weights = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    result = np.float32(0)
    shape = [1] * image.ndim
    shape[axis] = -1
    for k, weight in enumerate(weights):
        at = np.abs(first + k - 1)
        at = np.where(at >= count, 2 * (count - 1) - at, at)
        result = result + knots.take(at, axis) * (weight / 6).reshape(shape)
    return np.asarray(result, dtype=np.float32)


def _mean(micrograph: Micrograph) -> NDArray[np.float32]:
    image = _finite(micrograph.image)
    return image if image.ndim == 2 else np.asarray(image.mean(axis=0, dtype=np.float32))


def _finite(image: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return grey values as float32; pixels that are no number become the others' median."""
    result = np.asarray(image, dtype=np.float32)
    missing = ~np.isfinite(result)
    if missing.all():
        raise ValueError("The image holds no number: every pixel is NaN or infinite.")
    if missing.any():
        result = np.where(missing, np.median(result[~missing]), result).astype(np.float32)
    return result
