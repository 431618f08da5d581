"""What came of reading an archive, in numbers for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_nanoqr.archive.verdict import least_margin
from napari_nanoqr.cli.archive_words import counted, in_bytes

if TYPE_CHECKING:
    from napari_nanoqr.archive.archive_reading import ArchiveReading

ROWS = ("Files", "Tiles", "Least margin", "Groups", "Lost", "Images")


def numbers(reading: ArchiveReading) -> dict[str, str]:
    """Return the text of each of the `ROWS`."""
    states = reading.states
    margin = least_margin(reading.tiles)
    stored = [each for each in reading.files if each.is_payload] or reading.files
    exact = sum(each.state == "exact" for each in stored)
    tightest = min((each.spare for each in reading.groups), default=None)
    spare = "–"
    if tightest is not None:
        spare = f"{counted(len(reading.groups), 'group')}; the tightest "
        spare += (
            f"could lose {tightest} more tiles" if tightest >= 0 else f"lost {-tightest} too many"
        )
    unread = f"; {counted(len(reading.unread), 'image')} could not be opened"
    return {
        "Files": f"{exact:,} of {len(stored):,} exact",
        "Tiles": ", ".join(f"{count:,} {state}" for state, count in states.items())
                 + (f"; {reading.nameless:,} with headers that could not be read"
                    if reading.nameless else ""),
        "Least margin": "–" if margin is None else f"{margin:.1f} dB",
        "Groups": spare,
        "Lost": f"{in_bytes(reading.lost_bytes)} of {in_bytes(reading.stream_bytes)}"
                if reading.lost else "nothing",
        "Images": f"{reading.images_new:,} read now, {reading.images_read:,} in all"
                  + (unread if reading.unread else ""),
    }  # fmt: skip
