"""What a grade is made of, and how it is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari_nanoqr.measuring.grade_limits import LETTERS, Limits
from napari_nanoqr.measuring.grade_modulation import BlockGrade
from napari_nanoqr.measuring.grade_patterns import Segment

STATEMENT = "SEM grade in the style of ISO/IEC 15415:2011; not a certificate"

_NO_CERTIFICATE = "In the style of ISO/IEC 15415, not a certificate."


@dataclass(frozen=True)
class GradeParameter:
    """One parameter of a grade.

    Parameters
    ----------
    name : str
        As ISO/IEC 15415 calls it.
    value : float or None
        What was measured; None where it cannot be.
    unit : str
        Of the value, empty for a share of 1 or a number.
    numeric : int or None
        4 (A) to 0 (F); None for what is only told.
    limits : Limits or None
        Of the value, where the value alone makes the grade.
    nm : float or None
        The same as a length on the specimen, where it is one.
    note : str
        What is to be known about it, in a sentence; mostly empty.
    """

    name: str
    value: float | None
    unit: str = ""
    numeric: int | None = None
    limits: Limits | None = None
    nm: float | None = None
    note: str = ""

    @property
    def letter(self) -> str | None:
        """A to F; None for what is only told."""
        return None if self.numeric is None else LETTERS[self.numeric]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "name": self.name,
            "value": None if self.value is None else round(self.value, 5),
            "unit": self.unit,
            "letter": self.letter,
            "grade": self.numeric,
            "limits": None if self.limits is None else list(self.limits.values),
            "nm": None if self.nm is None else round(self.nm, 4),
            "note": self.note,
        }


@dataclass(frozen=True)
class Grade:
    """The grade of one symbol in one image.

    Parameters
    ----------
    parameters : tuple of GradeParameter
        Graded ones first, then those that are only told.
    blocks : tuple of BlockGrade
        Of the codewords.
    segments : tuple of Segment
        Of the fixed patterns, the format information and the version information.
    aperture : float
        Diameter in modules.
    threshold : float
        Global threshold, in grey values.
    black_level : float
        Grey value that counts as no signal.
    black_level_known : bool
        Whether that was told; else it is 0.
    tilt_deg : float
        Stage tilt that was taken out before lengths were compared.
    """

    parameters: tuple[GradeParameter, ...]
    blocks: tuple[BlockGrade, ...]
    segments: tuple[Segment, ...]
    aperture: float
    threshold: float
    black_level: float
    black_level_known: bool
    tilt_deg: float

    @property
    def overall(self) -> int:
        """The lowest grade of all parameters, 4 to 0."""
        return min(p.numeric for p in self.parameters if p.numeric is not None)

    @property
    def letter(self) -> str:
        """The same as a letter."""
        return LETTERS[self.overall]

    @property
    def limiting(self) -> str | None:
        """Name of the first parameter that has the lowest grade; None where all are A."""
        if self.overall == 4:
            return None
        return next(p.name for p in self.parameters if p.numeric == self.overall)

    def __getitem__(self, name: str) -> GradeParameter:
        """Return a parameter by its name."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(name)

    def __str__(self) -> str:
        """Say it in a sentence."""
        if self.limiting is None:
            return f"SEM grade A (4): no parameter is below A. {_NO_CERTIFICATE}"
        worst = self[self.limiting]
        value = (
            "" if worst.value is None else f" ({worst.value:.3g}{worst.unit and ' '}{worst.unit})"
        )
        return (
            f"SEM grade {self.letter} ({self.overall}), by {worst.name}{value}. {_NO_CERTIFICATE}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "letter": self.letter,
            "overall": self.overall,
            "limiting": self.limiting,
            "parameters": [parameter.to_dict() for parameter in self.parameters],
            "blocks": [block.to_dict() for block in self.blocks],
            "segments": [segment.to_dict() for segment in self.segments],
            "aperture": self.aperture,
            "global_threshold": round(self.threshold, 4),
            "black_level": self.black_level,
            "black_level_known": self.black_level_known,
            "corrected_tilt_deg": self.tilt_deg,
            "statement": STATEMENT,
        }
