"""What stands on the control pages of sheets of QR codes: how to read these without a reader."""

from __future__ import annotations

from itertools import groupby

from napari_nanoqr.archive.control_page import fill_rows
from napari_nanoqr.symbols.qr import qr_layout
from napari_nanoqr.symbols.tables import (
    LEVELS,
    alignment_centres,
    block_structure,
    format_information,
    side_modules,
)

_MASKS = (
    "(r+c) mod 2", "r mod 2", "c mod 3", "(r+c) mod 3", "(r div 2 + c div 3) mod 2",
    "(r c) mod 2 + (r c) mod 3", "((r c) mod 2 + (r c) mod 3) mod 2",
    "((r+c) mod 2 + (r c) mod 3) mod 2",
)  # fmt: skip
"""Where they are 0, masks 0 to 7 turn a module (ISO/IEC 18004:2015, table 10)."""


def qr_control_text(
    version: int, error: str, pitch_nm: float, tiles_per_field: int, gap_modules: int
) -> str:
    """Return the text of the control pages of a sheet of QR codes.

    Parameters
    ----------
    version, error : int, str
        Of the symbols.
    pitch_nm : float
        Side of a module in nm.
    tiles_per_field : int
        Symbols on a side of a field of view.
    gap_modules : int
        Modules between two fields.

    Returns
    -------
    str
        Printable ASCII for :func:`~napari_nanoqr.archive.control_page.draw_pages`; it fits.
    """
    side, structure = side_modules(version), block_structure(version, error)
    centres = alignment_centres(version)
    count_bits = qr_layout(version).syntax.count_bits["byte"]
    blocks = ", then ".join(
        f"{len(list(same))} of {length} bytes" for length, same in groupby(structure.data)
    )
    mark = f"{format_information('M', 0):015b}"
    levels = ", ".join(f"{format_information(each, 0) >> 13 ^ 0b10:02b} {each}" for each in LEVELS)
    return fill_rows([
        "".join(map(chr, range(32, 127))),
        "These are all letters in order of their numbers 32 to 126. A letter is 8 squares of a "
        "row, highest bit first; milled = dark in an electron microscope = 1.",
        f"The sheet holds computer files in squares (modules) of {pitch_nm:g} nm. These 4 pages "
        "have modules 4 times as wide and tell how to read the small ones. All numbers count "
        "from 0, from top left; ranges include both ends. XOR: 1 if two bits differ.",
        f"FIELDS of {tiles_per_field} x {tiles_per_field} tiles, {gap_modules} modules apart, row "
        "by row: first to the right, then to the left, and so on. In a field tiles go row by row "
        "to the right, 4 modules apart. First comes the title, then these pages, a description "
        "with a program, an index of the files, data. Description and index stand again in the "
        "middle and at the end.",
        f"TILE: a QR code, version {version}-{error}, {side} x {side} modules. Programs and phones "
        "read QR codes (ISO/IEC 18004). Joined by structured append, the codes of a field give "
        "up to 16 tiles one after the other. Where no such program is left, read them so:",
        f"PATTERNS hold no data. Finders: 7 x 7 modules in all corners but the bottom right, "
        "with a light row and column beside them, so 8 x 8. Timing: row 6 and column 6. "
        f"Alignment: 5 x 5 modules around each crossing of rows and columns {_listed(centres)}, "
        "but not at finders. "
        f"Version: rows 0-5, columns {side - 11}-{side - 9}, and the same with rows and columns "
        "exchanged. "
        f"Format: row 8, columns 0-8 and {side - 8}-{side - 1}; column 8, rows 0-8 and "
        f"{side - 8}-{side - 1}.",
        "FORMAT: row 8, columns 0-5, 7, 8, then column 8, rows 7, 5, 4, 3, 2, 1, 0, are 15 bits, "
        f"each XOR {mark}. The first 2 are the level ({levels}), the next 3 the mask. "
        "At row r, column c, a data module is turned over where this is 0: "
        + "; ".join(f"mask {n}: {rule}" for n, rule in enumerate(_MASKS))
        + ".",
        "DATA modules: two columns at a time from the right, leaving out column 6. The first two "
        "go up, the next down, and so on; in each row first the right module, then the left. "
        f"8 modules are a byte, high bit first. The bytes belong to {len(structure.data)} blocks: "
        f"{blocks}. First comes byte 0 of each block, then byte 1 of each, and so on (short "
        f"blocks end earlier); then {structure.parity} parity bytes of each block in the same "
        "way. Parity: Reed-Solomon code in GF(256), polynomial 0x11D; the bytes of a block with "
        "its parity, highest power first, are a polynomial that is 0 at the powers 0 to "
        f"{structure.parity - 1} of 2. So errors are found and corrected.",
        "BYTES of all blocks in order are bits: 4 bits 0011, 4 the place in a set of codes, 4 the "
        "last place, 8 the XOR of all bytes of the set; 4 bits 0100, "
        f"{count_bits} the number of bytes; these bytes. They are a header and the payload.",
        "HEADER bytes: 2 'NQ'; 1 version; 1 code: role x 16 + 8 + level (0..3 = L M Q H); role 0 "
        "data, 1 parity, 2 index, 3 description; 8 archive; 2 sheet; 4 tile; 1 version of the QR "
        "code; 4 tiles with header; 4 group; 4 groups; 1 member; 1 data members K; 1 parity "
        "members M; 2 payload bytes; 4 first of SHA-256 of payload; 4 first of SHA-256 of stream; "
        "4 CRC-32. High byte first.",
        "STREAM: payloads of one role in order of group + groups x member are one file: index "
        "JSON; data a tar (POSIX pax) of a BagIt bag, maybe zstd (RFC 8878), maybe age: the index "
        "tells.",
        "PARITY tile r of a group (member K + r) gives back lost tiles: P(r) = sum over data "
        "members c of D(c) / ((255 - r) XOR c) in GF(256), polynomial 0x11D; of L bytes, bits i "
        "of the 8 eighths form number i, first eighth lowest bit. Short payloads end with 0.",
    ])  # fmt: skip


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))
