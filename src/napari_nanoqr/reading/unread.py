"""What is known of a symbol that was seen and could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.dose import Dose, rounded

Stage = Literal["locate", "weigh", "decode"]
"""Where reading came to its end: nothing was found; the modules of what was found cannot be
told apart; the error-correcting code could not mend them."""


@dataclass(frozen=True, eq=False)
class Unread:
    """A symbol that was seen in an image, and could not be read.

    Parameters
    ----------
    corners_yx : (4, 2) float array
        Outer corners of the symbol, as those of a `napari_nanoqr.reading.reading.Reading`.
    symbology : {"QR", "Micro QR", "rMQR"}
        Kind of symbol.
    version : int or str
        The version that fits best.
    error, mask : str, int
        The most likely error-correction level and data mask; where the format information leaves
        several open, those that need most electrons.
    mirrored, inverted : bool
        How the image shows it.
    pitch_px, pitch_nm, rotation_deg : float
        As those of a reading.
    failed_stage : {"weigh", "decode"}
        Where reading it came to its end.
    expected_error_rate : float
        Share of the modules that look like the other kind, as far as the image tells.
    blocks : int
        Number of blocks at this level.
    failed_blocks : tuple of int
        Numbers of those that could not be decoded, all where none was tried. None of them where
        what they hold makes no sense.
    dose_factors : tuple of float
        For each block, about how many times the electrons it needs to be read in 99 of 100
        images; 1 and less where it is not for want of electrons. Empty where nothing can be
        said.
    dose : Dose
        Of this image.
    advice : str
        A sentence: what to change.
    """

    corners_yx: NDArray[np.float64]
    symbology: str
    version: int | str
    error: str
    mask: int
    mirrored: bool
    inverted: bool
    pitch_px: float
    pitch_nm: float | None
    rotation_deg: float
    failed_stage: Stage
    expected_error_rate: float
    blocks: int
    failed_blocks: tuple[int, ...]
    dose_factors: tuple[float, ...] = ()
    dose: Dose = field(default_factory=Dose)
    advice: str = ""

    @property
    def dose_factor(self) -> float | None:
        """How many times the electrons would make it readable; None where not known."""
        return max(self.dose_factors) if self.dose_factors else None

    @property
    def needed(self) -> Dose:
        """The dose that would make it readable."""
        return Dose() if self.dose_factor is None else self.dose.times(self.dose_factor)

    @property
    def name(self) -> str:
        """Kind of symbol in a word or two."""
        kind = f"version {self.version}" if self.symbology == "QR" else str(self.version)
        return f"{kind}-{self.error}" if self.error else kind

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, as the command ``nanoqr decode --json`` prints them."""
        needed, factor = self.needed, self.dose_factor
        return {
            "symbology": self.symbology,
            "version": self.version,
            "error": self.error,
            "mask": self.mask,
            "corners_yx": [[round(float(v), 3) for v in corner] for corner in self.corners_yx],
            "mirrored": self.mirrored,
            "inverted": self.inverted,
            "pitch_nm": None if self.pitch_nm is None else round(self.pitch_nm, 4),
            "pitch_px": round(self.pitch_px, 4),
            "rotation_deg": round(self.rotation_deg, 3),
            "failed_stage": self.failed_stage,
            "expected_error_rate": round(self.expected_error_rate, 5),
            "blocks": self.blocks,
            "failed_blocks": list(self.failed_blocks),
            "block_dose_factors": [rounded(factor) for factor in self.dose_factors],
            "dose_factor": rounded(factor),
            "needed_electrons_per_pixel": rounded(needed.per_pixel),
            "needed_electrons_per_nm2": rounded(needed.per_nm2),
            "advice": self.advice,
        }
