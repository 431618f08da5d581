"""The electron dose of an image, as far as its file tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import overload


@dataclass(frozen=True)
class Dose:
    """Primary electrons, of all frames together.

    Parameters
    ----------
    per_pixel : float or None
        For each pixel; None where beam current or dwell are not known.
    per_nm2 : float or None
        For each nm^2 of the specimen; None where the pixel size is not known either.
    """

    per_pixel: float | None = None
    per_nm2: float | None = None

    def times(self, factor: float) -> Dose:
        """Return so many times the dose."""
        return Dose(
            None if self.per_pixel is None else factor * self.per_pixel,
            None if self.per_nm2 is None else factor * self.per_nm2,
        )

    def __str__(self) -> str:
        """Say it in words, nothing where nothing is known."""
        if self.per_pixel is None:
            return ""
        words = f"{self.per_pixel:.3g} electrons a pixel"
        return words if self.per_nm2 is None else f"{words}, {self.per_nm2:.2g} per nm²"


@overload
def rounded(value: float) -> float: ...
@overload
def rounded(value: None) -> None: ...
def rounded(value: float | None) -> float | None:
    """Return a number with the four digits that it may be good for, as JSON has it."""
    return None if value is None else float(f"{value:.4g}")
