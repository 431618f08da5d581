"""Read a micrograph from a file of any microscope."""

from __future__ import annotations

import math
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.sem.errors import MissingReader, UnreadableImage
from napari_nanoqr.sem.files.sizes import LARGE, SCREEN
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.taken import taken_of

if TYPE_CHECKING:
    from napari_nanoqr.sem.files.facts import ImageSource


def read_micrograph(path: str | os.PathLike[str]) -> Micrograph:
    """Read the image, its pixel size and how it was taken.

    The pixel size comes from what Zeiss, Thermo/FEI, TESCAN, Hitachi, JEOL, Phenom,
    OpenFIBSEM, OME and ImageJ write into the file or beside it, never from the printing
    resolution. Where two entries of a file disagree, ``metadata["conflicts"]`` says
    so under the name of the quantity; what else a person should know stands in
    ``metadata["notes"]``.

    Parameters
    ----------
    path : str or path-like
        A TIFF with one or more frames, an ``.emd`` file of Velox where h5py is installed (the
        extra ``emd``), or a PNG, JPEG, BMP or WebP picture. Grey values
        of 8 and 16 bit stay as they are; colour becomes luminance, see
        `napari_nanoqr.sem.grey.to_grey`.

    Returns
    -------
    Micrograph
        With ``pixel_size_nm`` None where the file does not tell a size that can be true. A TIFF
        of more than 67 million pixels is not loaded: slicing `image`, or `Micrograph.region`,
        reads what is needed. Only one that is compressed in one piece has to be.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    UnreadableImage
        If it is empty, cut off, damaged or not an image, or needs a library that is missing.
    """
    path = Path(path)
    from napari_nanoqr.sem.files.registry import acquisition_of

    with _opened(path) as source:
        found = acquisition_of(source.file)
        databar = None
        image, *coarser = source.levels() or [None]
        if found is not None and found.stored:
            if image is None or not _is_as_stored(image, found.stored):
                image, coarser = _as_stored(source, found.stored, "", 0), []
            if "databar_shape" in found.stored:
                databar = _as_stored(source, found.stored, "databar_", _count(image))
        elif image is None:
            image = source.pixels()
        notes = list(source.notes)
    if not coarser:
        coarser = _views(image)
    if found is None:
        known = {"notes": notes} if notes else {}
        return Micrograph(image=image, metadata=known, path=path, coarser=tuple(coarser))

    metadata = {key: value for key, value in found.metadata.items() if value is not None}
    if found.vendor:
        metadata["vendor"] = found.vendor
    if not found.stored:
        notes = found.notes + notes
        if found.pixel_size_nm is None:
            notes.append("The file does not tell a pixel size that can be true: enter it.")
        if notes:
            metadata["notes"] = notes
        if found.fields:
            metadata["fields"] = found.fields
            taken = taken_of(found.fields)
            if taken is not None:
                metadata["taken"] = taken
        rows = found.databar_rows
        if 0 < rows < image.shape[-2]:
            left, high = image.shape[-2] - rows, image.shape[-2]
            coarser = [
                level[..., : math.ceil(left / round(high / level.shape[-2])), :]
                for level in coarser
            ]
            image, databar = image[..., :-rows, :], np.asarray(image[..., -rows:, :])
            metadata["databar_rows"] = rows
    return Micrograph(
        image=image,
        pixel_size_nm=found.pixel_size_nm,
        pixel_size_source=found.pixel_size_source,
        metadata=metadata,
        databar=databar,
        path=path,
        coarser=tuple(coarser),
    )


def recognises(path: str | os.PathLike[str]) -> bool:
    """Tell from the headers alone whether the file says how its image was taken.

    True for the tags and sidecars of microscopes, and for OME and ImageJ files that tell a
    pixel size and hold one image or frames of one image, not channels or slices. False for
    everything else, unreadable files among it.
    """
    from napari_nanoqr.sem.files.registry import acquisition_of

    try:
        with _opened(Path(path)) as source:
            found = acquisition_of(source.file)
    except MissingReader:
        # so that reading it says what is missing
        return True
    except (OSError, UnreadableImage):
        return False
    return found is not None and found.worth_claiming


def _opened(path: Path) -> AbstractContextManager[ImageSource]:
    if path.is_dir():
        raise UnreadableImage(f"{path.name} is a folder: choose an image file in it.")
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file {path}.") from None
    if not start:
        raise UnreadableImage(f"{path.name} is empty: copy it again from the microscope.")
    # a module that decodes is imported only when its kind of file comes
    from napari_nanoqr.sem.files import emd, picture, tiff

    if start.startswith(emd.SIGNATURE):
        return emd.open_emd(path)
    if path.suffix.lower() in (".dm3", ".dm4"):
        raise UnreadableImage(
            f"{path.name} is a file of Gatan DigitalMicrograph, which is not read here. Save the "
            "image as TIFF there, and enter its pixel size."
        )
    if start.startswith(tiff.SIGNATURES):
        return tiff.open_tiff(path)
    return picture.open_picture(path)


def _as_stored(
    source: ImageSource, stored: dict[str, Any], prefix: str, first_page: int
) -> NDArray[Any]:
    """Give an array that `write_micrograph` stored its shape and type again."""
    shape = tuple(int(length) for length in stored[f"{prefix}shape"])
    count = shape[0] if len(shape) == 3 else 1
    planes = source.pixels(slice(first_page, first_page + count))
    if planes.size != math.prod(shape):
        raise UnreadableImage(
            f"{source.file.path.name} has lost frames or was changed by another program, "
            "which kept the notes of the original."
        )
    return planes.reshape(shape).astype(np.dtype(stored[f"{prefix}dtype"]), copy=False)


def _is_as_stored(image: Any, stored: dict[str, Any]) -> bool:
    return bool(list(image.shape) == stored["shape"] and image.dtype.name == stored["dtype"])


def _views(image: NDArray[Any]) -> list[NDArray[Any]]:
    """Return coarser views of a large picture that had to be loaded as a whole."""
    views: list[NDArray[Any]] = []
    while image.size > LARGE and max(image.shape[-2:]) > SCREEN << len(views):
        step = 2 << len(views)
        views.append(image[..., ::step, ::step])
    return views


def _count(image: NDArray[Any]) -> int:
    return 1 if image.ndim == 2 else int(image.shape[0])
