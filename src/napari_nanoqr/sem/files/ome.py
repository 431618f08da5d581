"""OME-TIFF: OME-XML in ImageDescription, and the annotation of our own writer in it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any

from napari_nanoqr.sem.files.facts import Acquisition, ImageFile
from napari_nanoqr.sem.files.quantities import in_nm, number, pixel_size, plain
from napari_nanoqr.sem.files.text import local_name, parse_xml

# Namespaces of the map annotations that `write_micrograph` adds: the metadata, and how the
# arrays are stored
METADATA_NAMESPACE = "napari-nanoqr/micrograph"
STORED_NAMESPACE = "napari-nanoqr/stored"
# Unit of PhysicalSizeX where none is given, OME schema 2016-06
_DEFAULT_UNIT = "µm"


def read(file: ImageFile) -> Acquisition | None:
    """Read the OME-XML, None where the description is none."""
    text = file.description
    if not text.rstrip("\x00 \r\n\t").endswith("OME>"):
        return None
    root = parse_xml(text)
    pixels = _first(root, "Pixels")
    sizes = {} if pixels is None else dict(pixels.attrib)
    nm = [
        in_nm(sizes.get(f"PhysicalSize{axis}"), sizes.get(f"PhysicalSize{axis}Unit", _DEFAULT_UNIT))
        for axis in "YX"
    ]
    size = pixel_size(nm[0], nm[1])
    microscope = _first(root, "Microscope")
    own = _annotation(root, METADATA_NAMESPACE)
    stored = _annotation(root, STORED_NAMESPACE)
    images = sum(local_name(element) == "Image" for element in root)
    several = [number(sizes.get(f"Size{axis}")) or 1 for axis in "CZ"]
    found = Acquisition(
        vendor=None if microscope is None else microscope.get("Manufacturer"),
        pixel_size_nm=size,
        pixel_size_source="OME-TIFF PhysicalSizeX" if size else None,
        worth_claiming=size is not None and images == 1 and all(count <= 1 for count in several),
    )
    if stored:
        found.metadata = own
        found.vendor = own.get("vendor")
        found.stored = stored
        found.pixel_size_source = stored.get("pixel_size_source") if size else None
        found.worth_claiming = True
    else:
        found.fields = {key: plain(value) for key, value in sizes.items()}
    return found


def _first(root: ET.Element, name: str) -> ET.Element | None:
    return next((element for element in root.iter() if local_name(element) == name), None)


def _annotation(root: ET.Element, namespace: str) -> dict[str, Any]:
    """Return the pairs of our map annotation of this namespace, each of them JSON."""
    pairs: dict[str, Any] = {}
    for element in root.iter():
        if local_name(element) == "MapAnnotation" and element.get("Namespace") == namespace:
            for pair in element.iter():
                if local_name(pair) == "M":
                    pairs[json.loads(f'"{pair.get("K", "")}"')] = json.loads(pair.text or "null")
    return pairs
