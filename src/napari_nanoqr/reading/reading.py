"""What reading one code gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.dose import Dose, rounded


@dataclass(frozen=True)
class Margin:
    """How far a code is from not being readable.

    Parameters
    ----------
    shares : tuple of float
        For each block, the share of this image's electrons with which it would still be read
        in 99 of 100 images; above 1 where it was read by luck.
    dose : Dose
        Of this image.
    """

    shares: tuple[float, ...]
    dose: Dose

    @property
    def share(self) -> float:
        """Share of the electrons below which the code stops being readable."""
        return max(self.shares)

    @property
    def noise(self) -> tuple[float, ...]:
        """By what factor the noise in each block could grow."""
        return tuple(share**-0.5 for share in self.shares)

    @property
    def stop(self) -> Dose:
        """The dose at which the code stops being readable."""
        return self.dose.times(self.share)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "block_noise_factors": [rounded(factor) for factor in self.noise],
            "stop_dose_share": rounded(self.share),
            "stop_electrons_per_pixel": rounded(self.stop.per_pixel),
            "stop_electrons_per_nm2": rounded(self.stop.per_nm2),
        }


@dataclass(frozen=True, eq=False)
class Reading:
    """A code that was read from an image.

    Parameters
    ----------
    payload : bytes
        What the symbol says: bytes as they are stored, and UTF-8 for what is stored as characters
        in the Kanji mode or in a character set that an ECI names.
    text : str or None
        The payload as text, None where it is not text.
    symbology : {"QR", "Micro QR", "rMQR"}
        Kind of symbol.
    version : int or str
        1 to 40 for QR, ``"M1"`` to ``"M4"`` for Micro QR, e.g. ``"R13x43"`` for rMQR.
    error : str or None
        Error-correction level, ``"L"``, ``"M"``, ``"Q"`` or ``"H"``; None for Micro QR M1, which
        has none.
    mask : int or None
        Data mask; None where the symbology has none, as rMQR.
    corners_yx : (4, 2) float array
        Outer corners of the symbol, without quiet zone, as ``[y, x]`` in pixels of the image
        that was given; the centre of the first pixel is (0, 0). Top left, top right, bottom
        right, bottom left of the symbol as encoded, so that the order runs clockwise in the
        image, and anticlockwise where the symbol is mirrored.
    mirrored : bool
        The image shows the symbol as in a mirror.
    inverted : bool
        The image shows the dark modules brighter than the light ones.
    pitch_px : float
        Distance from module to module in pixels, mean of the four sides.
    pitch_nm : float or None
        The same on the specimen, corrected for the stage tilt where the micrograph tells it;
        None where the pixel size is not known.
    rotation_deg : float
        Direction of the symbol's top edge in the image, -180 to 180; positive is clockwise.
    corrected_codewords : int or None
        Codewords that error correction repaired, by soft decoding possibly more than
        ``correctable_per_block`` in a block; None where only the native reader could
        tell and did not.
    corrected_per_block : tuple of int
        The same for each block; empty where not known.
    correctable_per_block : int or None
        Codewords that each block can repair.
    confidence : float
        One minus an upper bound on the probability that modules which do not hold this payload
        would have been accepted for it; 1 means less than 1e-16. It counts how few modules had
        to be repaired, not how sharp the image is.
    reader : str
        Who found it: ``"zxing-cpp"``, ``"zbar"``, or ``"nanoqr"`` where a native reader only
        found the place and the modules were sampled and decoded here.
    preparation : str
        In words, the version of the image in which it was found.
    matrix : (rows, columns) bool array or None
        Modules as sampled from the image, True = dark, upright and not mirrored.
    wrong : (rows, columns) bool array or None
        Modules that error correction had to repair.
    likelihoods : (rows, columns) float32 array or None
        Natural logarithm of P(light) / P(dark) for every module, upright and not mirrored; None
        where the modules were not weighed.
    structured_append : tuple of int or None
        Index, number of symbols and parity byte where the symbol is part of a set.
    margin : Margin or None
        How much fainter the image could be; None where that was not measured.
    stored : bytes or None
        The payload as the symbol stores it: Kanji as Shift JIS; None where not known.
    """

    payload: bytes
    text: str | None
    symbology: str
    version: int | str
    error: str | None
    mask: int | None
    corners_yx: NDArray[np.float64]
    mirrored: bool
    inverted: bool
    pitch_px: float
    pitch_nm: float | None
    rotation_deg: float
    corrected_codewords: int | None
    confidence: float
    reader: str
    preparation: str
    corrected_per_block: tuple[int, ...] = ()
    correctable_per_block: int | None = None
    matrix: NDArray[np.bool_] | None = field(default=None, repr=False)
    wrong: NDArray[np.bool_] | None = field(default=None, repr=False)
    likelihoods: NDArray[np.float32] | None = field(default=None, repr=False)
    structured_append: tuple[int, int, int] | None = None
    margin: Margin | None = None
    stored: bytes | None = field(default=None, repr=False)

    @property
    def raw_bit_error_rate(self) -> float | None:
        """Share of modules that were sampled other than written, None where not known."""
        return None if self.wrong is None else float(np.mean(self.wrong))

    @property
    def correctable_left(self) -> int | None:
        """Codewords that the worst block could still have repaired, None where not known."""
        if self.correctable_per_block is None or not self.corrected_per_block:
            return None
        return max(0, self.correctable_per_block - max(self.corrected_per_block))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, as the command ``nanoqr decode --json`` prints them."""
        return {
            "payload_hex": self.payload.hex(),
            "text": self.text,
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
            "corrected_codewords": self.corrected_codewords,
            "corrected_per_block": list(self.corrected_per_block),
            "correctable_per_block": self.correctable_per_block,
            "correctable_left": self.correctable_left,
            "raw_bit_error_rate": self.raw_bit_error_rate,
            "confidence": self.confidence,
            "reader": self.reader,
            "preparation": self.preparation,
            "structured_append": (
                None if self.structured_append is None else list(self.structured_append)
            ),
            "margin": None if self.margin is None else self.margin.to_dict(),
        }
