"""From tiles to the stream: copies put together, lost tiles recovered, the rest told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.header import Role, TileHeader
from napari_nanoqr.archive.state import KnownTile, ReadingState
from napari_nanoqr.codes.cauchy import recover
from napari_nanoqr.progress import Progress, go_on

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


@dataclass(frozen=True)
class AssembledStream:
    """The stream of an archive as far as it is known.

    Attributes
    ----------
    path : Path
        The file; what is lost is zero in it.
    length : int
        Bytes.
    lost : tuple of (int, int)
        First and one past the last byte of each stretch that is lost, in order.
    groups : tuple of GroupReport
        One for each group.
    complete : bool
        Whether the length is known: from the index, or from the last tile of data.
    """

    path: Path
    length: int
    lost: tuple[tuple[int, int], ...]
    groups: tuple[GroupReport, ...]
    complete: bool

    @property
    def lost_bytes(self) -> int:
        """How many bytes are lost."""
        return sum(stop - start for start, stop in self.lost)


@dataclass
class _Member:
    """What the copies of a member of a group tell together."""

    header: TileHeader
    good: NDArray[np.bool_]
    data: NDArray[np.uint8]

    def add(self, tile: KnownTile) -> None:
        fresh = tile.good & ~self.good
        self.data[fresh] = tile.data[fresh]
        self.good |= fresh


def read_part_stream(state: ReadingState, archive: bytes, role: Role) -> bytes | None:
    """Return what the tiles of the index or of the description say together.

    Parameters
    ----------
    state : ReadingState
        What is known.
    archive : bytes
        Which archive.
    role : Role
        ``Role.INDEX`` or ``Role.DESCRIPTION``.

    Returns
    -------
    bytes or None
        All of it, from whichever copies could be read; None where a part is lost in each of them.
    """
    members = _members(state.tiles(archive, role=int(role)))
    if not members:
        return None
    header = next(iter(members.values())).header
    parts: list[bytes] = []
    for part in range(header.groups * header.data_count):
        place = (part % header.groups, part // header.groups)
        found = members.get(place)
        if found is None:
            # groups may differ by one member: nothing comes after the last part there is
            if part > max(m.header.part for m in members.values()):
                break
            return None
        payload = _payload(found)
        if payload is None:
            return None
        parts.append(payload)
    return b"".join(parts)


def read_index(state: ReadingState, archive: bytes) -> dict[str, Any] | None:
    """Return the index of an archive, or None where it is not known in full."""
    text = read_part_stream(state, archive, Role.INDEX)
    try:
        values = json.loads(text) if text is not None else None
    except ValueError:
        return None
    return values if isinstance(values, dict) else None


def assemble_stream(
    state: ReadingState,
    archive: bytes,
    path: Path,
    *,
    length: int | None = None,
    data_tiles: int | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> AssembledStream:
    """Write the stream of an archive, group by group.

    Parameters
    ----------
    state : ReadingState
        What is known of its tiles.
    archive : bytes
        Which archive.
    path : Path
        File to write.
    length, data_tiles : int, optional
        Bytes of the stream and the tiles that they take, as the index says.
    progress, cancelled : callable, optional
        See `napari_nanoqr.progress`.

    Returns
    -------
    AssembledStream
        With what is lost. Never more than one group lies in memory.

    Raises
    ------
    Cancelled
        Where it is no longer wanted.
    ValueError
        Where no tile of data or parity is known.
    """
    headers = [
        header for header, *_ in state.summary(archive) if header.role in (Role.DATA, Role.PARITY)
    ]
    if not headers:
        raise ValueError("Not one tile of data was read.")
    counts = group_counts(headers, data_tiles)
    capacity, groups = headers[0].capacity, headers[0].groups
    total = max(k * groups + group - groups + 1 for group, (k, _) in counts.items())
    ends = [
        header.part * capacity + header.length
        for header in headers
        if header.role == Role.DATA and header.part == total - 1
    ]
    known_length = length if length is not None else (ends[0] if ends else None)
    whole = known_length if known_length is not None else total * capacity
    reports: list[GroupReport] = []
    lost: list[tuple[int, int]] = []
    with path.open("wb") as file:
        file.truncate(whole)
        for group, (k, m) in sorted(counts.items()):
            go_on(cancelled)
            members = _members(state.tiles(archive, group=group), (Role.DATA, Role.PARITY))
            data, good, report = _recovered(group, k, m, members, capacity)
            reports.append(report)
            for member in range(k):
                start = (group + groups * member) * capacity
                payload = data[member].reshape(-1)[: max(whole - start, 0)]
                file.seek(start)
                file.write(payload.tobytes())
                size = data.shape[2]
                for slot in np.flatnonzero(~good[member]).tolist():
                    first = start + slot * size
                    if first < whole:
                        lost.append((first, min(first + size, whole)))
            if progress is not None:
                progress(len(reports), len(counts), f"group {len(reports)} of {len(counts)}")
    return AssembledStream(
        path, whole, _joined(sorted(lost)), tuple(reports), known_length is not None
    )


def _members(
    tiles: Iterable[KnownTile], roles: tuple[Role, ...] | None = None
) -> dict[tuple[int, int], _Member]:
    """Tiles by group and member, copies put together."""
    found: dict[tuple[int, int], _Member] = {}
    for tile in tiles:
        header = tile.header
        if roles is not None and header.role not in roles:
            continue
        key = (header.group, header.member)
        if key in found:
            found[key].add(tile)
        else:
            found[key] = _Member(header, tile.good.copy(), tile.data.copy())
    for member in found.values():
        # all its codewords are right and it is not what the header says: trust none of them
        if member.good.all() and _payload(member) is None:
            member.good[:] = False
    return found


def _payload(member: _Member) -> bytes | None:
    if not member.good.all():
        return None
    payload = member.data.tobytes()[: member.header.length]
    return payload if hashlib.sha256(payload).digest()[:4] == member.header.digest else None


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


def _recovered(
    group: int, k: int, m: int, members: dict[tuple[int, int], _Member], capacity: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], GroupReport]:
    """Return data of a group ``(k, slots, size)``, which of it is right, and what became of it."""
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


def _joined(stretches: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Neighbouring stretches as one."""
    found: list[tuple[int, int]] = []
    for start, stop in stretches:
        if found and found[-1][1] >= start:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return tuple(found)
