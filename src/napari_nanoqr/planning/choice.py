"""A symbol that holds a payload, and what it takes to mill and to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from napari_nanoqr.design.density import RECORD_AREA_UM2
from napari_nanoqr.design.design import Mill
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.planning.read_probability import ReadProbability

Limit = Literal["beam spot", "reading dose"]
"""What keeps a pitch from being smaller."""


@dataclass(frozen=True)
class Choice:
    """A symbol that holds a payload, milled at one pitch.

    Parameters
    ----------
    symbology : {"QR", "Micro QR", "rMQR"}
        Kind of symbol.
    version : int or str
        1 to 40, ``"M1"`` to ``"M4"``, or e.g. ``"R13x43"``.
    error : {"L", "M", "Q", "H"}
        Error-correction level.
    modules : tuple of int
        Rows and columns, without quiet zone.
    pitch_nm : float
        Side of a module.
    area_um2 : float
        Area of the symbol, without quiet zone.
    beam : Beam
        What mills it.
    beam_time_s : float
        Time with the beam on.
    reading : ReadProbability
        How probably an image of it is read.
    payload : bytes or str
        What is to be encoded: the one that was given, or its form in capital letters.
    mask : int
        Data mask.
    mill : {"dark", "light"}
        Which modules the beam removes.
    limited_by : {"beam spot", "reading dose"}, optional
        What keeps the pitch from being smaller, where it is the smallest: the beam would not
        resolve less, or less would be read too seldom. None where the pitch was given.
    """

    symbology: str
    version: int | str
    error: str
    modules: tuple[int, int]
    pitch_nm: float
    area_um2: float
    beam: Beam
    beam_time_s: float
    reading: ReadProbability
    payload: bytes | str
    mask: int
    mill: Mill = "dark"
    limited_by: Limit | None = None

    @property
    def name(self) -> str:
        """Kind, version and level for people."""
        kind = "" if self.symbology == "rMQR" else f"{self.symbology} "
        return f"{kind}{self.version}-{self.error}"

    @property
    def times_record_area(self) -> float:
        """Area in units of the smallest QR code's on record."""
        return self.area_um2 / RECORD_AREA_UM2

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        text = self.payload if isinstance(self.payload, str) else None
        raw = self.payload.encode() if isinstance(self.payload, str) else self.payload
        return {
            "symbology": self.symbology,
            "version": self.version,
            "error": self.error,
            "modules": list(self.modules),
            "area_um2": round(self.area_um2, 6),
            "beam_time_s": float(f"{self.beam_time_s:.4g}"),
            **self.reading.to_dict(),
            "pitch_nm": self.pitch_nm,
            "times_record_area": round(self.times_record_area, 4),
            "beam_current_pa": self.beam.current_pa,
            "spot_nm": self.beam.spot_nm,
            "mask": self.mask,
            "mill": self.mill,
            "limited_by": self.limited_by,
            "text": text,
            "payload_hex": raw.hex(),
        }
