"""A measured value with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, isfinite, log10

COVERAGE = 1.96
"""Standard uncertainties to each side that hold the true value in 95 of 100 cases."""


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
    JCGM 100:2008, Guide to the expression of uncertainty in measurement: what is stated is the
    expanded uncertainty, with two digits.
    """

    value: float
    uncertainty: float | None = None
    unit: str = ""

    @property
    def expanded(self) -> float | None:
        """Expanded uncertainty: the true value lies within it in 95 of 100 cases."""
        return None if self.uncertainty is None else COVERAGE * self.uncertainty

    def __str__(self) -> str:
        """Say it with its expanded uncertainty, and the digits that this leaves."""
        unit = f" {self.unit}" if self.unit else ""
        doubt = self.expanded
        if doubt is None or not isfinite(doubt) or doubt <= 0:
            return f"{self.value:.4g}{unit}"
        digits = max(1 - floor(log10(doubt)), 0)
        return f"{self.value:.{digits}f} ± {doubt:.{digits}f}{unit}"

    def to_dict(self) -> dict[str, float | str | None]:
        """Return plain JSON values, with the expanded uncertainty."""
        return {"value": self.value, "uncertainty": self.expanded, "unit": self.unit}
