"""JEOL: a text file of the same name with ``$CM_`` and ``$$SM_`` lines."""

from __future__ import annotations

import re

from napari_nanoqr.sem.files.facts import Acquisition, ImageFile
from napari_nanoqr.sem.files.quantities import (
    differ,
    in_nm,
    in_si,
    number,
    pixel_size,
    plain,
    quantity,
)

_LINE = re.compile(r"\${1,2}(\w+%?\w*)[ \t]*(.*)")
# Width of the picture that the magnification refers to: that of newer models, and that of
# older ones, which always tell the scale bar as well
_PICTURE_WIDTH_NM = 128e6
_OLD_PICTURE_WIDTH_NM = 120e6


def parse(text: str) -> dict[str, str]:
    """Return ``{"CM_MAG": "50"}`` of lines ``$CM_MAG 50`` and ``$$SM_WD 9.07``."""
    fields: dict[str, str] = {}
    # Japanese Windows writes a micro sign that others take for these two letters
    for line in text.replace("ƒÊ", "µ").splitlines():
        match = _LINE.match(line.strip())
        if match:
            fields.setdefault(match[1], match[2].strip())
    return fields


def read(file: ImageFile) -> Acquisition | None:
    """Read the sidecar, None where there is none of JEOL's."""
    for name, text in file.sidecars(f"{file.path.stem}.txt"):
        if "$CM_" in text or "$$SM_" in text:
            return _acquisition(parse(text), f"JEOL sidecar {name}", file)
    return None


def _acquisition(fields: dict[str, str], source: str, file: ImageFile) -> Acquisition:
    found = Acquisition(vendor="JEOL", fields={key: plain(value) for key, value in fields.items()})
    full = _two_numbers(fields.get("CM_FULL_SIZE"))
    width = int(full[0]) if full else file.width
    _set_pixel_size(found, fields, width, source)
    if full and width != file.width:
        found.conflict(
            f"The microscope stored {width} columns and the file has {file.width}: "
            "it was cropped or resampled afterwards."
        )
    elif full and full[1] < file.height:
        found.databar_rows = file.height - int(full[1])

    # x y z in mm, then two angles of which the files do not tell which is the tilt
    angles = fields.get("CM_STAGE_POS", "").split()[3:5]
    level = len(angles) == 2 and all(number(angle) == 0 for angle in angles)
    found.metadata |= {
        "landing_energy_ev": _landing_energy(fields),
        "detector": fields.get("CM_DETECTOR_NAME")
        or fields.get("CM_DETECTOR")
        or fields.get("CM_SIGNAL_NAME")
        or fields.get("CM_SIGNAL")
        or None,
        "tilt_deg": 0.0 if level else None,
    }
    return found


def _set_pixel_size(found: Acquisition, fields: dict[str, str], width: int, source: str) -> None:
    """Take the scale bar, else the field of view, else the magnification."""
    bar = number(fields.get("SM_MICRON_BAR"))
    marker = in_nm(fields.get("SM_MICRON_MARKER"))
    field_of_view = _two_numbers(fields.get("CM_FIELD_OF_VIEW"))
    magnification = _plain_number(fields.get("CM_MAG"))
    candidates = {
        "SM_MICRON_BAR": marker / bar if marker and bar and bar > 0 else None,
        # in um
        "CM_FIELD_OF_VIEW": field_of_view[0] * 1e3 / width if field_of_view else None,
        "CM_MAG": _PICTURE_WIDTH_NM / magnification / width
        if magnification and magnification > 0
        else None,
    }
    for name, value in candidates.items():
        size = pixel_size(value, value)
        if size is None:
            continue
        if found.pixel_size_nm is None:
            found.pixel_size_nm = size
            found.pixel_size_source = f"{source}, {name}"
        else:
            if name == "CM_MAG" and not differ(
                found.pixel_size_nm[1] * _PICTURE_WIDTH_NM, size[1] * _OLD_PICTURE_WIDTH_NM, 0.03
            ):
                continue
            # the bar is a whole number of pixels long
            found.cross_check(size[1], name, 0.03)


def _landing_energy(fields: dict[str, str]) -> float | None:
    """Voltage of acceleration, unless a bias slows the electrons by what it does not tell."""
    voltage = in_si(fields.get("CM_ACCEL_VOLT"), "V", "kV")
    gun = in_si(fields.get("SM_GB_GUN_VOLT"), "V", "kV")
    bias = in_si(fields.get("SM_GB_BIAS_VOLT"), "V", "kV")
    if not bias or voltage is None:
        return voltage
    if gun is None or differ(voltage, gun - abs(bias)):
        return None
    return voltage


def _plain_number(text: str | None) -> float | None:
    """Return a number without anything behind it: digits that are damaged are no number."""
    value, unit = quantity(text)
    return None if unit else value


def _two_numbers(text: str | None) -> tuple[float, float] | None:
    """Return the two positive numbers of a line such as ``1280 960``."""
    values = [_plain_number(part) for part in (text or "").split()[:2]]
    if len(values) != 2 or values[0] is None or values[1] is None:
        return None
    return (values[0], values[1]) if values[0] > 0 and values[1] > 0 else None
