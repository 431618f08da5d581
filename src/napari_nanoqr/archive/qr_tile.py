"""Tiles that are QR codes, for those who have a reader of QR codes and nothing else.

Each is a symbol of its own (ISO/IEC 18004:2015), with a light border of four modules that it
shares with its neighbours. It holds the 48 bytes of :mod:`napari_nanoqr.archive.header`, the same
as in all tiles, and after them its payload, in one segment of bytes. The symbols of a field of view
are joined in sets of up to 16 by Structured Append, in the order of their numbers. A symbol is
read as a whole or not at all: to the outer code it is one codeword.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.header import HEADER_BYTES, NotAHeader, TileHeader
from napari_nanoqr.archive.layout import SIDE
from napari_nanoqr.archive.tile_kind import CONTROL_PAGES, USUAL_FIELD, FilledTile, step
from napari_nanoqr.symbols.append import MOST_APPENDED, appended_capacity, encode_appended
from napari_nanoqr.symbols.decode import Undecodable, decode_modules
from napari_nanoqr.symbols.tables import block_structure, side_modules

if TYPE_CHECKING:
    from napari_nanoqr.archive.settings import ArchiveSettings

QUIET = 4
"""Light modules around a symbol."""

LEAST_VERSION, MOST_VERSION = 10, 40
"""Smaller symbols hold more border and header than payload."""

OUTER_STEP = 8
"""The outer code takes payloads of whole multiples of so many bytes."""


@dataclass(frozen=True)
class QrTiles:
    """Tiles that are QR codes of one version and error-correction level.

    Parameters
    ----------
    version : int
        10 to 40.
    error : {"L", "M", "Q", "H"}
        Error-correction level.

    Raises
    ------
    ValueError
        Where there is no such version.
    """

    version: int = 40
    error: str = "L"

    gap = QUIET
    words = 1

    def __post_init__(self) -> None:
        if not LEAST_VERSION <= self.version <= MOST_VERSION:
            raise ValueError(
                f"QR codes of version {self.version} are no tiles: use {LEAST_VERSION} to "
                f"{MOST_VERSION}."
            )

    @property
    def side(self) -> int:
        """Modules on a side of the symbol."""
        return side_modules(self.version)

    @cached_property
    def word_bytes(self) -> int:
        """Bytes behind the header."""
        room = appended_capacity(self.version, self.error) - HEADER_BYTES
        return room - room % OUTER_STEP

    @property
    def code_modules(self) -> int:
        """Modules of the codewords."""
        return 8 * block_structure(self.version, self.error).codewords

    @property
    def information(self) -> float:
        """Share of the codewords that is not parity."""
        structure = block_structure(self.version, self.error)
        return structure.data_codewords / structure.codewords

    @property
    def usual_across(self) -> int:
        """As many as make a field of usual size, or a little more; 16 at most."""
        return min(-(-(USUAL_FIELD + QUIET) // step(self)), 16)

    @property
    def in_words(self) -> str:
        """What a tile is, for people."""
        return f"QR codes of version {self.version}-{self.error}"

    def control_tiles(self, across: int) -> int:
        """Return whole fields of them, as pages lie in fields of their own."""
        pages = ((across * step(self) - QUIET) // SIDE) ** 2
        return -(-CONTROL_PAGES // max(pages, 1)) * across**2

    def control_page(self, page: int, settings: ArchiveSettings) -> NDArray[np.uint8]:
        """Draw what :mod:`~napari_nanoqr.archive.qr_control` says."""
        from napari_nanoqr.archive.control_page import draw_pages
        from napari_nanoqr.archive.qr_control import qr_control_text

        return draw_pages(
            qr_control_text(
                self.version, self.error, settings.pitch_nm, settings.tiles_per_field,
                settings.field_gap_modules,
            )
        )[page]  # fmt: skip

    def description(self) -> str:
        """Return the format in words, and the program that joins what symbols say."""
        from napari_nanoqr.archive.description import qr_description

        return qr_description()

    def draw(self, tiles: Sequence[FilledTile | None]) -> list[NDArray[np.uint8] | None]:
        """Draw the tiles of a field as sets of symbols, as equal in number as can be.

        Parameters
        ----------
        tiles : sequence of (TileHeader, bytes) or None
            Their headers and payloads, in the order of their numbers.

        Returns
        -------
        list of (side, side) uint8 arrays or None
            1 where a module is dark, that is, milled.
        """
        filled = [tile for tile in tiles if tile is not None]
        contents = [header.holding(payload).to_bytes() + payload for header, payload in filled]
        sets = -(-len(contents) // MOST_APPENDED)
        edges = [len(contents) * number // max(sets, 1) for number in range(sets + 1)]
        drawn = iter(
            symbol.matrix.astype(np.uint8)
            for first, last in pairwise(edges)
            for symbol in encode_appended(contents[first:last], self.version, self.error)
        )
        return [None if tile is None else next(drawn) for tile in tiles]

    def headers(self, drawn: Sequence[NDArray[np.uint8]]) -> list[TileHeader | None]:
        """Decode the symbols, and read their headers."""
        return [_header(each) for each in drawn]


def split_content(content: bytes) -> tuple[TileHeader, bytes]:
    """Return header and payload of what a symbol holds.

    Parameters
    ----------
    content : bytes
        All of its bytes.

    Raises
    ------
    NotAHeader
        Where it is no tile, or is not what its header says.
    """
    header = TileHeader.from_bytes(content[:HEADER_BYTES])
    payload = content[HEADER_BYTES:]
    if header.holding(payload) != header:
        raise NotAHeader("The payload of the symbol is not what its header says.")
    return header, payload


def _header(modules: NDArray[np.uint8]) -> TileHeader | None:
    try:
        return split_content(decode_modules(modules > 0).content.stored)[0]
    except (Undecodable, NotAHeader):
        return None
