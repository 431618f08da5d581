"""From a micrograph to the tiles in it: lattice, places, and soft bits of all modules."""

from __future__ import annotations

from napari_nanoqr.archive.seeing.see import see_tiles
from napari_nanoqr.archive.seeing.seen import SeenTile

__all__ = ["SeenTile", "see_tiles"]
