"""What tiles may be: tiles of our own, or QR codes. All that the rest has to know of either."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.layout import RATES, SIDE, WORD_BITS, WORD_BYTES, WORDS

if TYPE_CHECKING:
    from napari_nanoqr.archive.header import TileHeader
    from napari_nanoqr.archive.settings import ArchiveSettings

CONTROL_PAGES: Final = 4
"""Each takes 512 x 512 modules, whatever the tiles are."""

USUAL_FIELD: Final = 1024
"""Modules on the side of a field of view, about."""

FilledTile = tuple["TileHeader", bytes]
"""Header and payload of a tile."""


class TileKind(Protocol):
    """A kind of tiles: how large they are, what they hold, how they are drawn."""

    @property
    def side(self) -> int:
        """Modules on a side."""

    @property
    def gap(self) -> int:
        """Modules between two tiles, and at least between two fields."""

    @property
    def words(self) -> int:
        """Parts of a tile that are read or lost each for itself."""

    @property
    def word_bytes(self) -> int:
        """Payload of each of them, a multiple of 8."""

    @property
    def code_modules(self) -> int:
        """Modules that hold bits of the code."""

    @property
    def information(self) -> float:
        """Share of these bits that is not parity."""

    @property
    def usual_across(self) -> int:
        """Tiles on the side of a field of view of usual size."""

    @property
    def in_words(self) -> str:
        """What a tile is, for people."""

    def control_tiles(self, across: int) -> int:
        """Return how many tiles give their place to the control pages."""

    def control_page(self, page: int, settings: ArchiveSettings) -> NDArray[np.uint8]:
        """Return the level of each module of a control page, ``(512, 512)``."""

    def description(self) -> str:
        """Return what the description tiles say, in ASCII."""

    def draw(self, tiles: Sequence[FilledTile | None]) -> list[NDArray[np.uint8] | None]:
        """Return the level of each module of the tiles of a field, None where there is none."""

    def headers(self, drawn: Sequence[NDArray[np.uint8]]) -> list[TileHeader | None]:
        """Return the headers of tiles of which every level is known."""


def capacity(kind: TileKind) -> int:
    """Payload bytes of a tile."""
    return kind.words * kind.word_bytes


def step(kind: TileKind) -> int:
    """Modules from a tile to the next."""
    return kind.side + kind.gap


@dataclass(frozen=True)
class OwnTiles:
    """Tiles of 512 x 512 modules with low-density parity-check codes, edge to edge.

    Parameters
    ----------
    rate : str
        One of :data:`~napari_nanoqr.archive.layout.RATES`.
    bits : int
        Bits a module, 1 or 2.
    """

    rate: str = "4/5"
    bits: int = 1

    side = SIDE
    gap = 0
    code_modules = WORDS * WORD_BITS
    usual_across = USUAL_FIELD // SIDE
    in_words = f"squares of {SIDE} x {SIDE} modules"

    @property
    def words(self) -> int:
        """Codewords."""
        return WORDS * self.bits

    @property
    def word_bytes(self) -> int:
        """Payload of a codeword."""
        return WORD_BYTES[self.rate]

    @property
    def information(self) -> float:
        """Rate of the code."""
        return {"1/2": 1 / 2, "2/3": 2 / 3, "4/5": 4 / 5, "0.88": 53 / 60}[self.rate]

    def control_tiles(self, across: int) -> int:
        """Return the pages, each as large as a tile."""
        return CONTROL_PAGES

    def control_page(self, page: int, settings: ArchiveSettings) -> NDArray[np.uint8]:
        """Draw what :mod:`~napari_nanoqr.archive.control` says."""
        from napari_nanoqr.archive.control import draw_control

        return draw_control(
            page, settings.pitch_nm, settings.tiles_per_field, settings.field_gap_modules,
            self.rate, self.bits,
        )  # fmt: skip

    def description(self) -> str:
        """Return the format in words, and the short decoder."""
        from napari_nanoqr.archive.description import description

        return description()

    def draw(self, tiles: Sequence[FilledTile | None]) -> list[NDArray[np.uint8] | None]:
        """Draw each for itself."""
        from napari_nanoqr.archive.tile import encode_tile

        return [None if tile is None else encode_tile(*tile) for tile in tiles]

    def headers(self, drawn: Sequence[NDArray[np.uint8]]) -> list[TileHeader | None]:
        """Read the headers, which use the two extreme levels alone."""
        from napari_nanoqr.archive.tile import read_headers

        middle = (2**self.bits - 1) // 2
        return read_headers([np.where(each > middle, -64, 64).astype(np.int8)[None]
                             for each in drawn])  # fmt: skip


@cache
def tile_kind(rate: str, bits: int = 1) -> TileKind:
    """Return the kind of tiles that settings and headers name.

    Parameters
    ----------
    rate : str
        One of :data:`~napari_nanoqr.archive.layout.RATES`, or e.g. ``"QR 40-L"``: QR codes of a
        version and an error-correction level.
    bits : int
        Bits a module, 1 or 2; of QR codes 1.

    Raises
    ------
    ValueError
        Where there is no such kind.
    """
    if bits not in (1, 2):
        raise ValueError(f"A module holds 1 or 2 bits, it cannot hold {bits}.")
    if rate in RATES:
        return OwnTiles(rate, bits)
    named = re.fullmatch(r"QR (\d+)-([LMQH])", rate)
    if named is None:
        raise ValueError(
            f"There is no rate {rate!r}: tiles cannot have another than {', '.join(RATES)}, or "
            "e.g. QR 40-L."
        )
    if bits != 1:
        raise ValueError("QR codes hold one bit a module.")
    from napari_nanoqr.archive.qr_tile import QrTiles

    return QrTiles(int(named[1]), named[2])
