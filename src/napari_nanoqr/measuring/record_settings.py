"""How micrographs are read, measured and reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari_nanoqr.design.design import Design
from napari_nanoqr.sem.given import Given


@dataclass(frozen=True)
class RecordSettings:
    """How micrographs are read.

    Parameters
    ----------
    pixel_size_nm : float or None
        Instead of what the files say.
    pitch_nm : float or None
        Side of a module, where it is known.
    design : Design or None
        What was written: each image is held against it.
    margin : bool
        Measure down to which dose each code would be read.
    measure : bool
        Measure and grade each code.
    tilt_deg, dwell_s, beam_current_a : float or None
        Instead of what the files say, see `napari_nanoqr.sem.given.Given`.
    region : tuple of int or None
        First row, first column, height and width of the pixels that are read; the record is
        that of this part, and pixels of it are counted from its corner.
    """

    pixel_size_nm: float | None = None
    pitch_nm: float | None = None
    design: Design | None = None
    margin: bool = True
    measure: bool = True
    tilt_deg: float | None = None
    dwell_s: float | None = None
    beam_current_a: float | None = None
    region: tuple[int, int, int, int] | None = None

    def __post_init__(self) -> None:
        # what cannot be true is refused before any file is opened
        _ = self.given

    @property
    def given(self) -> Given:
        """What is to be taken instead of what the files say."""
        return Given(self.pixel_size_nm, self.tilt_deg, self.dwell_s, self.beam_current_a)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "pixel_size_nm": self.pixel_size_nm,
            "pitch_nm": self.pitch_nm,
            "design": None if self.design is None else self.design.to_dict(),
            "margin": self.margin,
            "measure": self.measure,
            "tilt_deg": self.tilt_deg,
            "dwell_s": self.dwell_s,
            "beam_current_a": self.beam_current_a,
            "region": None if self.region is None else list(self.region),
        }
