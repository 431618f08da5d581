"""What is known of an archive so far, kept on disk while images are read one by one.

The file is an SQLite data base. Everything that an image tells is written in one transaction
together with the image's hash: a program that ends at any moment, by whatever cause, loses the
images that it was just reading and no more, and none is read twice.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from napari_nanoqr.archive.header import TileHeader
from napari_nanoqr.archive.sightings import ImageSighting, KnownTile, TileSighting

STATE_FILE = "reading.sqlite"
FORMAT = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS images (
    hash TEXT PRIMARY KEY, name TEXT, tiles INTEGER, nameless INTEGER, notes TEXT);
CREATE TABLE IF NOT EXISTS tiles (
    archive BLOB, sheet INTEGER, tile INTEGER, role INTEGER, part_group INTEGER, member INTEGER,
    header BLOB, good BLOB, data BLOB, soft BLOB, whole INTEGER, margin REAL, error_rate REAL,
    PRIMARY KEY (archive, sheet, tile));
CREATE INDEX IF NOT EXISTS by_group ON tiles (archive, role, part_group, member);
CREATE TABLE IF NOT EXISTS sightings (
    archive BLOB, sheet INTEGER, tile INTEGER, image TEXT, shown REAL, corners TEXT,
    mirrored INTEGER, margin REAL, error_rate REAL,
    PRIMARY KEY (archive, sheet, tile, image));
"""


class NotThisState(ValueError):
    """A file that is not what this program keeps there."""


class ReadingState:
    """The data base of a reading, for one program at a time.

    Parameters
    ----------
    folder : Path
        Where it lies; it is made if there is none.

    Raises
    ------
    NotThisState
        Where the file is none, or of a later version.
    OSError
        Where it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / STATE_FILE
        folder.mkdir(parents=True, exist_ok=True)
        try:
            # the first and the last word come from different threads of a window
            self._base = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._base.execute("PRAGMA busy_timeout = 2000")
            self._base.execute("PRAGMA journal_mode = WAL")
            # a power failure may take the last images with it, but never the file
            self._base.execute("PRAGMA synchronous = NORMAL")
            self._base.executescript(_TABLES)
            self._check_format()
        except sqlite3.DatabaseError as wrong:
            raise NotThisState(
                f"{self.path} is not what nanoqr keeps of a reading ({wrong}): move it away, or "
                "choose another folder."
            ) from wrong

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._base.close()

    @property
    def images(self) -> dict[str, str]:
        """Names of the images that were read, by their hash."""
        return dict(self._base.execute("SELECT hash, name FROM images"))

    @property
    def pitch_nm(self) -> float | None:
        """Side of a module as the first image with tiles told it."""
        row = self._base.execute("SELECT value FROM about WHERE key = 'pitch_nm'").fetchone()
        return None if row is None else float(row[0])

    @property
    def notes(self) -> list[str]:
        """What images told people."""
        rows = self._base.execute("SELECT notes FROM images WHERE notes != '[]' ORDER BY name")
        return [note for (notes,) in rows for note in json.loads(notes)]

    @property
    def nameless(self) -> int:
        """How many tiles were seen whose header could not be read."""
        (count,) = self._base.execute("SELECT COALESCE(SUM(nameless), 0) FROM images").fetchone()
        return int(count)

    @property
    def archives(self) -> dict[bytes, int]:
        """How many tiles are known of each archive, the one with most first."""
        rows = self._base.execute(
            "SELECT archive, COUNT(*) FROM tiles GROUP BY archive ORDER BY 2 DESC, 1"
        )
        return dict(rows)

    def has(self, digest: str) -> bool:
        """Tell whether an image was read."""
        row = self._base.execute("SELECT 1 FROM images WHERE hash = ?", (digest,)).fetchone()
        return row is not None

    def add(self, image: ImageSighting, merge: Any) -> None:
        """Add what an image told, all of it or nothing.

        Parameters
        ----------
        image : ImageSighting
            The image.
        merge : callable
            ``merge(known, sighting) -> KnownTile``: what both together tell.
        """
        if self.has(image.digest):
            return
        self._base.execute("BEGIN IMMEDIATE")
        try:
            for tile in image.tiles:
                self._add_tile(tile, image.digest, merge)
            self._base.execute(
                "INSERT INTO images VALUES (?, ?, ?, ?, ?)",
                (image.digest, image.name, len(image.tiles), image.nameless,
                 json.dumps(image.notes)),
            )  # fmt: skip
            if image.pitch_nm is not None:
                self._base.execute(
                    "INSERT OR IGNORE INTO about VALUES ('pitch_nm', ?)", (repr(image.pitch_nm),)
                )
            self._base.execute("COMMIT")
        except BaseException:
            self._base.execute("ROLLBACK")
            raise

    def tiles(
        self, archive: bytes, *, role: int | None = None, group: int | None = None
    ) -> Iterator[KnownTile]:
        """Yield what is known of tiles, by group and member.

        Parameters
        ----------
        archive : bytes
            Which archive.
        role, group : int, optional
            Only of this role, and only of this group.
        """
        asked = "SELECT header, good, data, soft, margin, error_rate FROM tiles WHERE archive = ?"
        values: list[Any] = [archive]
        for column, value in (("role", role), ("part_group", group)):
            if value is not None:
                asked += f" AND {column} = ?"
                values.append(value)
        for row in self._base.execute(asked + " ORDER BY role, part_group, member, tile", values):
            yield _known(row)

    def summary(self, archive: bytes) -> list[tuple[TileHeader, int, float, float]]:
        """Return header, lost codewords, margin and error rate of each tile, without its data."""
        rows = self._base.execute(
            "SELECT header, good, margin, error_rate FROM tiles WHERE archive = ? "
            "ORDER BY sheet, tile",
            (archive,),
        )
        return [
            (TileHeader.from_bytes(header), good.count(0), float(margin), float(rate))
            for header, good, margin, rate in rows
        ]

    def sightings(self, archive: bytes) -> list[dict[str, Any]]:
        """Return where tiles were seen: sheet, tile, image, shown, corners, margin, error rate."""
        rows = self._base.execute(
            "SELECT s.sheet, s.tile, i.name, s.shown, s.corners, s.mirrored, s.margin, "
            "s.error_rate FROM sightings s JOIN images i ON i.hash = s.image "
            "WHERE s.archive = ? ORDER BY s.sheet, s.tile, i.name",
            (archive,),
        )
        keys = ("sheet", "tile", "image", "shown", "corners", "mirrored", "margin_db", "error_rate")
        found = [dict(zip(keys, row, strict=True)) for row in rows]
        for each in found:
            each["corners"] = json.loads(each["corners"])
            each["mirrored"] = bool(each["mirrored"])
        return found

    def _check_format(self) -> None:
        self._base.execute("INSERT OR IGNORE INTO about VALUES ('format', ?)", (str(FORMAT),))
        (found,) = self._base.execute("SELECT value FROM about WHERE key = 'format'").fetchone()
        if found != str(FORMAT):
            raise NotThisState(
                f"{self.path} was written by another version of nanoqr: choose another folder."
            )

    def _add_tile(self, tile: TileSighting, image: str, merge: Any) -> None:
        header = tile.header
        key = (header.archive, header.sheet, header.tile)
        row = self._base.execute(
            "SELECT header, good, data, soft, margin, error_rate FROM tiles "
            "WHERE archive = ? AND sheet = ? AND tile = ?",
            key,
        ).fetchone()
        known = KnownTile.of(tile) if row is None else merge(_known(row), tile)
        self._base.execute(
            "INSERT OR REPLACE INTO tiles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, int(header.role), header.group, header.member, known.header.to_bytes(),
             known.good.astype(np.uint8).tobytes(), known.data.tobytes(), known.soft,
             int(known.whole), known.margin_db, known.error_rate),
        )  # fmt: skip
        self._base.execute(
            "INSERT OR REPLACE INTO sightings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, image, tile.shown, json.dumps(tile.corners), int(tile.mirrored),
             tile.margin_db, tile.error_rate),
        )  # fmt: skip


def _known(row: Sequence[Any]) -> KnownTile:
    header, good, data, soft, margin, rate = row
    flags = np.frombuffer(good, np.uint8).astype(bool)
    return KnownTile(
        TileHeader.from_bytes(header), flags,
        np.frombuffer(data, np.uint8).reshape(len(flags), -1), soft, float(margin), float(rate),
    )  # fmt: skip
