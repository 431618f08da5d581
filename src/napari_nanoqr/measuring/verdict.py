"""Whether a code that was written is as it was designed: findings, limits and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from napari_nanoqr.measuring.grade_result import Grade
from napari_nanoqr.reading.comparison import Comparison, DamagedArea
from napari_nanoqr.reading.reading import Margin

Outcome = Literal["pass", "marginal", "fail", "not found"]

ORDER: tuple[Outcome, ...] = ("pass", "marginal", "fail", "not found")
"""From good to bad."""


@dataclass(frozen=True)
class VerifyLimits:
    """Up to where a write passes, and from where on it fails; what lies between is marginal.

    Parameters
    ----------
    bit_error_rate : tuple of float
        Share of the modules that look other than designed, by noise or for a reason.
    damaged : tuple of float
        Share of the modules that are damaged, covered or gone, which noise does not explain.
    dose_share : tuple of float
        Share of the image's electrons that reading still needs; 1 is all of them. It is beyond
        1 where the code was read by luck.
    pitch : tuple of float
        Deviation from the designed pitch as a share of it. Magnifications of microscopes that
        were not calibrated lately are known to some per cent only.
    edge : tuple of float
        How far edges lie from their places, as a share of the pitch.
    grade : int
        SEM grade, 4 to 0, below which a write is marginal. A grade alone does not make it fail:
        noise of the image lowers it, too.
    """

    bit_error_rate: tuple[float, float] = (0.01, 0.10)
    damaged: tuple[float, float] = (0.005, 0.10)
    dose_share: tuple[float, float] = (0.5, 1.0)
    pitch: tuple[float, float] = (0.03, 0.15)
    edge: tuple[float, float] = (0.10, 0.25)
    grade: int = 2

    def __post_init__(self) -> None:
        for name in ("bit_error_rate", "damaged", "dose_share", "pitch", "edge"):
            good, bad = getattr(self, name)
            if not 0 <= good <= bad:
                raise ValueError(
                    f"Limits of {name.replace('_', ' ')}: {good:g} to pass and {bad:g} to fail; "
                    "use two numbers from 0 up, the smaller one first."
                )
        if self.grade not in range(5):
            raise ValueError(f"A grade of {self.grade}: use 4 (A) to 0 (F).")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    name : str
        What.
    outcome : {"pass", "marginal", "fail"}
        What follows from it.
    value : float or None
        The number that was held against the limits.
    sentence : str
        For people.
    """

    name: str
    outcome: Outcome
    value: float | None
    sentence: str

    @classmethod
    def of(cls, name: str, value: float, limits: tuple[float, float], sentence: str) -> Finding:
        """Return what follows from a number that is to be small."""
        good, bad = limits
        outcome: Outcome = "pass" if value <= good else "fail" if value > bad else "marginal"
        return cls(name, outcome, value, sentence)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        value = None if self.value is None else float(f"{self.value:.5g}")
        return {
            "name": self.name,
            "outcome": self.outcome,
            "value": value,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, eq=False)
class WrittenPlace:
    """One place at which the design was found.

    Parameters
    ----------
    comparison : Comparison
        Module by module.
    grade : Grade
        How good the symbol is.
    margin : Margin or None
        How much fainter the image could be; None where the code cannot be read.
    findings : tuple of Finding
        Everything that was looked at.
    damage : tuple of DamagedArea
        Where modules differ or tell nothing for a reason that is not noise.
    pitch_nm : float
        With which modules are turned into nm: as measured, or else as designed.
    """

    comparison: Comparison = field(repr=False)
    grade: Grade = field(repr=False)
    margin: Margin | None = field(repr=False)
    findings: tuple[Finding, ...]
    damage: tuple[DamagedArea, ...]
    pitch_nm: float

    @property
    def outcome(self) -> Outcome:
        """The worst of all findings."""
        return max((finding.outcome for finding in self.findings), key=ORDER.index)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "outcome": self.outcome,
            "findings": [finding.to_dict() for finding in self.findings],
            "comparison": self.comparison.to_dict(),
            "damage_nm": [self._area(area) for area in self.damage],
            "grade": self.grade.to_dict(),
            "margin": None if self.margin is None else self.margin.to_dict(),
        }

    def _area(self, area: DamagedArea) -> dict[str, float]:
        """Return an area in nm: down and right of the symbol's top left corner."""
        pitch = self.pitch_nm
        return {
            "top": round(area.row * pitch, 2),
            "left": round(area.column * pitch, 2),
            "height": round(area.rows * pitch, 2),
            "width": round(area.columns * pitch, 2),
        }


@dataclass(frozen=True, eq=False)
class Verdict:
    """Whether a design was written as it was meant.

    Parameters
    ----------
    name : str
        Of the design.
    places : tuple of WrittenPlace
        Where it was found, from the top of the image to its bottom.
    advice : str
        What is there instead, where it was not found.
    """

    name: str
    places: tuple[WrittenPlace, ...]
    advice: str = ""

    @property
    def outcome(self) -> Outcome:
        """The worst of all places; "not found" where there is none."""
        if not self.places:
            return "not found"
        return max((place.outcome for place in self.places), key=ORDER.index)

    @property
    def passed(self) -> bool:
        """Whether there is nothing to complain of."""
        return self.outcome == "pass"

    @property
    def reasons(self) -> tuple[str, ...]:
        """What keeps it from passing, the worst first; everything where it passes."""
        if not self.places:
            return (self.advice,)
        many = len(self.places) > 1
        told = [
            (ORDER.index(finding.outcome), f"Place {number}: {finding.sentence}" if many
             else finding.sentence)
            for number, place in enumerate(self.places, start=1)
            for finding in place.findings
        ]  # fmt: skip
        if not self.passed:
            told = sorted((t for t in told if t[0] > 0), key=lambda t: -t[0])
        return tuple(sentence for _, sentence in told)

    @property
    def headline(self) -> str:
        """The verdict in a few words."""
        said = {
            "pass": "written as designed",
            "marginal": "readable, with reservations",
            "fail": "not good enough",
            "not found": "not found in the image",
        }
        return f"{self.outcome.upper()} · {self.name}: {said[self.outcome]}"

    def __str__(self) -> str:
        """Say it in lines for people."""
        return "\n".join([self.headline, *(f"  {reason}" for reason in self.reasons)])

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, as ``nanoqr verify --json`` prints them."""
        return {
            "design": self.name,
            "outcome": self.outcome,
            "reasons": list(self.reasons),
            "places": [place.to_dict() for place in self.places],
        }
