"""PNG, JPEG, BMP, WebP and what else Pillow reads: pictures without tags of a microscope."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence, UnidentifiedImageError

from napari_nanoqr.sem.errors import UnreadableImage
from napari_nanoqr.sem.files.facts import ImageFile
from napari_nanoqr.sem.grey import to_grey

# Modes whose array is grey values already
_GREY_MODES = ("L", "I", "F", "I;16", "I;16L", "I;16B", "I;16N")


class PictureSource:
    """An open picture: `file` with its size, `pixels`."""

    def __init__(self, path: Path, picture: Image.Image) -> None:
        self._path = path
        self._picture = picture
        self.notes: list[str] = []
        self.file = ImageFile(
            path=path,
            width=picture.width,
            height=picture.height,
            embedded=_embedded(path) if picture.format == "JPEG" else b"",
        )

    def pixels(self, pages: slice | None = None) -> NDArray[Any]:
        """Read the frames, all by default, as grey values, ``(y, x)`` or ``(frame, y, x)``.

        Raises
        ------
        UnreadableImage
            If the picture is cut off or damaged.
        """
        try:
            frames = [_grey(frame) for frame in ImageSequence.Iterator(self._picture)]
        except Exception as error:
            # decoders raise whatever damage leads them to
            raise UnreadableImage(
                f"{self._path.name} is damaged or cut off ({error}). "
                "Copy the file again, or open it in the program that saved it."
            ) from error
        frames = frames if pages is None else frames[pages]
        return frames[0] if len(frames) == 1 else np.stack(frames)

    def levels(self) -> list[Any]:
        """Return no levels: these formats are decoded as a whole."""
        return []


@contextmanager
def open_picture(path: Path) -> Iterator[PictureSource]:
    """Open a picture for reading.

    Raises
    ------
    UnreadableImage
        If Pillow knows no format that it could be.
    """
    try:
        picture = Image.open(path)
    except UnidentifiedImageError as error:
        raise UnreadableImage(
            f"{path.name} is not an image that can be read: expected is a TIFF from the "
            "microscope, or a PNG, JPEG, BMP or WebP picture."
        ) from error
    except Image.DecompressionBombError as error:
        raise UnreadableImage(
            f"{path.name} has more pixels than a picture of this format should ({error}). "
            "Save it as a TIFF."
        ) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise UnreadableImage(f"{path.name} is damaged ({error}). Copy the file again.") from error
    with picture:
        yield PictureSource(path, picture)


def _grey(frame: Image.Image) -> NDArray[Any]:
    mode = frame.mode
    if mode == "1":
        return np.asarray(frame.convert("L"))
    if mode in _GREY_MODES:
        array = np.array(frame)
        if mode == "I" and array.min() >= 0 and array.max() <= 0xFFFF:
            # how Pillow holds 16-bit pictures of some formats
            return array.astype(np.uint16)
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if mode in ("LA", "La"):
        return to_grey(np.asarray(frame.convert("LA")))
    return to_grey(np.asarray(frame.convert("RGB")))


def _embedded(path: Path) -> bytes:
    """XML that a microscope put behind a JPEG picture."""
    data = path.read_bytes()
    start = data.find(b"<FeiImage")
    return data[start:] if start >= 0 else b""
