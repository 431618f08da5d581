"""What came of reading an archive: files, tiles, what is lost; as JSON and as text."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from napari_nanoqr.archive.groups import GroupReport
from napari_nanoqr.archive.tasks import UnreadImage
from napari_nanoqr.archive.unpack import FileVerdict
from napari_nanoqr.archive.verdict import TileVerdict, least_margin

FORMAT = "napari-nanoqr archive reading"
MOST_LINES = 20
"""Of a kind in the text; the JSON has all."""


@dataclass(frozen=True, eq=False)
class ArchiveReading:
    """What is known of an archive after the images so far.

    Attributes
    ----------
    archive : str
        Its random number, 16 hex digits; empty where no tile was read.
    files : tuple of FileVerdict
        What became of each file.
    tiles : tuple of TileVerdict
        What became of each tile.
    groups : tuple of GroupReport
        What became of each group of the outer code.
    stream_bytes : int
        Length of what was stored.
    lost : tuple of (int, int)
        First byte and end of each part of it that is lost.
    images_read, images_new : int
        Images that were ever read into this folder, and those of this time.
    unread : tuple of UnreadImage
        Images that could not be opened.
    nameless : int
        Tiles that were seen but whose header could not be read.
    index_known : bool
        Whether an index was read; without it the map assumes the usual geometry.
    notes : tuple of str
        What people should know.
    maps : tuple of str
        Files of the pictures of the sheets.
    """

    archive: str = ""
    files: tuple[FileVerdict, ...] = ()
    tiles: tuple[TileVerdict, ...] = ()
    groups: tuple[GroupReport, ...] = ()
    stream_bytes: int = 0
    lost: tuple[tuple[int, int], ...] = ()
    images_read: int = 0
    images_new: int = 0
    unread: tuple[UnreadImage, ...] = ()
    nameless: int = 0
    index_known: bool = False
    notes: tuple[str, ...] = ()
    maps: tuple[str, ...] = field(default=())

    @property
    def exact(self) -> bool:
        """Whether every file came back bit for bit as it was stored."""
        return bool(self.files) and not self.lost and not any(map(_in_doubt, self.files))

    @property
    def lost_bytes(self) -> int:
        """Bytes of the stream that are lost."""
        return sum(end - start for start, end in self.lost)

    @property
    def states(self) -> dict[str, int]:
        """How many tiles are whole, weak and missing."""
        counts = Counter(each.state for each in self.tiles)
        return {"whole": counts["whole"], "weak": counts["weak"], "missing": counts["missing"]}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as in ``report.json``."""
        margin = least_margin(self.tiles)
        return {
            "format": FORMAT,
            "format_version": 1,
            "archive": self.archive,
            "exact": self.exact,
            "files": [each.to_dict() for each in self.files],
            "stream_bytes": self.stream_bytes,
            "lost_bytes": self.lost_bytes,
            "lost": [list(part) for part in self.lost],
            "tiles": self.states,
            "least_margin_db": margin,
            "recovered_codewords": sum(each.recovered for each in self.groups),
            "groups": [asdict(each) | {"spare": each.spare} for each in self.groups],
            "images_read": self.images_read,
            "images_new": self.images_new,
            "unread": [asdict(each) for each in self.unread],
            "nameless_tiles": self.nameless,
            "index_known": self.index_known,
            "notes": list(self.notes),
            "maps": list(self.maps),
        }

    def to_text(self) -> str:
        """Return what people read first."""
        lines = [self._headline()]
        bad = [each for each in self.files if _in_doubt(each)]
        lines += [f"  {each.path}: {each.state}. {each.reason}" for each in bad[:MOST_LINES]]
        if len(bad) > MOST_LINES:
            lines.append(f"  ... and {len(bad) - MOST_LINES} more, see report.json")
        if self.lost:
            lines.append(
                f"Lost: {self.lost_bytes:,} of {self.stream_bytes:,} bytes of the archive, in "
                f"{len(self.lost)} {'part' if len(self.lost) == 1 else 'parts'}."
            )
        states = self.states
        if self.tiles:
            lines.append(
                f"Tiles: {states['whole']:,} whole, {states['weak']:,} weak, "
                f"{states['missing']:,} missing."
            )
        margin = least_margin(self.tiles)
        if margin is not None:
            lines.append(f"Least margin of a tile: {margin:.1f} dB.")
        if self.groups:
            tightest = min(self.groups, key=lambda each: each.spare)
            members = tightest.data_count + tightest.parity_count
            spare = tightest.spare
            could = f"could lose {spare} more" if spare >= 0 else f"lost {-spare} too many"
            lines.append(
                f"Outer code: the tightest of {len(self.groups)} groups {could} of its {members} "
                "tiles."
            )
        lines.append(f"Images: {self.images_new} read now, {self.images_read} in all.")
        lines += [f"  {each.name}: {each.reason}" for each in self.unread[:MOST_LINES]]
        if self.nameless:
            lines.append(f"Seen, but with headers that could not be read: {self.nameless} tiles.")
        lines += self.notes[:MOST_LINES]
        return "\n".join(lines)

    def _headline(self) -> str:
        if not self.archive:
            return "No tile of an archive was read."
        stored = [each for each in self.files if each.is_payload] or self.files
        if not stored:
            return f"Archive {self.archive}: no file could be read."
        exact = sum(each.state == "exact" for each in stored)
        if exact < len(stored):
            return f"Archive {self.archive}: {exact} of {len(stored)} files are exact."
        if not self.exact:
            return f"Archive {self.archive}: the files are exact, but not all of their bag."
        of_one = f"{stored[0].path} is exact, {stored[0].size:,} bytes."
        of_all = f"all {len(stored):,} files are exact."
        return f"Archive {self.archive}: {of_one if len(stored) == 1 else of_all}"


def _in_doubt(verdict: FileVerdict) -> bool:
    # what a bag says of itself stands in no manifest; the files of the user do
    return verdict.state != "exact" and (verdict.is_payload or verdict.state != "unchecked")
