"""Measured values as people read them: what it is, and what came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_nanoqr.measuring.measurement import Measurement

NAMES = (
    ("pitch_x_nm", "Pitch x"),
    ("pitch_y_nm", "Pitch y"),
    ("pitch_px", "Pitch in the image"),
    ("orthogonality_deg", "Angle less 90°"),
    ("tilt_deg", "Tilt by the code"),
    ("module_width_nm", "Module width"),
    ("sigma_width_nm", "its spread"),
    ("module_height_nm", "Module height"),
    ("sigma_height_nm", "its spread"),
    ("edge_bias_nm", "Edge bias"),
    ("edge_bias_x_nm", "along x"),
    ("edge_bias_y_nm", "along y"),
    ("roughness_nm", "Edge roughness"),
    ("blur_nm", "Blur"),
    ("contrast", "Contrast"),
    ("snr", "Contrast to noise, a pixel"),
    ("snr_module", "Contrast to noise, a module"),
    ("detected_per_primary", "Detected per primary"),
)
"""Fields of a measurement in the order in which they are shown."""


def value_rows(measurement: Measurement) -> list[tuple[str, str]]:
    """Return name and value of all that is known of a code.

    Parameters
    ----------
    measurement : Measurement
        Of one code.

    Returns
    -------
    list of (str, str)
        The value with its expanded uncertainty (95 %) and unit.
    """
    rows = [
        (name, str(value))
        for field, name in NAMES
        if (value := getattr(measurement, field)) is not None
    ]
    if measurement.electron_dose_per_nm2 is not None:
        rows.append(("Dose", f"{measurement.electron_dose_per_nm2:.3g} electrons/nm²"))
    if measurement.raw_bit_error_rate is not None:
        rows.append(("Wrong modules", f"{100 * measurement.raw_bit_error_rate:.2g} %"))
    if measurement.grade is not None:
        rows.append(("Grade", str(measurement.grade)))
    return rows
