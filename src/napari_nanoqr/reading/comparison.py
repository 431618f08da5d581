"""A design found in an image: module by module, what is there against what was to be there."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.dose import rounded

CONVINCING_DAMAGE = 7.0
"""Evidence (natural logarithm) from which on modules side by side differ for a reason: about one
over the number of places where they could lie."""

_CHOICE = 2.0
"""Evidence that each module has to bring along for having been chosen: there are about e^2 times
as many ways to put one more module beside others."""

COVERED = 0.5
"""Probability from which on a module counts as covered or gone."""


@dataclass(frozen=True)
class DamagedArea:
    """Modules side by side that are not what they were to be.

    Parameters
    ----------
    row, column : int
        First row and column of the box around them.
    rows, columns : int
        Its size.
    modules : int
        How many modules differ or are covered.
    covered : int
        How many of them show nothing at all.
    """

    row: int
    column: int
    rows: int
    columns: int
    modules: int
    covered: int


@dataclass(frozen=True, eq=False)
class Comparison:
    """A design in an image.

    Parameters
    ----------
    name : str
        Of the design.
    corners_yx : (4, 2) float array
        Outer corners of the symbol in pixels, as those of a reading.
    mirrored, inverted : bool
        How the image shows it.
    pitch_px, pitch_nm, rotation_deg : float
        As those of a reading.
    agreement : float
        Correlation of what the modules look like with what they are to be, 0 to 1; modules that
        all symbols of the version share are left out.
    written : (rows, columns) bool array
        The design's modules, True = dark.
    likelihoods : (rows, columns) float32 array
        Natural logarithm of P(light) / P(dark) by the image alone.
    covered : (rows, columns) float32 array
        How likely each module lies in an area that is covered or gone.
    readable : bool
        The code can still be decoded, and gives the design's payload.
    blocks : int
        Number of blocks.
    failed_blocks : tuple of int
        Those that can no longer be decoded.
    """

    name: str
    corners_yx: NDArray[np.float64]
    mirrored: bool
    inverted: bool
    pitch_px: float
    pitch_nm: float | None
    rotation_deg: float
    agreement: float
    written: NDArray[np.bool_] = field(repr=False)
    likelihoods: NDArray[np.float32] = field(repr=False)
    covered: NDArray[np.float32] = field(repr=False)
    readable: bool
    blocks: int
    failed_blocks: tuple[int, ...]

    @property
    def evidence(self) -> NDArray[np.float32]:
        """Natural logarithm of P(as designed) / P(not) of each module."""
        return np.where(self.written, -self.likelihoods, self.likelihoods)

    @property
    def different(self) -> NDArray[np.bool_]:
        """Modules that look like the other kind, by noise or for a reason."""
        return self.evidence < 0

    @property
    def raw_bit_error_rate(self) -> float:
        """Share of these."""
        return float(self.different.mean())

    @cached_property
    def damage(self) -> tuple[DamagedArea, ...]:
        """Where modules differ for a reason that is not noise, the largest first."""
        from scipy.ndimage import find_objects, label

        covered = self.covered > COVERED
        wrong = self.different | covered
        labels, _ = label(wrong, structure=np.ones((3, 3)))
        found = []
        for number, box in enumerate(find_objects(labels), start=1):
            here = labels[box] == number
            against = float((-self.evidence[box][here & self.different[box]] - _CHOICE).sum())
            gone = int(covered[box][here].sum())
            if gone or against > CONVINCING_DAMAGE:
                (top, bottom), (left, right) = ((s.start, s.stop) for s in box)
                found.append(
                    DamagedArea(top, left, bottom - top, right - left, int(here.sum()), gone)
                )
        return tuple(sorted(found, key=lambda damage: -damage.modules))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, as ``nanoqr decode --design --json`` prints them."""
        return {
            "design": self.name,
            "corners_yx": [[round(float(v), 3) for v in corner] for corner in self.corners_yx],
            "mirrored": self.mirrored,
            "inverted": self.inverted,
            "pitch_nm": None if self.pitch_nm is None else round(self.pitch_nm, 4),
            "pitch_px": round(self.pitch_px, 4),
            "rotation_deg": round(self.rotation_deg, 3),
            "agreement": rounded(self.agreement),
            "raw_bit_error_rate": rounded(self.raw_bit_error_rate),
            "different_modules": np.argwhere(self.different).tolist(),
            "damage": [vars(damage) for damage in self.damage],
            "readable": self.readable,
            "blocks": self.blocks,
            "failed_blocks": list(self.failed_blocks),
        }

    def __str__(self) -> str:
        """Say in some sentences how it compares."""
        count, of = int(self.different.sum()), self.different.size
        words = [f"{self.name}: {count} of {of} modules differ ({100 * count / of:.2g} %)"]
        if self.damage:
            gone = sum(damage.covered for damage in self.damage)
            largest = self.damage[0]
            words.append(
                f"damage in {len(self.damage)} place{'s' * (len(self.damage) > 1)}, the largest of "
                f"{largest.modules} modules from row {largest.row}, column {largest.column}"
                + (f"; {gone} modules covered or gone" if gone else "")
            )
        if self.readable:
            words.append("still readable")
        elif self.blocks > 1 and self.failed_blocks:
            lost = f"{len(self.failed_blocks)} of {self.blocks} blocks lost"
            words.append(f"no longer readable, {lost}")
        else:
            words.append("no longer readable")
        return " · ".join(words)
