"""What is measured of one code in a micrograph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.measuring.quantity import Quantity
from napari_nanoqr.reading.comparison import Comparison
from napari_nanoqr.reading.dose import rounded
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.reading import Reading

if TYPE_CHECKING:
    from napari_nanoqr.measuring.grade import Grade


@dataclass(frozen=True, eq=False)
class Measurement:
    """What is measured of one code. Quantities hold standard uncertainties; `to_dict` states 95 %.

    Parameters
    ----------
    grid : Grid
        Where the modules are, in pixels of the image.
    modules : (rows, columns) bool array
        What is written, True = dark, upright and not mirrored: of the payload, or of the design.
    pitch_px : Quantity
        Mean distance from module to module in pixels.
    orthogonality_deg : Quantity
        Angle between the rows and the columns on the specimen, less 90 degrees.
    contrast : Quantity
        Michelson contrast of large dark and light areas, 0 to 1, of the image's grey values; it
        tells of the specimen only where black is no signal.
    snr, snr_module : Quantity
        Difference of light and dark over the noise of a pixel, and over that of the mean of a
        module's pixels.
    values : (rows, columns) float array
        Grey value of each module, the mean over its inner part.
    reading : Reading or None
        What was read; None where only the design was found.
    comparison : Comparison or None
        With the design, where one was given and found here.
    milled_dark : bool
        The dark modules are the milled ones; without a design this is taken to be so where the
        symbol lies in a light area, since what lies around it was not milled.
    pitch_x_nm, pitch_y_nm : Quantity or None
        Distance from column to column, and from row to row, on the specimen, the stage's tilt as
        the micrograph tells it taken out. None where the pixel size is not known, as for all
        lengths below.
    tilt_deg : Quantity or None
        Tilt about the fast axis by the code alone, as one that is square on the specimen. None
        where the code is too little foreshortened to tell.
    module_width_nm, module_height_nm : Quantity or None
        Mean extent of a dark module between its edges along rows and columns.
    sigma_width_nm, sigma_height_nm : Quantity or None
        Standard deviation of these from module to module, noise taken out.
    edge_bias_nm : Quantity or None
        How far the edges of milled areas lie outside of their nominal places, mean over all
        sides; negative where milled areas came out too small.
    edge_bias_x_nm, edge_bias_y_nm : Quantity or None
        The same of the edges between columns, and of those between rows.
    roughness_nm : Quantity or None
        Line-edge roughness, one standard deviation, noise taken out.
    blur_nm : Quantity or None
        Standard deviation of the Gaussian that softens the edges.
    electron_dose_per_nm2 : float or None
        Primary electrons for each nm^2 of the specimen, of all frames; None where the file does
        not tell.
    detected_per_primary : Quantity or None
        Detected electrons for each primary at the brightness of light areas, by photon transfer;
        None where that cannot be told.
    raw_bit_error_rate : float or None
        Share of the modules that look other than written.
    evidence : (rows, columns) float array or None
        Natural logarithm of P(as written) / P(not) of each module: its margin. None where the
        modules were not weighed.
    covered : (rows, columns) float array or None
        How likely each module lies in an area that is covered or gone.
    edge_profile : (2, n) float array or None
        Distance from the nominal place of an edge in nm (in pixels where the pixel size is not
        known), positive on the light side, and the mean grey value there.
    grade : Grade or None
        How good the symbol is, parameter by parameter.
    """

    grid: Grid
    modules: NDArray[np.bool_] = field(repr=False)
    pitch_px: Quantity
    orthogonality_deg: Quantity
    contrast: Quantity
    snr: Quantity
    snr_module: Quantity
    values: NDArray[np.float64] = field(repr=False)
    reading: Reading | None = None
    comparison: Comparison | None = None
    milled_dark: bool = True
    pitch_x_nm: Quantity | None = None
    pitch_y_nm: Quantity | None = None
    tilt_deg: Quantity | None = None
    module_width_nm: Quantity | None = None
    module_height_nm: Quantity | None = None
    sigma_width_nm: Quantity | None = None
    sigma_height_nm: Quantity | None = None
    edge_bias_nm: Quantity | None = None
    edge_bias_x_nm: Quantity | None = None
    edge_bias_y_nm: Quantity | None = None
    roughness_nm: Quantity | None = None
    blur_nm: Quantity | None = None
    electron_dose_per_nm2: float | None = None
    detected_per_primary: Quantity | None = None
    raw_bit_error_rate: float | None = None
    evidence: NDArray[np.float32] | None = field(default=None, repr=False)
    covered: NDArray[np.float32] | None = field(default=None, repr=False)
    edge_profile: NDArray[np.float64] | None = field(default=None, repr=False)
    grade: Grade | None = None

    @property
    def payload(self) -> bytes | None:
        """What the code says; None where it was not read."""
        return None if self.reading is None else self.reading.payload

    @property
    def title(self) -> str:
        """What the code says, or the name of its design."""
        if self.reading is not None:
            text = self.reading.text
            return text if text is not None else f"hex {self.reading.payload.hex()}"
        return "code" if self.comparison is None else self.comparison.name

    @property
    def pitch_nm(self) -> Quantity | None:
        """Mean of the pitches in x and y."""
        x, y = self.pitch_x_nm, self.pitch_y_nm
        if x is None or y is None:
            return None
        doubts = np.array([q.uncertainty or 0.0 for q in (x, y)])
        return Quantity((x.value + y.value) / 2, float(np.hypot(*doubts) / 2), "nm")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, as the command ``nanoqr measure --json`` prints them."""
        x, y = self.pitch_x_nm, self.pitch_y_nm
        return {
            "payload_hex": None if self.payload is None else self.payload.hex(),
            "pitch_nm": {
                "x": _value(x, 5),
                "y": _value(y, 5),
                "uncertainty": None if x is None or y is None else _doubt(x, y),
            },
            **{name: _value(getattr(self, name), 4) for name in _PLAIN},
            "electron_dose_per_nm2": rounded(self.electron_dose_per_nm2),
            "grade": None if self.grade is None else self.grade.to_dict(),
            "raw_bit_error_rate": self.raw_bit_error_rate,
            **{name: _value(getattr(self, name), 4) for name in _MORE},
            "milled": "dark" if self.milled_dark else "light",
            "corners_yx": [[round(float(v), 3) for v in c] for c in self.grid.corners_yx],
            "uncertainties": {
                name: _doubt(value)
                for name in ("pitch_x_nm", "pitch_y_nm", *_PLAIN, *_MORE)
                if (value := getattr(self, name)) is not None
            },
            "symbology": None if self.reading is None else self.reading.symbology,
            "version": None if self.reading is None else self.reading.version,
            "damage": (
                None if self.comparison is None else [vars(area) for area in self.comparison.damage]
            ),
        }


_PLAIN = (
    "module_width_nm", "edge_bias_nm", "roughness_nm", "tilt_deg", "contrast", "snr", "blur_nm",
)  # fmt: skip
"""Quantities that scripts are promised, as plain numbers."""

_MORE = (
    "pitch_px", "orthogonality_deg", "module_height_nm", "sigma_width_nm", "sigma_height_nm",
    "edge_bias_x_nm", "edge_bias_y_nm", "snr_module", "detected_per_primary",
)  # fmt: skip


def _value(quantity: Quantity | None, digits: int) -> float | None:
    return None if quantity is None else round(quantity.value, digits)


def _doubt(*quantities: Quantity) -> float | None:
    """Return the root mean square of expanded uncertainties; None where one is not known."""
    doubts = [q.expanded for q in quantities if q.expanded is not None]
    if len(doubts) < len(quantities):
        return None
    return float(f"{np.sqrt(np.mean(np.square(doubts))):.3g}")
