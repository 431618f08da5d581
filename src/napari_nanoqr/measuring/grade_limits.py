"""Which values make which grade: all limits in one place, each with its source."""

from __future__ import annotations

from dataclasses import dataclass

LETTERS = "FDCBA"
"""Letters of the numeric grades 0 to 4."""

_TINY = 1e-9
"""Values that computing in floats put this little beyond a limit are on it."""


@dataclass(frozen=True)
class Limits:
    """The values at which the grades A, B, C and D end; what lies beyond is F.

    Parameters
    ----------
    values : tuple of float
        Last value of A, of B, of C and of D.
    higher : bool
        The higher a value, the better.
    source : str
        Where the values are from.
    """

    values: tuple[float, float, float, float]
    higher: bool
    source: str

    def grade(self, value: float) -> int:
        """Return the grade of a value, 4 (A) to 0 (F); 0 for what is no number."""
        sign = 1.0 if self.higher else -1.0
        for grade, limit in zip((4, 3, 2, 1), self.values, strict=True):
            if sign * (value - limit) >= -_TINY:
                return grade
        return 0


_TABLES = "ISO/IEC 15415:2011, as a handbook of verifiers cites it"
_FROM_MEMORY = "ISO/IEC 15415:2011, from memory of its tables"
_ANNEX = "after the annex on print quality of ISO/IEC 18004:2015, from memory of its tables"

LIMITS = {
    "symbol contrast": Limits((0.70, 0.55, 0.40, 0.20), True, _TABLES),
    "modulation": Limits((0.50, 0.40, 0.30, 0.20), True, _TABLES),
    "unused error correction": Limits((0.62, 0.50, 0.37, 0.25), True, _TABLES),
    "axial non-uniformity": Limits((0.06, 0.08, 0.10, 0.12), False, _FROM_MEMORY),
    "grid non-uniformity": Limits((0.38, 0.50, 0.63, 0.75), False, _FROM_MEMORY),
    "corner": Limits((0, 1, 2, 3), False, _ANNEX),
    "timing": Limits((0.0, 0.07, 0.11, 0.14), False, _ANNEX),
    "alignment": Limits((0.0, 0.10, 0.20, 0.30), False, _ANNEX),
    "information": Limits((0, 1, 2, 3), False, _ANNEX),
}
"""Limits by what is graded: shares of 1; of corners and format information, damaged modules.

Those of contrast, modulation and unused error correction stand in a manual of a maker of verifiers
(Cognex, DataMan 475 Reference Manual, "ISO/IEC 15415 Grading Parameters"). The others are
from memory: the text of the standards is not free, and they could not be checked against it.
"""
