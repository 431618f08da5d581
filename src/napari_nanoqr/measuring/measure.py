"""Measure every code in a micrograph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanoqr.design.design import Design
from napari_nanoqr.measuring.edges import edge_profile
from napari_nanoqr.measuring.fitted import SymbolFit
from napari_nanoqr.measuring.grade import grade_symbol
from napari_nanoqr.measuring.lattice import lattice_of
from napari_nanoqr.measuring.measurement import Measurement
from napari_nanoqr.measuring.pixels import pixel_noise
from napari_nanoqr.measuring.place import Place, places_of
from napari_nanoqr.measuring.quantity import Quantity
from napari_nanoqr.measuring.signal import contrast_of, photon_transfer, snr_of
from napari_nanoqr.measuring.sizes import sizes_of
from napari_nanoqr.measuring.symbol_fit import fit_symbol
from napari_nanoqr.reading.compare import compare_with_design
from napari_nanoqr.reading.comparison import Comparison
from napari_nanoqr.reading.equalise import module_likelihoods
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.image import Source, open_source
from napari_nanoqr.reading.model import fit_to_symbol
from napari_nanoqr.reading.read import Progress, read_codes
from napari_nanoqr.reading.readings import Readings
from napari_nanoqr.reading.subsample import sample_modules
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.restore.register import registered_mean

_INNER = 0.2
"""Modules: standard deviation of the Gaussian that weighs the pixels of a module's value."""


def measure_codes(
    image: ArrayLike | Micrograph,
    pixel_size_nm: float | tuple[float, float] | None = None,
    pitch_nm: float | None = None,
    *,
    design: Design | None = None,
    readings: Readings | None = None,
    comparisons: Sequence[Comparison] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Measurement]:
    """Measure the codes in an image: sizes, edges, signal and grade, with uncertainties.

    Parameters
    ----------
    image : array or Micrograph
        As `read_codes` takes it.
    pixel_size_nm : float or tuple of float, optional
        Pixel size, or its y and x; overrides that of a micrograph.
    pitch_nm : float, optional
        Distance from module to module, where it is known: it helps reading, and measuring knows
        nothing of it.
    design : Design, optional
        What was written: it is looked for as well, also where the code cannot be read any more.
    readings : Readings, optional
        What was read from the image already; by default it is read here.
    comparisons : sequence of Comparison, optional
        Where the design was found already; by default it is looked for here.
    progress : callable, optional
        Called after each code with the number done, the number there are, and a sentence.
    cancelled : callable, optional
        Asked now and then; True ends with what was measured until then.

    Returns
    -------
    list of Measurement
        One for each code that was read, and for each place where the design was found.

    Raises
    ------
    ValueError
        Where the image is none, is empty or holds no number.

    Examples
    --------
    >>> from napari_nanoqr import Design, encode, measure_codes, simulate_micrograph
    >>> design = Design(encode(b"CrN", error="H"))
    >>> code = measure_codes(simulate_micrograph(design, seed=1))[0]
    >>> round(code.pitch_x_nm.value, 1)
    49.0
    """
    source = open_source(image, pixel_size_nm)
    if readings is None:
        readings = read_codes(image, pixel_size_nm, pitch_nm, cancelled=cancelled)
    if comparisons is None and design is not None:
        comparisons = compare_with_design(image, design, pixel_size_nm, cancelled=cancelled)
    base = registered_mean(source.frames)
    places = list(places_of(readings, comparisons or ()))
    measured = []
    for number, place in enumerate(places):
        if cancelled is not None and cancelled():
            break
        measurement = _measure(base, place, source, design)
        if measurement is not None:
            grade = grade_symbol(
                base, measurement.grid, measurement.modules, place.reading, source.pixel_size_nm,
                tilt_deg=source.tilt_deg, quiet_zone=None if design is None else design.quiet_zone,
            )  # fmt: skip
            measured.append(replace(measurement, grade=grade))
        if progress is not None:
            progress(number + 1, len(places), "measured")
    return measured


def _measure(
    image: NDArray[np.float32], place: Place, source: Source, design: Design | None
) -> Measurement | None:
    """Measure one code; None where there is too little of it in the image."""
    modules = place.modules
    grid = fit_to_symbol(image, Grid.from_corners(place.corners_yx, modules.shape), modules)
    fit = fit_symbol(image, grid, modules)
    if fit is None:
        return None
    frame = np.asarray(source.frames[0], dtype=np.float32)
    noise = pixel_noise(frame, fit.grid, modules)
    # noise of a stack is that of its mean; its electrons are counted in a frame
    averaged = noise if len(source.frames) == 1 else pixel_noise(image, fit.grid, modules)
    area = abs(float(np.linalg.det(fit.steps)))
    snr, snr_module = snr_of(fit.light, fit.dark, averaged, fit.sigma, area)
    lattice = lattice_of(fit.steps, fit.steps_covariance, source.pixel_size_nm, source.tilt_deg)
    milled_dark = fit.light_around
    if place.comparison is not None and design is not None:
        milled_dark = design.mill == "dark"
    weighed = module_likelihoods(image, fit.grid, inverted=fit.dark > fit.light)
    evidence = np.where(modules, -weighed.llr, weighed.llr)
    rate = place.reading.raw_bit_error_rate if place.reading is not None else None
    each = source.dose.per_pixel
    scale = lattice.pitch_px if lattice.pitch_x_nm is None else lattice.pitch_x_nm
    detected = None
    if noise is not None and each is not None:
        whole = source.frames.dtype == np.uint8 or not np.mod(frame[:64], 1).any()
        detected = photon_transfer(noise, each / len(source.frames), whole)
    return Measurement(
        grid=fit.grid,
        modules=modules,
        pitch_px=lattice.pitch_px,
        orthogonality_deg=lattice.orthogonality_deg,
        contrast=contrast_of(fit.light, fit.dark, fit.levels_covariance),
        snr=snr,
        snr_module=snr_module,
        values=sample_modules(image, fit.grid, _INNER).astype(np.float64),
        reading=place.reading,
        comparison=place.comparison,
        milled_dark=milled_dark,
        pitch_x_nm=lattice.pitch_x_nm,
        pitch_y_nm=lattice.pitch_y_nm,
        tilt_deg=lattice.tilt_deg,
        electron_dose_per_nm2=source.dose.per_nm2,
        detected_per_primary=detected,
        raw_bit_error_rate=(
            place.comparison.raw_bit_error_rate if place.comparison is not None else rate
        ),
        evidence=evidence.astype(np.float32),
        covered=weighed.blank,
        edge_profile=edge_profile(image, fit) * np.array([[scale.value], [1.0]]),
        **_sizes(image, fit, modules, (lattice.pitch_y_nm, lattice.pitch_x_nm), milled_dark),
    )


def _sizes(
    image: NDArray[np.float32],
    fit: SymbolFit,
    modules: NDArray[np.bool_],
    pitch_nm: tuple[Quantity | None, Quantity | None],
    milled_dark: bool,
) -> dict[str, Any]:
    """Return the lengths of a code by the names of a measurement's fields, none without a scale."""
    rows, columns = pitch_nm
    if rows is None or columns is None:
        return {}
    return vars(sizes_of(image, fit, modules, (rows, columns), milled_dark=milled_dark))
