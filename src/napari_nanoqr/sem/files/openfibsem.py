"""OpenFIBSEM: JSON in ImageDescription."""

from __future__ import annotations

import json
import math
from typing import Any

from napari_nanoqr.sem.files.facts import Acquisition, ImageFile
from napari_nanoqr.sem.files.quantities import number, pixel_size, tidy
from napari_nanoqr.sem.files.text import json_safe


def read(file: ImageFile) -> Acquisition | None:
    """Read the JSON, None where the description is none or of another program."""
    text = file.description.strip()
    if not text.startswith("{") or '"pixel_size"' not in text:
        return None
    settings = json.loads(text)
    if not isinstance(settings, dict):
        return None
    # older versions keep the image's settings on the first level
    image = _part(settings, "image") or settings
    size = _part(settings, "pixel_size")
    if "hfw" not in image and "beam_type" not in image:
        return None
    beam_type = str(image.get("beam_type") or "ELECTRON").upper()
    ion = beam_type == "ION"
    state = _part(settings, "microscope_state")
    name = "ion" if ion else "electron"
    beam = _part(state, f"{name}_beam") or _part(state, f"{name[0]}b_settings")
    detector = _part(state, f"{name}_detector") or _part(settings, "detector_settings")
    stage = _part(state, "stage_position") or _part(state, "absolute_position")
    info = _part(_part(settings, "system"), "info")

    found = Acquisition(vendor=str(info.get("manufacturer") or "OpenFIBSEM"))
    found.fields = json_safe(_flat(settings))
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


def _part(settings: dict[str, Any], key: str) -> dict[str, Any]:
    part = settings.get(key)
    return part if isinstance(part, dict) else {}


def _flat(settings: dict[str, Any], path: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{path}.{key}" if path else str(key)
        if isinstance(value, dict):
            flat |= _flat(value, name)
        else:
            flat[name] = value
    return flat
