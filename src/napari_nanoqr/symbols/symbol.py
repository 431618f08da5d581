"""A symbol: the modules, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from unicodedata import category

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.kinds import layout_named


@dataclass(frozen=True, eq=False)
class Symbol:
    """A symbol without its quiet zone.

    Parameters
    ----------
    payload : bytes
        What it says: bytes as they are stored, and UTF-8 for what is stored as characters in the
        Kanji mode or in a character set that an ECI names.
    matrix : (rows, columns) bool array
        The modules, True = dark, row 0 at the top; made read-only.
    version : int or str
        1 to 40 for a QR code, ``"M1"`` to ``"M4"`` for a Micro QR code, e.g. ``"R13x43"`` for an
        rMQR code.
    error : {"L", "M", "Q", "H"}
        Error-correction level.
    mask : int
        Data mask, 0 to 7.
    """

    payload: bytes
    matrix: NDArray[np.bool_]
    version: int | str
    error: str
    mask: int

    def __post_init__(self) -> None:
        self.matrix.setflags(write=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Symbol):
            return NotImplemented
        return (
            (self.payload, self.version, self.error, self.mask)
            == (other.payload, other.version, other.error, other.mask)
            and bool(np.array_equal(self.matrix, other.matrix))
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash((self.payload, self.version, self.error, self.mask))

    @property
    def modules(self) -> int:
        """Modules along one side; of an rMQR code along the shorter one."""
        return int(self.matrix.shape[0])

    @property
    def codewords(self) -> int:
        """Data and parity codewords together."""
        return layout_named(self.version).blocks[self.error].codewords

    @property
    def correctable_codewords(self) -> int:
        """Wrong codewords that the symbol can carry when they spread evenly over its blocks."""
        blocks = layout_named(self.version).blocks[self.error]
        return blocks.correctable * len(blocks.data)

    @property
    def text(self) -> str | None:
        """The payload as UTF-8 text, None where it is not text."""
        return as_text(self.payload)


def as_text(payload: bytes) -> str | None:
    """Return a payload as UTF-8 text.

    Parameters
    ----------
    payload : bytes
        Any bytes.

    Returns
    -------
    str or None
        None where the bytes are not UTF-8, or hold control characters other than tab and
        line ends: such a payload is shown as hex. Spaces of any width are text.
    """
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if text.isprintable():
        return text
    plain = all(c.isprintable() or c in "\t\n\r" or category(c) == "Zs" for c in text)
    return text if plain else None
