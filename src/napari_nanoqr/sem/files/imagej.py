"""ImageJ TIFF: a unit in ImageDescription, pixels per unit as the resolution."""

from __future__ import annotations

import math

from napari_nanoqr.sem.files.facts import Acquisition, ImageFile
from napari_nanoqr.sem.files.quantities import in_nm, number, pixel_size, plain
from napari_nanoqr.sem.files.text import parse_sections


def read(file: ImageFile) -> Acquisition | None:
    """Read the calibration, None where ImageJ wrote none that is a length.

    ImageJ takes inch and cm over from the printing resolution of any TIFF that it opens:
    they do not tell a pixel size.
    """
    text = file.description
    if not text.startswith("ImageJ="):
        return None
    fields = parse_sections(text.replace("\\u00B5", "µ").replace("\\u00C5", "Å")).get("", {})
    unit = fields.get("unit", "")
    if unit.lower() in ("", "pixel", "pixels", "inch", "inches", "cm"):
        return None
    per_unit = file.resolution
    nm = in_nm(1, unit)
    if nm is None or not all(math.isfinite(value) and value > 0 for value in per_unit):
        return None
    # `yunit` stands there only where y has another unit than x
    y_nm = in_nm(1, fields.get("yunit", unit)) or nm
    size = pixel_size(y_nm / per_unit[1], nm / per_unit[0])
    if size is None:
        return None
    several = [number(fields.get(name)) or 1 for name in ("channels", "slices")]
    return Acquisition(
        vendor=None,
        pixel_size_nm=size,
        pixel_size_source=f"ImageJ resolution, unit {unit}",
        fields={key: plain(value) for key, value in fields.items()},
        worth_claiming=all(count <= 1 for count in several),
    )
