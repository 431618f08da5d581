"""Hitachi: a text file of the same name, or the same text in the TIFF tag XPComment."""

from __future__ import annotations

import re

from napari_nanoqr.sem.files.facts import Acquisition, ImageFile
from napari_nanoqr.sem.files.quantities import in_si, number, pixel_size
from napari_nanoqr.sem.files.text import decode, parse_sections, plain_sections

_XP_COMMENT = 40092
# the second for pictures of transmitted electrons in the same microscopes
_SECTIONS = ("SemImageFile", "TemImageFile")
# Width of the photograph that the magnification refers to: 5 inches
_PHOTO_WIDTH_NM = 127e6


def read(file: ImageFile) -> Acquisition | None:
    """Read the sidecar, else the comment; None where neither is Hitachi's."""
    for name, text in file.sidecars(f"{file.path.stem}.txt"):
        section = next((name for name in _SECTIONS if f"[{name}]" in text), None)
        if section is not None:
            fields = parse_sections(text).get(section, {})
            return _acquisition(fields, f"Hitachi sidecar {name}", file)
    comment = decode(file.tags.get(_XP_COMMENT, b""))
    if "PixelSize=" in comment.replace(" ", ""):
        lines = parse_sections(re.sub(r"[;,\r\n]+", "\n", comment))
        fields = {key: value for entries in lines.values() for key, value in entries.items()}
        return _acquisition(fields, f"Hitachi tag {_XP_COMMENT}", file)
    return None


def _acquisition(fields: dict[str, str], source: str, file: ImageFile) -> Acquisition:
    if not fields:
        raise ValueError("it holds no field")
    found = Acquisition(vendor="Hitachi", fields=plain_sections({"": fields}))
    data_size = re.match(r"\s*(\d+)\s*x\s*(\d+)", fields.get("DataSize", ""))
    width = int(data_size[1]) if data_size else file.width
    magnification = number(fields.get("Magnification"))
    by_magnification = (
        _PHOTO_WIDTH_NM / magnification / width if magnification and magnification > 0 else None
    )
    told = number(fields.get("PixelSize"))
    found.pixel_size_nm = pixel_size(told, told)
    if found.pixel_size_nm is not None:
        found.pixel_size_source = source
        found.cross_check(by_magnification, "the magnification", 0.02)
    else:
        found.pixel_size_nm = pixel_size(by_magnification, by_magnification)
        if found.pixel_size_nm is not None:
            found.pixel_size_source = f"{source}, magnification"
    if data_size and width != file.width:
        found.conflict(
            f"The microscope stored {width} columns and the file has {file.width}: "
            "it was cropped or resampled afterwards."
        )
    elif data_size and 0 < int(data_size[2]) < file.height:
        found.databar_rows = file.height - int(data_size[2])

    slowed = in_si(fields.get("DecelerationVoltage"), "V", "V") or 0.0
    voltage = in_si(fields.get("AcceleratingVoltage"), "V", "V")
    tilt = number(fields.get("StagePositionT"))
    found.metadata |= {
        "landing_energy_ev": None if voltage is None else voltage - abs(slowed),
        "detector": fields.get("SignalName"),
        # the files do not tell the unit of an angle: only "none" is sure
        "tilt_deg": 0.0 if tilt == 0 else None,
    }
    return found
