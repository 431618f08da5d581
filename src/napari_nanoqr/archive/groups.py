"""Groups of the outer code: how many members they have, and what is lost of them recovered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.header import TileHeader
from napari_nanoqr.archive.members import Member
from napari_nanoqr.codes.cauchy import recover

GroupCounts = dict[int, tuple[int, int]]
"""Data and parity members of each group."""


@dataclass(frozen=True)
class GroupReport:
    """What became of a group of the outer code.

    Attributes
    ----------
    group : int
        Its number.
    data_count, parity_count : int
        Its members.
    whole, weak, missing : int
        Members of which everything was read, some codewords were lost, or nothing is known.
    worst : int
        Members that are lost in the worst of its slots.
    recovered : int
        Codewords of data that came from parity.
    lost : int
        Codewords of data that could not be recovered.
    """

    group: int
    data_count: int
    parity_count: int
    whole: int
    weak: int
    missing: int
    worst: int
    recovered: int
    lost: int

    @property
    def spare(self) -> int:
        """Members that could still be lost in every slot; negative where too many are."""
        return self.parity_count - self.worst


def group_counts(headers: Iterable[TileHeader], data_tiles: int | None = None) -> GroupCounts:
    """Return the members of each group, as headers say or those of other groups let expect.

    Parameters
    ----------
    headers : iterable of TileHeader
        Of data and parity, at least one.
    data_tiles : int, optional
        Of all groups, where that is known.

    Returns
    -------
    dict
        Data and parity members by group.
    """
    told: GroupCounts = {}
    for header in headers:
        told.setdefault(header.group, (header.data_count, header.parity_count))
        groups = header.groups
    parity = next(iter(told.values()))[1]
    most = max(k for k, _ in told.values())
    if data_tiles is None:
        # the first groups have one member more, up to the last one that is known to
        last = max(group for group, (k, _) in told.items() if k == most)
        data_tiles = (most - 1) * groups + last + 1
    return {
        group: told.get(group, (-(-(data_tiles - group) // groups), parity))
        for group in range(groups)
    }


def recovered_group(
    group: int, k: int, m: int, members: dict[tuple[int, int], Member], capacity: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], GroupReport]:
    """Recover what is lost of a group's data from its parity.

    Parameters
    ----------
    group : int
        Its number.
    k, m : int
        Its data and parity members.
    members : dict of (int, int) to Member
        Those that are known, by group and place.
    capacity : int
        Bytes of a member.

    Returns
    -------
    data : (k, slots, size) uint8 array
        Its data; zeros where they are lost.
    good : (k, slots) bool array
        Which of them are right.
    report : GroupReport
        What became of it.
    """
    own = {place: member for (_, place), member in members.items() if place < k + m}
    if not own:
        # nothing tells its codewords: one slot as large as the tile
        report = GroupReport(group, k, m, 0, 0, k + m, k + m, 0, k)
        return np.zeros((k, 1, capacity), np.uint8), np.zeros((k, 1), bool), report
    slots, size = next(iter(own.values())).data.shape
    there = np.zeros((k + m, slots), bool)
    for place, member in own.items():
        there[place] = member.good
    data = np.zeros((k, slots, size), np.uint8)
    for place in range(k):
        if place in own:
            data[place][own[place].good] = own[place].data[own[place].good]
    good = there[:k].copy()
    enough = there.sum(axis=0) >= k
    wanting = enough & ~good.all(axis=0)
    # slots that lost the same members are recovered together
    patterns: dict[bytes, list[int]] = {}
    for slot in np.flatnonzero(wanting).tolist():
        patterns.setdefault(there[:, slot].tobytes(), []).append(slot)
    for these in patterns.values():
        places = np.flatnonzero(there[:, these[0]]).tolist()
        data[:, these] = recover({place: own[place].data[these] for place in places}, k, m)
    recovered = int((~good[:, wanting]).sum())
    good[:, enough] = True
    whole = sum(bool(member.good.all()) for member in own.values())
    nothing = sum(not member.good.any() for member in own.values())
    missing = k + m - len(own) + nothing
    report = GroupReport(
        group, k, m, whole, k + m - whole - missing, missing,
        int((~there).sum(axis=0).max()), recovered, int((~good).sum()),
    )  # fmt: skip
    return data, good, report
