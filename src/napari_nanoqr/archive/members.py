"""Members of the outer code's groups, the copies of each put together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.header import Role, TileHeader
from napari_nanoqr.archive.sightings import KnownTile


@dataclass
class Member:
    """What the copies of a member of a group tell together.

    Parameters
    ----------
    header : TileHeader
        That of the first copy.
    good : (words,) bool array
        Which codewords are known.
    data : (words, size) uint8 array
        Their payload bytes.
    """

    header: TileHeader
    good: NDArray[np.bool_]
    data: NDArray[np.uint8]

    def add(self, tile: KnownTile) -> None:
        """Take from a further copy what is not known yet."""
        fresh = tile.good & ~self.good
        self.data[fresh] = tile.data[fresh]
        self.good |= fresh


def members_of(
    tiles: Iterable[KnownTile], roles: tuple[Role, ...] | None = None
) -> dict[tuple[int, int], Member]:
    """Put copies together.

    Parameters
    ----------
    tiles : iterable of KnownTile
        All copies.
    roles : tuple of Role, optional
        Only tiles of these.

    Returns
    -------
    dict of (int, int) to Member
        By group and place in it. Of one whose codewords were all read and whose bytes are not those
        that its header tells, nothing is known.
    """
    found: dict[tuple[int, int], Member] = {}
    for tile in tiles:
        header = tile.header
        if roles is not None and header.role not in roles:
            continue
        key = (header.group, header.member)
        if key in found:
            found[key].add(tile)
        else:
            found[key] = Member(header, tile.good.copy(), tile.data.copy())
    for member in found.values():
        # all its codewords are right and it is not what the header says: trust none of them
        if member.good.all() and payload_of(member) is None:
            member.good[:] = False
    return found


def payload_of(member: Member) -> bytes | None:
    """Return the bytes of a member, or None where some are lost or not what its header says."""
    if not member.good.all():
        return None
    payload = member.data.tobytes()[: member.header.length]
    return payload if hashlib.sha256(payload).digest()[:4] == member.header.digest else None
