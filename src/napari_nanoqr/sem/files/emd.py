"""Velox ``.emd``: HDF5 with images, and JSON about each; read by h5py, which is an extra."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.sem.errors import MissingReader, UnreadableImage
from napari_nanoqr.sem.files.facts import ImageFile

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_IMAGES = "Data/Image"


class EmdSource:
    """An open file of Velox: `file` with the JSON of its image, `pixels`."""

    def __init__(self, path: Path, images: dict[str, Any]) -> None:
        self._path = path
        # the largest is the micrograph; of several detectors of one scan, the first
        name, image = max(images.items(), key=lambda item: item[1]["Data"].size)
        self._data = image["Data"]
        self.notes: list[str] = []
        if len(images) > 1:
            number = list(images).index(name) + 1
            self.notes.append(
                f"The file holds {len(images)} images, of which this is number {number}: save the "
                "others from Velox as TIFF."
            )
        self.file = ImageFile(
            path=path,
            width=int(self._data.shape[1]),
            height=int(self._data.shape[0]),
            embedded=_metadata(image),
        )

    def pixels(self, pages: slice | None = None) -> NDArray[Any]:
        """Read the frames, all by default, ``(y, x)`` or ``(frame, y, x)``.

        Raises
        ------
        UnreadableImage
            If they are damaged, or more than the memory holds.
        """
        numbers = range(self._data.shape[2])[slice(None) if pages is None else pages]
        try:
            frames = [np.asarray(self._data[:, :, number]) for number in numbers]
        except (OSError, ValueError, MemoryError) as error:
            raise UnreadableImage(
                f"The pixels of {self._path.name} cannot be read ({error}). Copy the file again "
                "from the microscope."
            ) from error
        native = [frame.astype(frame.dtype.newbyteorder("="), copy=False) for frame in frames]
        return native[0] if len(native) == 1 else np.stack(native)

    def levels(self) -> list[Any]:
        """Return no levels: Velox stores all frames of a pixel together."""
        return []


@contextmanager
def open_emd(path: Path) -> Iterator[EmdSource]:
    """Open a file of Velox for reading.

    Raises
    ------
    MissingReader
        If h5py is not installed.
    UnreadableImage
        If it is damaged, or HDF5 of another program.
    """
    try:
        import h5py
    except ImportError:
        raise MissingReader(
            f"{path.name} is an HDF5 file, as Velox writes them. To read it, install h5py: "
            'pip install "napari-nanoqr[emd]". Or save the image from Velox as TIFF.'
        ) from None
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise UnreadableImage(
            f"{path.name} is damaged ({error}). Copy it again from the microscope."
        ) from error
    with file:
        try:
            images = _images(file)
        except (KeyError, OSError, RuntimeError, ValueError) as error:
            raise UnreadableImage(
                f"{path.name} is damaged ({error}). Copy it again from the microscope."
            ) from error
        if not images:
            raise UnreadableImage(
                f"{path.name} is an HDF5 file without an image of Velox: save the image as TIFF."
            )
        yield EmdSource(path, images)


def _images(file: Any) -> dict[str, Any]:
    """Return the groups that hold an image of real numbers, by name."""
    group = file.get(_IMAGES)
    found = {}
    for name in sorted(group) if hasattr(group, "keys") else []:
        image = group[name]
        if not hasattr(image, "keys") or "Data" not in image:
            continue
        data = image["Data"]
        # transforms are complex, and line profiles have fewer axes
        if getattr(data, "ndim", 0) == 3 and data.dtype.kind in "uif" and data.size:
            found[name] = image
    return found


def _metadata(image: Any) -> bytes:
    """Return the JSON about the first frame, which is padded by zeros."""
    if "Metadata" not in image:
        return b""
    metadata = image["Metadata"]
    if metadata.ndim != 2 or metadata.dtype != np.uint8 or not metadata.size:
        return b""
    return bytes(np.asarray(metadata[:, 0])).rstrip(b"\x00")
