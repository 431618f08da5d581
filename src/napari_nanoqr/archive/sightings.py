"""Tiles as images showed them, and what several images tell of one together."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.header import TileHeader
from napari_nanoqr.archive.layout import SIDE


@dataclass(frozen=True, eq=False)
class TileSighting:
    """A tile as one image showed it.

    Attributes
    ----------
    header : TileHeader
        What it says of itself.
    good : (words,) bool array
        Which codewords were read.
    data : (words, size) uint8 array
        Their payload bytes; rows of others are 0.
    soft : bytes or None
        Packed soft bits, where some codewords are still lost: see `pack_soft`.
    shown : float
        Share of the tile's modules that the image shows.
    margin_db, error_rate : float
        Least margin of its codewords, and the mean share of wrong bits.
    corners : tuple of (float, float)
        Its outer corners in the image, y and x in px: top left, top right, bottom right, bottom
        left.
    mirrored : bool
        Whether the image shows it mirrored.
    """

    header: TileHeader
    good: NDArray[np.bool_]
    data: NDArray[np.uint8]
    soft: bytes | None
    shown: float
    margin_db: float
    error_rate: float
    corners: tuple[tuple[float, float], ...] = ()
    mirrored: bool = False


@dataclass(frozen=True)
class ImageSighting:
    """What an image told.

    Attributes
    ----------
    digest : str
        SHA-256 of its content, hex.
    name : str
        What people call it.
    tiles : tuple of TileSighting
        Tiles with a header that could be read.
    nameless : int
        Tiles without one.
    notes : tuple of str
        What people should know.
    pitch_nm : float or None
        Side of a module, where the pixel size and tiles told it.
    """

    digest: str
    name: str
    tiles: tuple[TileSighting, ...] = ()
    nameless: int = 0
    notes: tuple[str, ...] = ()
    pitch_nm: float | None = None


@dataclass(frozen=True, eq=False)
class KnownTile:
    """What all images together tell of a tile; see `TileSighting`."""

    header: TileHeader
    good: NDArray[np.bool_]
    data: NDArray[np.uint8]
    soft: bytes | None
    margin_db: float
    error_rate: float

    @classmethod
    def of(cls, tile: TileSighting) -> KnownTile:
        """Return what one image alone tells of a tile."""
        return cls(tile.header, tile.good, tile.data, tile.soft, tile.margin_db, tile.error_rate)

    @property
    def whole(self) -> bool:
        """Whether nothing of it is lost."""
        return bool(self.good.all())


def pack_soft(soft: NDArray[np.int8]) -> bytes:
    """Return soft bits of a tile in fewer bytes."""
    return zlib.compress(np.ascontiguousarray(soft).tobytes(), 1)


def unpack_soft(packed: bytes) -> NDArray[np.int8]:
    """Return the ``(planes, 512, 512)`` soft bits that were packed."""
    return np.frombuffer(zlib.decompress(packed), np.int8).reshape(-1, SIDE, SIDE)
