"""Write a micrograph as an OME-TIFF that carries its pixel size and acquisition."""

from __future__ import annotations

import json
import os
import secrets
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.sem.files.ome import METADATA_NAMESPACE, STORED_NAMESPACE
from napari_nanoqr.sem.micrograph import Micrograph

_SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
_OME_TYPES = {
    "uint8": "uint8",
    "uint16": "uint16",
    "uint32": "uint32",
    "int8": "int8",
    "int16": "int16",
    "int32": "int32",
    "float32": "float",
    "float64": "double",
}
# Offsets of a classic TIFF have 32 bit; some room is left for the headers.
_CLASSIC_TIFF_LIMIT = (1 << 32) - (1 << 25)


def write_micrograph(micrograph: Micrograph, path: str | os.PathLike[str]) -> Path:
    """Write an OME-TIFF that `read_micrograph` gives back as it was.

    The pixel size stands in ``PhysicalSizeX`` and ``PhysicalSizeY`` in nm, frames are time
    points, the metadata a map annotation, and the data bar, where there is one, a second
    image behind the first. The file appears under its name only when it is complete.

    Parameters
    ----------
    micrograph : Micrograph
        Of any real dtype; types that OME does not know are stored in a wider one and come
        back as they were.
    path : str or path-like
        Name ending in ``.tif`` or ``.tiff``.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ValueError
        If the name has another ending, the image is empty or not of real numbers, or the
        metadata are not what JSON can carry.
    OSError
        If the folder cannot be written to.
    """
    path = Path(path)
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise ValueError(f"A micrograph is saved as a TIFF: end the name {path.name} in .tif.")
    images = [("micrograph", micrograph.image)]
    if micrograph.databar is not None:
        images.append(("data bar", micrograph.databar))
    storable = [(name, _storable(array)) for name, array in images]
    description = _ome_xml(micrograph, storable)

    import tifffile

    size = sum(array.nbytes for _, array in storable)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with tifffile.TiffWriter(
            unfinished, bigtiff=size > _CLASSIC_TIFF_LIMIT, ome=False, shaped=False
        ) as writer:
            for index, (_, array) in enumerate(storable):
                writer.write(
                    array.reshape(-1, *array.shape[-2:]),
                    description=description if index == 0 else None,
                    photometric="minisblack",
                    metadata=None,
                )
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _storable(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array in a type that OME knows, without loss.

    Raises
    ------
    ValueError
        If there is none, or nothing in the array.
    """
    if array.size == 0:
        raise ValueError("The micrograph has no pixels: there is nothing to save.")
    if array.ndim not in (2, 3):
        raise ValueError(f"A data bar is (rows, x) or (frame, rows, x), not {array.shape}.")
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.name in _OME_TYPES:
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.kind in "iuf":
        for wider in (np.uint32, np.int32, np.float32, np.float64):
            with np.errstate(over="ignore", invalid="ignore"):
                stored = array.astype(wider)
                back = stored.astype(array.dtype)
            if np.array_equal(back, array, equal_nan=array.dtype.kind == "f"):
                return stored
    raise ValueError(
        f"Pixels of the type {array.dtype} cannot be saved without loss: convert them to "
        "float32 first."
    )


def _ome_xml(micrograph: Micrograph, images: list[tuple[str, NDArray[Any]]]) -> str:
    """Return the OME-XML of the file, ASCII."""
    root = ET.Element("OME", {"xmlns": _SCHEMA, "Creator": "napari-nanoqr"})
    first_page = 0
    for index, (name, array) in enumerate(images):
        image = ET.SubElement(root, "Image", {"ID": f"Image:{index}", "Name": name})
        frames = array.shape[0] if array.ndim == 3 else 1
        attributes = {
            "ID": f"Pixels:{index}",
            "DimensionOrder": "XYCZT",
            "Type": _OME_TYPES[array.dtype.name],
            "SizeX": str(array.shape[-1]),
            "SizeY": str(array.shape[-2]),
            "SizeC": "1",
            "SizeZ": "1",
            "SizeT": str(frames),
        }
        if index == 0 and micrograph.pixel_size_nm is not None:
            for axis, size in zip("YX", micrograph.pixel_size_nm, strict=True):
                attributes[f"PhysicalSize{axis}"] = repr(float(size))
                attributes[f"PhysicalSize{axis}Unit"] = "nm"
        pixels = ET.SubElement(image, "Pixels", attributes)
        channel = {"ID": f"Channel:{index}:0", "SamplesPerPixel": "1"}
        ET.SubElement(pixels, "Channel", channel)
        for frame in range(frames):
            plane = {"IFD": str(first_page + frame), "FirstT": str(frame), "PlaneCount": "1"}
            ET.SubElement(pixels, "TiffData", plane)
        if index == 0:
            for number in range(2):
                ET.SubElement(image, "AnnotationRef", {"ID": f"Annotation:{number}"})
        first_page += frames

    stored: dict[str, Any] = {
        "pixel_size_source": micrograph.pixel_size_source,
        "shape": list(micrograph.image.shape),
        "dtype": micrograph.image.dtype.name,
    }
    if micrograph.databar is not None:
        stored["databar_shape"] = list(micrograph.databar.shape)
        stored["databar_dtype"] = micrograph.databar.dtype.name
    annotations = ET.SubElement(root, "StructuredAnnotations")
    for number, (namespace, pairs) in enumerate(
        ((METADATA_NAMESPACE, micrograph.metadata), (STORED_NAMESPACE, stored))
    ):
        identity = {"ID": f"Annotation:{number}", "Namespace": namespace}
        annotation = ET.SubElement(annotations, "MapAnnotation", identity)
        value = ET.SubElement(annotation, "Value")
        for key, entry in pairs.items():
            # JSON keeps the types, and characters that XML may not hold become escapes
            pair = ET.SubElement(value, "M", {"K": json.dumps(str(key))[1:-1]})
            pair.text = _json(key, entry)
    xml: bytes = ET.tostring(root, encoding="ascii", xml_declaration=True)
    return xml.decode("ascii")


def _json(key: object, value: Any) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The entry {key!r} of the metadata cannot be saved: {error}.") from error
