"""What can be read: image files, folders of them, and the fields of an OME-Zarr mosaic."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.files import file_hash

IMAGE_SUFFIXES = (
    ".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp", ".webp", ".emd", ".dm3", ".dm4",
)  # fmt: skip


@dataclass(frozen=True)
class ImageSource:
    """An image that has not been opened yet.

    Attributes
    ----------
    path : Path
        A file, or the folder of a mosaic.
    field : str or None
        Name of the field of a mosaic.
    """

    path: Path
    field: str | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return self.path.name if self.field is None else f"{self.path.name}/{self.field}"

    def digest(self) -> str:
        """Return the SHA-256 of the content, hex; of a field's stored pieces in their order.

        Raises
        ------
        OSError
            Where it cannot be read.
        """
        if self.field is None:
            return file_hash(self.path)
        digest = hashlib.sha256()
        root = self.path / self.field
        for piece in sorted(part for part in root.rglob("*") if part.is_file()):
            digest.update(piece.relative_to(root).as_posix().encode() + b"\0")
            digest.update(bytes.fromhex(file_hash(piece)))
        return digest.hexdigest()

    def load(self) -> tuple[NDArray[np.number], float | None]:
        """Read the image.

        Returns
        -------
        image : (y, x) array
            Grey values; a stack is averaged.
        pixel_size_nm : float or None
            Pixel size along the rows, where it is told.

        Raises
        ------
        UnreadableImage
            Where it is none.
        OSError
            Where it cannot be read.
        """
        if self.field is not None:
            from napari_nanoqr.archive.mosaic import read_mosaic_field

            return read_mosaic_field(self.path, self.field)
        from napari_nanoqr.sem.read import read_micrograph

        micrograph = read_micrograph(self.path)
        image = np.asarray(micrograph.image if micrograph.frames == 1 else micrograph.mean_image)
        size = micrograph.pixel_size_nm
        return image.reshape(image.shape[-2:]), None if size is None else size[1]


def image_sources(images: Iterable[Path | str]) -> list[ImageSource]:
    """Return the images that files, folders and mosaics hold.

    Parameters
    ----------
    images : iterable of path
        Files, folders (with the folders below them) and OME-Zarr mosaics.

    Returns
    -------
    list of ImageSource
        In the order given, those of a folder by name; none twice.

    Raises
    ------
    FileNotFoundError
        Where there is nothing of that name.
    ValueError
        Where a folder holds no image.
    """
    found: dict[ImageSource, None] = {}
    for each in map(Path, images):
        if not each.exists():
            raise FileNotFoundError(f"There is no file or folder {each}.")
        inside = list(_inside(each))
        if not inside:
            raise ValueError(f"There is no image in {each}.")
        found.update(dict.fromkeys(inside))
    return list(found)


def _inside(path: Path) -> Iterable[ImageSource]:
    if not path.is_dir():
        yield ImageSource(path)
    elif (path / "zarr.json").is_file():
        from napari_nanoqr.archive.mosaic import mosaic_fields

        for place in mosaic_fields(path):
            yield ImageSource(path, place.name)
    else:
        for each in sorted(path.iterdir()):
            if each.is_dir():
                yield from _inside(each)
            elif each.suffix.lower() in IMAGE_SUFFIXES and not each.name.startswith("."):
                yield ImageSource(each)
