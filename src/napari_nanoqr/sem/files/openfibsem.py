"""OpenFIBSEM: JSON in ImageDescription."""

from __future__ import annotations

import json
import math

from napari_nanoqr.sem.files.facts import Acquisition, ImageFile
from napari_nanoqr.sem.files.quantities import number, pixel_size, tidy
from napari_nanoqr.sem.files.text import flatten, json_safe, part


def read(file: ImageFile) -> Acquisition | None:
    """Read the JSON, None where the description is none or of another program."""
    text = file.description.strip()
    if not text.startswith("{") or '"pixel_size"' not in text:
        return None
    settings = json.loads(text)
    if not isinstance(settings, dict):
        return None
    # older versions keep the image's settings on the first level
    image = part(settings, "image") or settings
    size = part(settings, "pixel_size")
    if "hfw" not in image and "beam_type" not in image:
        return None
    beam_type = str(image.get("beam_type") or "ELECTRON").upper()
    ion = beam_type == "ION"
    state = part(settings, "microscope_state")
    name = "ion" if ion else "electron"
    beam = part(state, f"{name}_beam") or part(state, f"{name[0]}b_settings")
    detector = part(state, f"{name}_detector") or part(settings, "detector_settings")
    stage = part(state, "stage_position") or part(state, "absolute_position")
    info = part(part(settings, "system"), "info")

    found = Acquisition(vendor=str(info.get("manufacturer") or "OpenFIBSEM"))
    found.fields = json_safe(flatten(settings))
    nm = [None if (metres := number(size.get(axis))) is None else metres * 1e9 for axis in "yx"]
    found.pixel_size_nm = pixel_size(nm[0], nm[1])
    found.pixel_size_source = "OpenFIBSEM ImageDescription" if found.pixel_size_nm else None
    tilt = number(stage.get("t"))
    found.metadata |= {
        "beam": name,
        "tilt_deg": None if tilt is None else tidy(math.degrees(tilt)),
        "dwell_s": number(image.get("dwell_time")),
        "beam_current_a": number(beam.get("beam_current")),
        "landing_energy_ev": number(beam.get("voltage")),
        "detector": detector.get("type"),
    }
    return found
