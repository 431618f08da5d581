"""From a micrograph to the tiles in it: lattice, places, and soft bits of all modules."""

from __future__ import annotations

from napari_nanoqr.archive.seeing.see import SeenModules, see_modules, see_tiles, tiles_among
from napari_nanoqr.archive.seeing.seen import SeenTile

__all__ = ["SeenModules", "SeenTile", "see_modules", "see_tiles", "tiles_among"]
