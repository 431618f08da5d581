"""The 48 bytes of a tile's header: what this tile is, and where it belongs.

Big-endian, in this order:

====== ===== =======================================================================
offset bytes meaning
====== ===== =======================================================================
0      2     ``NQ``
2      1     format version, 1
3      1     role * 16 + (bits a module - 1) * 4 + number of the rate (0 to 3)
4      8     archive, random
12     2     sheet, from 0
14     4     tile on the sheet, from 0
18     5     tiles with a header in the whole archive
23     4     group of the outer code, from 0
27     4     groups of this role in the archive
31     1     member of the group: data from 0, then parity
32     1     data members of the group
33     1     parity members of the group
34     2     payload bytes in use; zero bytes fill the rest of the tile
36     4     the first bytes of the SHA-256 of these payload bytes
40     4     the first bytes of the SHA-256 of the whole stream
44     4     CRC-32 (of zlib) of the 44 bytes before it
====== ===== =======================================================================

In tiles that are QR codes, the lower half of byte 3 is 8 + number of the error-correction level (0
to 3 for L, M, Q, H), and byte 18 is the version of the symbol: 4 bytes are left to the number of
tiles.

A header alone places its tile: the payload of a data, index or description tile belongs in the
stream of its role as part number ``group + groups * member``.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from napari_nanoqr.archive import tile_kind
from napari_nanoqr.archive.layout import RATES
from napari_nanoqr.symbols.tables import LEVELS

MAGIC: Final = b"NQ"
VERSION: Final = 1
HEADER_BYTES: Final = 48


class Role(IntEnum):
    """What the payload of a tile is."""

    DATA = 0
    PARITY = 1
    INDEX = 2
    DESCRIPTION = 3


class NotAHeader(ValueError):
    """Bytes that are not the header of a tile, or of one that this program cannot read."""


@dataclass(frozen=True)
class TileHeader:
    """What a tile says of itself.

    Attributes
    ----------
    role : Role
        What its payload is.
    archive : bytes
        8 random bytes, the same in all tiles that were written together.
    rate : str
        Of the code of its data: one of :data:`~napari_nanoqr.archive.layout.RATES`, or the QR code
        that it is, see :func:`~napari_nanoqr.archive.tile_kind.tile_kind`.
    bits : int
        Bits a module, 1 or 2.
    sheet, tile : int
        Number of the sheet, and of the tile on it, from 0.
    tiles : int
        Tiles with a header in the whole archive.
    group, groups : int
        Group of the outer code, and how many there are with this role.
    member : int
        Place in the group: data members first, then parity.
    data_count, parity_count : int
        Members of the group.
    length : int
        Bytes of the payload; zero bytes fill the rest of the tile.
    digest : bytes
        First 4 bytes of the SHA-256 of the payload.
    root : bytes
        First 4 bytes of the SHA-256 of the whole stream.

    Raises
    ------
    ValueError
        Where a number does not fit into its field, with the field's name.
    """

    role: Role
    archive: bytes
    rate: str = "4/5"
    bits: int = 1
    sheet: int = 0
    tile: int = 0
    tiles: int = 1
    group: int = 0
    groups: int = 1
    member: int = 0
    data_count: int = 1
    parity_count: int = 0
    length: int = 0
    digest: bytes = bytes(4)
    root: bytes = bytes(4)

    def __post_init__(self) -> None:
        tile_kind.tile_kind(self.rate, self.bits)
        for name, size in (("archive", 8), ("digest", 4), ("root", 4)):
            if len(getattr(self, name)) != size:
                raise ValueError(f"{name} takes {size} bytes, not {len(getattr(self, name))}.")
        for name, size in _NUMBERS.items():
            if name == "tiles" and self.rate not in RATES:
                size -= 1
            if not 0 <= getattr(self, name) < 256**size:
                raise ValueError(
                    f"{name} of a tile is {getattr(self, name)}: it has to lie in 0 to "
                    f"{256**size - 1}."
                )
        if self.length > self.capacity:
            raise ValueError(
                f"{self.length} bytes do not fit into a tile of rate {self.rate} with {self.bits} "
                f"bits a module, which holds {self.capacity}."
            )
        if self.data_count + self.parity_count > 256:
            raise ValueError(
                f"A group has at most 256 members, not {self.data_count} + {self.parity_count}."
            )
        if self.member >= self.data_count + self.parity_count:
            raise ValueError(
                f"Member {self.member} is not in a group of {self.data_count} + "
                f"{self.parity_count}: they count from 0."
            )
        if self.group >= self.groups:
            raise ValueError(f"Group {self.group} is not one of {self.groups}: they count from 0.")

    @property
    def capacity(self) -> int:
        """Payload bytes that such a tile holds."""
        return tile_kind.capacity(tile_kind.tile_kind(self.rate, self.bits))

    @property
    def part(self) -> int:
        """Where the payload of anything but parity belongs: part of the stream of its role."""
        return self.group + self.groups * self.member

    def holding(self, payload: bytes) -> TileHeader:
        """Return the header of the same tile with this payload: its length and digest.

        Raises
        ------
        ValueError
            Where the payload does not fit.
        """
        return replace(self, length=len(payload), digest=hashlib.sha256(payload).digest()[:4])

    def to_bytes(self) -> bytes:
        """Return the 48 bytes that stand in the tile."""
        if self.rate in RATES:
            code, version = (self.bits - 1) << 2 | RATES.index(self.rate), 0
        else:
            name, error = self.rate.split("-")
            code, version = _QR | LEVELS.index(error), int(name.removeprefix("QR "))
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        numbers["tiles"] |= version << _VERSION_SHIFT
        head = MAGIC + bytes([VERSION, self.role << 4 | code]) + self.archive
        head += b"".join(numbers[name].to_bytes(size) for name, size in _NUMBERS.items())
        head += self.digest + self.root
        return head + struct.pack(">I", zlib.crc32(head))

    @classmethod
    def from_bytes(cls, data: bytes) -> TileHeader:
        """Read the header that stands in a tile.

        Parameters
        ----------
        data : bytes
            The 48 bytes.

        Returns
        -------
        TileHeader
            The same as was written.

        Raises
        ------
        NotAHeader
            Where its CRC-32 or its first bytes are wrong, or another version wrote it.
        """
        if len(data) != HEADER_BYTES:
            raise NotAHeader(f"A tile's header has {HEADER_BYTES} bytes, not {len(data)}.")
        if zlib.crc32(data[:-4]) != int.from_bytes(data[-4:]):
            raise NotAHeader("The checksum of the tile's header is wrong.")
        if not data.startswith(MAGIC):
            raise NotAHeader(f"A tile's header starts with {MAGIC!r}, not {data[:2]!r}.")
        if data[2] != VERSION:
            raise NotAHeader(
                f"The tile is written in version {data[2]} of the format; this program reads "
                f"version {VERSION}."
            )
        numbers, place = {}, 12
        for name, size in _NUMBERS.items():
            numbers[name] = int.from_bytes(data[place : place + size])
            place += size
        rate, bits = RATES[data[3] & 3], (data[3] >> 2 & 3) + 1
        if data[3] & 0xF & ~3 == _QR:
            version, numbers["tiles"] = divmod(numbers["tiles"], 1 << _VERSION_SHIFT)
            rate, bits = f"QR {version}-{LEVELS[data[3] & 3]}", 1
        try:
            return cls(
                role=Role(data[3] >> 4),
                rate=rate,
                bits=bits,
                archive=data[4:12],
                digest=data[36:40],
                root=data[40:44],
                **numbers,
            )
        except ValueError as wrong:
            raise NotAHeader(f"The tile's header makes no sense: {wrong}") from wrong


_QR: Final = 8
"""What the code of a QR code has beside its level."""

_VERSION_SHIFT: Final = 32
"""Bits of the number of tiles that QR codes leave to it."""

_NUMBERS: Final = {
    "sheet": 2, "tile": 4, "tiles": 5, "group": 4, "groups": 4, "member": 1,
    "data_count": 1, "parity_count": 1, "length": 2,
}  # fmt: skip
"""Numbers of the header in their order, with their bytes."""
