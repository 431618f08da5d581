"""Levels of the modules of each field of view, from what is to stand on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.header import Role, TileHeader
from napari_nanoqr.archive.index import IndexedArchive
from napari_nanoqr.archive.layout import SIDE
from napari_nanoqr.archive.outer import Groups
from napari_nanoqr.archive.tile_kind import (
    CONTROL_PAGES,
    FilledTile,
    TileKind,
    capacity,
    step,
)

_ROLES = {"description": Role.DESCRIPTION, "index": Role.INDEX}


def read_data_tile(stream: Path, number: int, size: int) -> bytes:
    """Return the payload of a data tile: its piece of the stream, shorter at the end."""
    with stream.open("rb") as file:
        file.seek(number * size)
        return file.read(size)


def group_parity(stream: Path, groups: Groups, group: int, kind: TileKind) -> bytes:
    """Compute the payloads of the parity tiles of a group.

    Parameters
    ----------
    stream : Path
        The stream.
    groups : Groups
        How it is divided.
    group : int
        Which.
    kind : TileKind
        Of the tiles: their words are the slots of the outer code.

    Returns
    -------
    bytes
        One after the other.
    """
    from napari_nanoqr.codes.cauchy import encode

    count, size = groups.data_count(group), capacity(kind)
    data = np.zeros((count, size), dtype=np.uint8)
    for member in range(count):
        payload = read_data_tile(stream, group + groups.groups * member, size)
        data[member, : len(payload)] = np.frombuffer(payload, dtype=np.uint8)
    return encode(data.reshape(count, -1, kind.word_bytes), groups.parity).tobytes()


@dataclass(frozen=True)
class Drawer:
    """Draws the fields of an archive.

    Parameters
    ----------
    index : IndexedArchive
        What is written.
    stream : Path
        The stream.
    parity : Path
        Payloads of the parity tiles of all groups, see :func:`group_parity`.
    description : tuple of bytes
        Payloads of the description tiles.
    """

    index: IndexedArchive
    stream: Path
    parity: Path
    description: tuple[bytes, ...]

    @cached_property
    def _told(self) -> dict[str, tuple[bytes, ...]]:
        return {"description": self.description, "index": tuple(self.index.parts())}

    def field_levels(self, sheet: int, number: int) -> NDArray[np.uint8]:
        """Draw a field of view.

        Parameters
        ----------
        sheet, number : int
            Of the sheet, and of the field on it.

        Returns
        -------
        (rows, columns) uint8 array
            Level of each module; 0 in tiles that are left empty at the end of a sheet.
        """
        plan = self.index.plan
        settings = plan.settings
        kind, across = settings.tile, settings.tiles_per_field
        levels = np.zeros((settings.field_modules,) * 2, dtype=np.uint8)
        if number == 0:
            title = self._title(sheet)
            levels[: len(title), : len(title)] = title
            return levels
        # pages lie side by side in as many fields as they need
        pages = settings.field_modules // SIDE
        for place in range(pages**2):
            page = (number - 1) * pages**2 + place
            if page < CONTROL_PAGES:
                top, left = (SIDE * at for at in divmod(place, pages))
                levels[top : top + SIDE, left : left + SIDE] = kind.control_page(page, settings)
        tiles = [self._tile(sheet, number * across**2 + place) for place in range(across**2)]
        for place, drawn in enumerate(kind.draw(tiles)):
            if drawn is not None:
                top, left = (step(kind) * at for at in divmod(place, across))
                levels[top : top + kind.side, left : left + kind.side] = drawn
        return levels

    def _title(self, sheet: int) -> NDArray[np.uint8]:
        plan = self.index.plan
        settings = plan.settings
        return _title(
            settings.field_modules // SIDE, settings.pitch_nm, sheet, plan.sheets,
            settings.bits_per_module, "right" if plan.columns(sheet) > 1 else "down",
        )  # fmt: skip

    def _tile(self, sheet: int, tile: int) -> FilledTile | None:
        """Return header and payload of a tile, None where there is none."""
        plan = self.index.plan
        settings = plan.settings
        content = plan.content(sheet, tile)
        if content is None or content.kind in ("title", "control"):
            return None
        common: dict[str, Any] = {
            "archive": bytes.fromhex(self.index.archive), "rate": settings.rate,
            "bits": settings.bits_per_module, "sheet": sheet, "tile": tile,
            "tiles": plan.all_tiles, "root": bytes.fromhex(self.index.facts.sha256)[:4],
        }  # fmt: skip
        if content.kind == "member":
            payload, own = self._member(content.group, content.member)
        else:
            told = self._told[content.kind]
            # the index may turn out shorter than the room that is kept for it
            payload = told[content.part] if content.part < len(told) else b""
            own = {"role": _ROLES[content.kind], "group": content.part, "groups": len(told)}
            if not payload:
                return None
        return TileHeader(**common, **own), payload

    def _member(self, group: int, member: int) -> tuple[bytes, dict[str, Any]]:
        """Return the payload of a member of a group, and what its header says of it."""
        groups = self.index.plan.groups
        count, size = groups.data_count(group), self.index.plan.settings.tile_bytes
        own = {
            "group": group, "groups": groups.groups, "member": member, "data_count": count,
            "parity_count": groups.parity,
        }  # fmt: skip
        if member < count:
            number = group + groups.groups * member
            return read_data_tile(self.stream, number, size), own | {"role": Role.DATA}
        place = group * groups.parity + member - count
        return read_data_tile(self.parity, place, size), own | {"role": Role.PARITY}


@lru_cache(2)
def _title(
    across: int, pitch_nm: float, sheet: int, sheets: int, bits: int, onward: str
) -> NDArray[np.uint8]:
    from napari_nanoqr.archive.title import draw_title

    return draw_title(across, pitch_nm, sheet, sheets, bits, onward)
