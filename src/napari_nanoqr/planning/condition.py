"""How an SEM will look at what is milled."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from napari_nanoqr.physics.sem import SemModel


@dataclass(frozen=True)
class SemCondition:
    """One way of taking a micrograph, the same for every symbol that is planned for it.

    Parameters
    ----------
    pixel_size_nm : float
        Pixel size; 6.125 nm are 8 pixels for a module of 49 nm.
    electrons_per_pixel : float
        Primary electrons for each pixel, those of all frames together.
    probe_nm : float
        Standard deviation of the focused probe, a Gaussian.
    defocus_nm : float
        Standard deviation of the blur that being out of focus adds to the probe's.
    drift_nm : tuple of float
        Movement (y, x) of the specimen from the first pixel to the last one.
    tilt_deg : float
        Tilt of the stage about the image's x axis.
    model : SemModel
        Contrast and detector.

    Raises
    ------
    ValueError
        Where a value is out of range.
    """

    pixel_size_nm: float = 6.125
    electrons_per_pixel: float = 50.0
    probe_nm: float = 2.0
    defocus_nm: float = 0.0
    drift_nm: tuple[float, float] = (0.0, 0.0)
    tilt_deg: float = 0.0
    model: SemModel = field(default_factory=SemModel)

    def __post_init__(self) -> None:
        if not (self.pixel_size_nm > 0 and math.isfinite(self.pixel_size_nm)):
            raise ValueError(f"A pixel of {self.pixel_size_nm:g} nm cannot be.")
        if not 0 < self.electrons_per_pixel < 1e9:
            raise ValueError(f"{self.electrons_per_pixel:g} electrons a pixel cannot be.")
        if not (0 <= self.probe_nm < 1e4 and 0 <= self.defocus_nm < 1e4):
            raise ValueError("Probe and defocus are widths in nm, and not negative.")
        if not abs(self.tilt_deg) <= 80:
            raise ValueError(f"A tilt of {self.tilt_deg:g} degrees is more than stages can do.")

    @property
    def blur_nm(self) -> float:
        """Standard deviation of the probe where it meets the specimen."""
        return math.hypot(self.probe_nm, self.defocus_nm)

    def arguments(self) -> dict[str, Any]:
        """Return what `simulate_micrograph` is to be given."""
        return {
            "pixel_size_nm": self.pixel_size_nm,
            "electrons_per_pixel": self.electrons_per_pixel,
            "probe_nm": self.blur_nm,
            "drift_nm": self.drift_nm,
            "tilt_deg": self.tilt_deg,
            "model": self.model,
        }

    def __str__(self) -> str:
        said = f"{self.electrons_per_pixel:g} electrons a pixel of {self.pixel_size_nm:g} nm"
        if self.defocus_nm:
            said += f", defocus {self.defocus_nm:g} nm"
        if any(self.drift_nm):
            said += f", drift {math.hypot(*self.drift_nm):.3g} nm"
        return said + (f", tilt {self.tilt_deg:g} degrees" if self.tilt_deg else "")
