"""A measured value with its standard uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, isfinite, log10


@dataclass(frozen=True)
class Quantity:
    """A measured value.

    Parameters
    ----------
    value : float
        Best estimate.
    uncertainty : float or None
        Standard uncertainty (coverage factor 1), in the same unit; None where it is not known.
    unit : str
        As people write it, e.g. ``"nm"``; empty for a plain number.

    References
    ----------
    JCGM 100:2008, Guide to the expression of uncertainty in measurement: the standard
    uncertainty, and two digits of it when a result is stated.
    """

    value: float
    uncertainty: float | None = None
    unit: str = ""

    def __str__(self) -> str:
        """Say it with the digits that the uncertainty leaves."""
        unit = f" {self.unit}" if self.unit else ""
        doubt = self.uncertainty
        if doubt is None or not isfinite(doubt) or doubt <= 0:
            return f"{self.value:.4g}{unit}"
        digits = max(1 - floor(log10(doubt)), 0)
        return f"{self.value:.{digits}f} ± {doubt:.{digits}f}{unit}"

    def to_dict(self) -> dict[str, float | str | None]:
        """Return plain JSON values."""
        return {"value": self.value, "uncertainty": self.uncertainty, "unit": self.unit}
