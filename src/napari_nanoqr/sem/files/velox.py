"""Velox of Thermo Fisher: the JSON that stands beside each image of an ``.emd`` file."""

from __future__ import annotations

import json
import math

from napari_nanoqr.sem.files.facts import Acquisition, ImageFile
from napari_nanoqr.sem.files.quantities import in_nm, number, pixel_size, tidy
from napari_nanoqr.sem.files.text import decode, flatten, json_safe, part

_SIDES = ("height", "width")


def read(file: ImageFile) -> Acquisition | None:
    """Read the JSON, None where there is none of Velox."""
    text = decode(file.embedded)
    if not text.startswith("{"):
        return None
    settings = json.loads(text)
    result = part(settings, "BinaryResult")
    if not result:
        return None
    maker = part(settings, "Instrument").get("Manufacturer")
    found = Acquisition(vendor=str(maker or "Thermo/FEI"), fields=json_safe(flatten(settings)))
    size = part(result, "PixelSize")
    # an image of diffraction has angles, of which none makes a length
    units = [str(result.get(f"PixelUnit{axis}") or "") for axis in "YX"]
    sizes = [in_nm(size.get(side), unit) for side, unit in zip(_SIDES, units, strict=True)]
    found.pixel_size_nm = None if None in sizes else pixel_size(sizes[0], sizes[1])
    found.pixel_size_source = "Velox BinaryResult.PixelSize" if found.pixel_size_nm else None
    radians = number(part(settings, "Stage").get("AlphaTilt"))
    found.metadata |= {
        "beam": "electron",
        "tilt_deg": None if radians is None else tidy(math.degrees(radians)),
        # the current that it tells is that on the screen, not on the specimen
        "dwell_s": number(part(settings, "Scan").get("DwellTime")),
        "landing_energy_ev": number(part(settings, "Optics").get("AccelerationVoltage")),
        "detector": result.get("Detector"),
    }
    return found
