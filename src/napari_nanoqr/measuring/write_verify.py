"""Write verify: a design and a micrograph of it go in, a verdict with its reasons comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanoqr.design.design import Design
from napari_nanoqr.measuring.grade import grade_symbol
from napari_nanoqr.measuring.verdict import Verdict, VerifyLimits, WrittenPlace
from napari_nanoqr.measuring.verify_findings import damaged_areas, findings_of
from napari_nanoqr.progress import Cancelled
from napari_nanoqr.reading.compare import compare_with_design
from napari_nanoqr.reading.comparison import Comparison
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.image import Source, open_source
from napari_nanoqr.reading.margin import measure_margin
from napari_nanoqr.reading.model import fit_to_symbol
from napari_nanoqr.reading.read import Progress, read_codes
from napari_nanoqr.reading.reading import Margin
from napari_nanoqr.reading.readings import Readings
from napari_nanoqr.reading.report import pitch_nm_of
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.restore.register import registered_mean


def write_verify(
    design: Design,
    image: ArrayLike | Micrograph,
    pixel_size_nm: float | tuple[float, float] | None = None,
    *,
    limits: VerifyLimits | None = None,
    black_level: float | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Verdict:
    """Tell whether a design was written as it was meant.

    Parameters
    ----------
    design : Design
        What was to be written.
    image : array or Micrograph
        As `read_codes` takes it; a stack is brought into line and averaged.
    pixel_size_nm : float or tuple of float, optional
        Pixel size, or its y and x; overrides that of a micrograph. Where it is not known, the
        pitch is not judged.
    limits : VerifyLimits, optional
        From where on a write is marginal, and from where on it fails.
    black_level : float, optional
        Grey value of no signal, for the grade's contrast.
    progress : callable, optional
        Gets steps done, steps in all, and a sentence.
    cancelled : callable, optional
        Asked now and then.

    Returns
    -------
    Verdict
        "pass", "marginal", "fail" or "not found", with the reasons in sentences.

    Raises
    ------
    ValueError
        Where the image is none, is empty or holds no number; where the pixel size is not
        positive.
    Cancelled
        Where it was.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_nanoqr import Design, encode
    >>> from napari_nanoqr.measuring.write_verify import write_verify
    >>> design = Design(encode(b"CrN", error="H"), pitch_nm=50)
    >>> dark = np.kron(np.pad(design.symbol.matrix, 4), np.ones((8, 8)))
    >>> write_verify(design, np.where(dark, 40.0, 160.0), pixel_size_nm=6.25).outcome
    'pass'
    """
    limits = limits or VerifyLimits()
    source = open_source(image, pixel_size_nm)

    def tell(done: int, sentence: str) -> None:
        if cancelled is not None and cancelled():
            raise Cancelled
        if progress is not None:
            progress(done, 3, sentence)

    tell(0, "looking for the design")
    grey = registered_mean(source.frames, cancelled=cancelled)
    mean = _like(image, grey)
    found = compare_with_design(mean, design, source.pixel_size_nm, cancelled=cancelled)
    if not found:
        tell(1, "looking for what is there instead")
        readings = read_codes(mean, source.pixel_size_nm, cancelled=cancelled)
        if any(reading.payload == design.symbol.payload for reading in readings):
            found = _at_any_pitch(mean, design, source, cancelled)
        if not found:
            return Verdict(design.name, (), _instead(readings, design))
    places = []
    for number, comparison in enumerate(found, start=1):
        which = f" of place {number} of {len(found)}" if len(found) > 1 else ""
        tell(1, f"grade{which}")
        corners = Grid.from_corners(comparison.corners_yx, comparison.written.shape)
        grid = fit_to_symbol(grey, corners, comparison.written)
        grade = grade_symbol(
            grey, grid, comparison.written, pixel_size_nm=source.pixel_size_nm,
            tilt_deg=source.tilt_deg, black_level=black_level, quiet_zone=design.quiet_zone,
        )  # fmt: skip
        tell(2, f"margin{which}")
        margin = _margin(grey, grid, comparison, design, source)
        findings = findings_of(comparison, grade, margin, design, limits)
        pitch = design.pitch_nm if comparison.pitch_nm is None else comparison.pitch_nm
        places.append(
            WrittenPlace(comparison, grade, margin, findings, damaged_areas(comparison), pitch)
        )
    tell(3, "finished")
    return Verdict(design.name, tuple(places))


def _like(
    image: ArrayLike | Micrograph, grey: NDArray[np.float32]
) -> NDArray[np.float32] | Micrograph:
    """Return the mean of the frames with all that is known of the image."""
    return replace(image, image=grey) if isinstance(image, Micrograph) else grey


def _at_any_pitch(
    mean: NDArray[np.float32] | Micrograph,
    design: Design,
    source: Source,
    cancelled: Callable[[], bool] | None,
) -> list[Comparison]:
    """Find a design whose pitch is far from what was meant."""
    scaleless = replace(mean, pixel_size_nm=None) if isinstance(mean, Micrograph) else mean
    found = compare_with_design(scaleless, design, cancelled=cancelled)
    return [
        replace(
            seen,
            pitch_nm=pitch_nm_of(Grid.from_corners(seen.corners_yx, seen.written.shape), source),
        )
        for seen in found
    ]


def _instead(readings: Readings, design: Design) -> str:
    """Say what the image shows where the design is not found."""
    if not readings:
        return f"Nothing in the image agrees with the design. {readings.advice}"
    for reading in readings:
        if reading.payload == design.symbol.payload:
            return (
                f"The image shows the payload in another symbol: {reading.symbology} version "
                f"{reading.version}, level {reading.error}, mask {reading.mask}."
            )
    others = [
        repr(reading.text) if reading.text is not None else f"hex {reading.payload.hex()}"
        for reading in readings
    ]
    return f"The image shows another code, which says {' and '.join(others)}."


def _margin(
    grey: NDArray[np.float32], grid: Grid, comparison: Comparison, design: Design, source: Source
) -> Margin | None:
    if not comparison.readable:
        return None
    symbol = design.symbol
    margin, _ = measure_margin(
        grey, grid, comparison.written, symbol.error, inverted=comparison.inverted,
        dose=source.dose,
    )  # fmt: skip
    return margin
