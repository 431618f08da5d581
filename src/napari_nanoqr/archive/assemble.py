"""From tiles to the stream: copies put together, lost tiles recovered, the rest told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_nanoqr.archive.groups import GroupReport, group_counts, recovered_group
from napari_nanoqr.archive.header import Role
from napari_nanoqr.archive.members import members_of, payload_of
from napari_nanoqr.archive.state import ReadingState
from napari_nanoqr.progress import Progress, go_on


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
    members = members_of(state.tiles(archive, role=int(role)))
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
        payload = payload_of(found)
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
            members = members_of(state.tiles(archive, group=group), (Role.DATA, Role.PARITY))
            data, good, report = recovered_group(group, k, m, members, capacity)
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


def _joined(stretches: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Neighbouring stretches as one."""
    found: list[tuple[int, int]] = []
    for start, stop in stretches:
        if found and found[-1][1] >= start:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return tuple(found)
