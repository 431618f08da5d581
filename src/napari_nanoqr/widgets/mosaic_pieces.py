"""Fields of OME-Zarr stores and image files, as pieces of a canvas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.mosaic import MosaicField, mosaic_fields
from napari_nanoqr.progress import Progress, go_on

COARSEST = 256
"""Pixels on a side of what is kept of an image file, about."""


@dataclass(frozen=True, eq=False)
class StoredPiece:
    """A field of an OME-Zarr store."""

    path: Path
    field: MosaicField
    levels: int

    @property
    def title(self) -> str:
        """What the image was called."""
        return self.field.title

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.field.shape

    @property
    def pixel_size_nm(self) -> float:
        """Of the finest level."""
        return self.field.pixel_size_nm

    @property
    def corner_nm(self) -> tuple[float, float]:
        """Centre of the first pixel."""
        return self.field.corner_nm

    def array(self, level: int) -> Any:
        """Return a level as it is stored."""
        import zarr

        place = self.path / self.field.name / self.field.datasets[level]
        return zarr.open_array(place, mode="r", zarr_format=3)

    def load(self, level: int, rows: slice, columns: slice) -> NDArray[Any]:
        """Read a part of a level."""
        part = np.asarray(self.array(level)[..., rows, columns])
        return part.reshape(part.shape[-2:])


@dataclass(frozen=True, eq=False)
class FilePiece:
    """A micrograph that tells where the stage was."""

    path: Path
    shape: tuple[int, int]
    pixel_size_nm: float
    corner_nm: tuple[float, float]
    levels: int

    @property
    def title(self) -> str:
        """Name of the file."""
        return self.path.name

    def load(self, level: int, rows: slice, columns: slice) -> NDArray[Any]:
        """Read a part of a level; files have no coarse ones, so that pixels are left out."""
        step = 2**level
        # not a view, which would keep the whole image in memory
        return np.array(_pixels(self.path)[::step, ::step][rows, columns])


def stored_pieces(path: Path) -> list[StoredPiece]:
    """Return the fields of an OME-Zarr store.

    Raises
    ------
    UnreadableImage
        Where it is none.
    """
    fields = mosaic_fields(path)
    first = StoredPiece(path, fields[0], fields[0].levels)
    halved = all(
        tuple(first.array(level).shape[-2:]) == tuple(-(-n // 2**level) for n in first.shape)
        for level in range(first.levels)
    )
    # of other programs' levels only the finest is known to be what it is taken for
    return [StoredPiece(path, field, field.levels if halved else 1) for field in fields]


def file_pieces(
    paths: Sequence[Path],
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[FilePiece]:
    """Return the images that tell their pixel size and the position of the stage; no others.

    Parameters
    ----------
    paths : sequence of Path
        Image files.
    progress, cancelled : callable, optional
        See `napari_nanoqr.progress`.
    """
    from napari_nanoqr.sem.errors import UnreadableImage
    from napari_nanoqr.sem.read import read_micrograph

    found = []
    for number, path in enumerate(paths):
        go_on(cancelled)
        if progress is not None:
            progress(number, len(paths), f"Looking at {path.name} …")
        try:
            image = read_micrograph(path)
        except (UnreadableImage, OSError):
            continue
        middle = [image.metadata.get(f"stage_{axis}_nm") for axis in "yx"]
        if image.pixel_size_nm is None or None in middle or image.frames != 1:
            continue
        shape, size = image.image.shape[-2:], image.pixel_size_nm[1]
        corner = [
            float(centre) - (count - 1) / 2 * size
            for centre, count in zip(middle, shape, strict=True)
            if centre is not None
        ]
        levels = 1 + max(0, int(np.ceil(np.log2(max(shape) / COARSEST))))
        found.append(
            FilePiece(path, (shape[0], shape[1]), float(size), (corner[0], corner[1]), levels)
        )
    return found


def _pixels(path: Path) -> NDArray[Any]:
    """Read the pixels of a file; the last few files are kept."""
    from napari_nanoqr.sem.read import read_micrograph

    for kept, image in _LAST:
        if kept == path:
            return image
    image = np.asarray(read_micrograph(path).image)
    image = image.reshape(image.shape[-2:])
    _LAST.append((path, image))
    del _LAST[:-_FEW]
    return image


_FEW = 6
_LAST: list[tuple[Path, NDArray[Any]]] = []
