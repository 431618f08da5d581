"""What stands on the control pages: enough to read a sheet without anything else."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.control_page import draw_pages, fill_rows
from napari_nanoqr.archive.description import code_table
from napari_nanoqr.archive.layout import RATES, SEED, WORD_BYTES
from napari_nanoqr.codes.ldpc import header_code, tile_code

_TABLE_NAMES = ("1/2", "2/3", "4/5", "53/60")


def draw_control(
    page: int, pitch_nm: float, tiles_per_field: int, gap_modules: int, rate: str, bits: int
) -> NDArray[np.uint8]:
    """Draw a control page of a sheet.

    Parameters
    ----------
    page : int
        0 to 3.
    pitch_nm, tiles_per_field, gap_modules, rate, bits
        See :func:`control_text`.

    Returns
    -------
    (512, 512) uint8 array
        Level of each module.
    """
    return _pages(pitch_nm, tiles_per_field, gap_modules, rate, bits)[page]


@lru_cache(maxsize=4)
def _pages(
    pitch_nm: float, tiles_per_field: int, gap_modules: int, rate: str, bits: int
) -> tuple[NDArray[np.uint8], ...]:
    text = control_text(pitch_nm, tiles_per_field, gap_modules, rate, bits)
    return tuple(draw_pages(text, bits))


def control_text(
    pitch_nm: float, tiles_per_field: int, gap_modules: int, rate: str, bits: int
) -> str:
    """Return the text of the control pages of a sheet.

    Parameters
    ----------
    pitch_nm : float
        Side of a module in nm.
    tiles_per_field : int
        Tiles on a side of a field of view.
    gap_modules : int
        Modules between two fields.
    rate : str
        Of the code of the tiles.
    bits : int
        Bits a module.

    Returns
    -------
    str
        Printable ASCII for :func:`~napari_nanoqr.archive.control_page.draw_pages`; it fits.
    """
    depths = "" if bits == 1 else _DEPTHS
    other = "" if bits == 1 else _OTHER_HALF
    paragraphs = [
        "".join(map(chr, range(32, 127))),
        "These are all letters in order of their numbers 32 to 126. A letter is 8 squares of a "
        "row, highest bit first; milled = dark in an electron microscope = 1.",
        f"The sheet holds computer files in squares (modules) of {pitch_nm:g} nm. These 4 pages "
        "have modules 4 times as wide and tell how to read the small ones. All numbers count "
        "from 0, from top left; ranges include both ends. XOR: 1 if two bits differ.",
        f"FIELDS of {tiles_per_field} x {tiles_per_field} tiles, {gap_modules} modules apart, row "
        "by row: first to the right, then to the left, and so on. In a field tiles go row by row "
        "to the right. First comes the title, then these pages, a description with a program "
        "that reads tiles, an index of the files, data. Description and index stand again in the "
        "middle and at the end.",
        "TILE: 512 x 512 modules. Marks to find it: 16 x 16 modules in the corners, 8 x 8 at rows "
        "and columns 0,124,252,380,504 elsewhere. Header, twice: rows 0-15, columns 16-64 and "
        "rows 496-511, columns 447-495, row by row, 780 bits + 4 unused. Data: all other modules "
        "row by row, q = 0,1,2...; the last 208 are unused." + depths,
        f"SEQUENCE: s(0)..s(22) = {SEED:023b}; s(n) = s(n-18) XOR s(n-23). A module of header or "
        "data at row y, column x shows its bit XOR s(512 y + x)"
        + (". " if bits == 1 else ", its low bit XOR s(262144 + 512 y + x). ")
        + "Marks show s(524288) and on: corners top left, top right, bottom left, bottom right, "
        "then small ones, all row by row.",
        f"DATA: {25 * bits} codewords of 10320 bits, rate {_TABLE_NAMES[RATES.index(rate)]}. Data "
        f"module q holds bit i = 6379 (q div 25) mod 10320 of codeword c = q mod 25{other}. First "
        f"bits of a codeword: {WORD_BYTES[rate]} bytes of "
        "payload, high bit first; then 8 bytes CRC-64/XZ of these bytes and one byte c; then 0 "
        "up to the parity bits. The payload of a tile is that of all its codewords in order.",
        "HEADER bytes: 2 'NQ'; 1 version; 1 code: role x 16 + (bits a module - 1) x 4 + rate "
        "(0..3 = 1/2, 2/3, 4/5, 53/60); role 0 data, 1 parity, 2 index, 3 description; 8 archive; "
        "2 sheet; 4 tile; 5 tiles with header; 4 group; 4 groups; 1 member; 1 data members K; 1 "
        "parity members M; 2 payload bytes used; 4 first of SHA-256 of payload; 4 first of "
        "SHA-256 of stream; 4 CRC-32. High byte first.",
        "STREAM: payloads of one role in order of group + groups x member are one file: index "
        "JSON; data a tar (POSIX pax) of a BagIt bag, maybe zstd (RFC 8878), maybe age: the index "
        "tells.",
        "PARITY tile r of a group (member K + r) gives back lost tiles: for each codeword payload "
        "P(r) = sum over data members c of D(c) / ((255 - r) XOR c) in GF(256), polynomial "
        "0x11D; of L bytes, bits i of the 8 eighths form number i, first eighth lowest bit.",
        "CODE: a codeword is 60 blocks of Z bits (data Z = 172, header Z = 13). The table lists "
        "for each information block, parted by commas, rows (a-z, A-D = 0..29) and shifts s. "
        "Check z of a row, 0..Z-1, holds bit (z + s) mod Z of the block. The R blocks left are "
        "parity: the first in row 0 (s 1), row R div 2 (s 0), row R-1 (s 1); parity block j > 0 in "
        "rows j-1 and j (s 0). The bits of each check add up to an even number: so errors are "
        "found and corrected (low-density parity check).",
    ]
    tables = zip(("header", *_TABLE_NAMES), (header_code(), *map(tile_code, RATES)), strict=True)
    paragraphs += [f"TABLE {name}: {code_table(code)}" for name, code in tables]
    return fill_rows(paragraphs)


_DEPTHS = (
    " Modules have 4 depths 0-3 = bits 00, 01, 11, 10 (high bit, low bit); marks, headers and "
    "unused modules use 0 and 3 alone, for 0 and 1."
)

_OTHER_HALF = (
    " and of codeword c + 25: for even i as high and low bit, for odd i as low and high bit"
)
