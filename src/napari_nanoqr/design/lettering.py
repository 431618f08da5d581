"""Letters of square cells, to be milled beside a symbol.

Five cells wide and seven high, the smallest grid on which digits and capitals all differ in more
than one cell; a column of light cells stands between two letters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 5, 7

# one number of two hex digits a row from the top; its five lowest bits are the cells, left first
_GLYPHS = {
    "0": "0E 11 13 15 19 11 0E", "1": "04 0C 04 04 04 04 0E", "2": "0E 11 01 06 08 10 1F",
    "3": "1F 02 04 06 01 11 0E", "4": "02 06 0A 12 1F 02 02", "5": "1F 10 1E 01 01 11 0E",
    "6": "06 08 10 1E 11 11 0E", "7": "1F 01 02 04 08 08 08", "8": "0E 11 11 0E 11 11 0E",
    "9": "0E 11 11 0F 01 02 0C", "A": "04 0A 11 11 1F 11 11", "B": "1E 11 11 1E 11 11 1E",
    "C": "0E 11 10 10 10 11 0E", "D": "1C 12 11 11 11 12 1C", "E": "1F 10 10 1E 10 10 1F",
    "F": "1F 10 10 1E 10 10 10", "G": "0E 11 10 17 11 11 0F", "H": "11 11 11 1F 11 11 11",
    "I": "0E 04 04 04 04 04 0E", "J": "07 02 02 02 02 12 0C", "K": "11 12 14 18 14 12 11",
    "L": "10 10 10 10 10 10 1F", "M": "11 1B 15 15 11 11 11", "N": "11 19 19 15 13 13 11",
    "O": "0E 11 11 11 11 11 0E", "P": "1E 11 11 1E 10 10 10", "Q": "0E 11 11 11 15 12 0D",
    "R": "1E 11 11 1E 14 12 11", "S": "0F 10 10 0E 01 01 1E", "T": "1F 04 04 04 04 04 04",
    "U": "11 11 11 11 11 11 0E", "V": "11 11 11 11 0A 0A 04", "W": "11 11 11 15 15 1B 11",
    "X": "11 11 0A 04 0A 11 11", "Y": "11 11 0A 04 04 04 04", "Z": "1F 01 02 04 08 10 1F",
    " ": "00 00 00 00 00 00 00", ".": "00 00 00 00 00 0C 0C", ",": "00 00 00 00 0C 04 08",
    "-": "00 00 00 1F 00 00 00", "+": "00 04 04 1F 04 04 00", "/": "01 01 02 04 08 10 10",
    ":": "00 0C 0C 00 0C 0C 00", "=": "00 00 1F 00 1F 00 00", "%": "18 19 02 04 08 13 03",
    "#": "0A 0A 1F 0A 1F 0A 0A", "(": "02 04 08 08 08 04 02", ")": "08 04 02 02 02 04 08",
    "_": "00 00 00 00 00 00 1F", "*": "00 04 15 0E 15 04 00", "?": "0E 11 01 02 04 00 04",
}  # fmt: skip

CHARACTERS = "".join(_GLYPHS)
"""All that can be written; small letters are written as capitals."""


class NoLetter(ValueError):
    """A text with characters that cannot be milled."""


def lettering(text: str) -> NDArray[np.bool_]:
    """Draw a line of text.

    Parameters
    ----------
    text : str
        At least one character of :data:`CHARACTERS`, or small letters.

    Returns
    -------
    (7, 6 * n - 1) bool array
        True where a cell is milled.

    Raises
    ------
    NoLetter
        Where a character is none of these, or nothing would be milled.
    """
    letters = text.upper()
    strange = sorted(set(letters) - set(CHARACTERS))
    if strange:
        raise NoLetter(
            f"{text!r} holds {' '.join(map(repr, strange))}, which cannot be milled: use digits, "
            f"letters from A to Z and {CHARACTERS[37:]}"
        )
    if not letters.strip():
        raise NoLetter("A label has to hold a letter or a digit.")
    return np.concatenate([_glyph(letter) for letter in letters], axis=1)[:, :-1]


def _glyph(letter: str) -> NDArray[np.bool_]:
    """Cells of a letter with the light column after it, ``(7, 6)``."""
    rows = np.array([int(row, 16) for row in _GLYPHS[letter].split()])
    cells = (rows[:, None] >> np.arange(WIDTH)[::-1]) & 1
    return np.pad(cells > 0, ((0, 0), (0, 1)))
