"""Zeiss SmartSEM: TIFF tag 34118, and 34119 with the same text in UTF-16."""

from __future__ import annotations

import re

from napari_nanoqr.sem.files.facts import Acquisition, ImageFile
from napari_nanoqr.sem.files.quantities import in_nm, in_si, number, pixel_size, plain, tidy
from napari_nanoqr.sem.files.text import decode

_TAGS = (34118, 34119)
_KEY = re.compile(r"(?:AP|DP|SV)_[A-Z0-9_]+")
# Place of the pixel size in m among the numbers before the first key, and the image width
# that it is meant for. Read from real files of widths 1024 to 3072.
_PIXEL_INDEX = 3
_PIXEL_WIDTH = 1024
# Voltages on the specimen, with which electrons land slower than they were accelerated to
_DECELERATIONS = ("DP_TANDEM_DECELERATION", "DP_STAGE_BIAS", "DP_STAGE_BIAS_HIGH")


def parse(text: str) -> tuple[list[float | None], dict[str, str]]:
    """Split a SmartSEM header.

    Parameters
    ----------
    text : str
        The tag as text: unnamed numbers, then pairs of lines, a key such as
        ``AP_WIDTH`` and ``Width = 607.5 µm``.

    Returns
    -------
    numbers : list of float or None
        The unnamed values in their order.
    fields : dict
        Key to value with unit, ``{"AP_WIDTH": "607.5 µm"}``.
    """
    numbers: list[float | None] = []
    fields: dict[str, str] = {}
    key: str | None = None
    for line in text.splitlines():
        line = line.strip("\x00 \t")
        if _KEY.fullmatch(line):
            key = line
        elif key is not None:
            # dates and times are the only ones with a colon: "Time :11:41:13"
            _, separator, value = line.partition("=")
            if not separator:
                value = line.partition(":")[2]
            fields[key] = value.strip()
            key = None
        elif not fields:
            numbers.append(number(line))
    return numbers, fields


def read(file: ImageFile) -> Acquisition | None:
    """Read what SmartSEM wrote, None where the file has none of its tags."""
    tag = next((code for code in _TAGS if code in file.tags), None)
    if tag is None:
        return None
    numbers, fields = parse(decode(file.tags[tag]))
    if not fields and len(numbers) <= _PIXEL_INDEX:
        raise ValueError("it holds none of the fields of SmartSEM")

    found = Acquisition(vendor="Zeiss")
    found.fields = {key: plain(value) for key, value in fields.items()}
    _set_pixel_size(found, numbers, fields, file.width, tag)
    stored = _stored_columns(fields)
    if stored and stored != file.width:
        found.conflict(
            f"The microscope stored {stored} columns and the file has {file.width}: "
            "it was cropped or resampled afterwards."
        )
    _set_beam(found, fields, stored or file.width)

    found.metadata["tilt_deg"] = number(fields.get("AP_STAGE_AT_T"))
    # The tilt angle is what SmartSEM would correct for; it keeps its last value when off.
    corrected = fields.get("DP_TILT_CORRECTION", "").lower()
    angle = number(fields.get("AP_TILT_ANGLE"))
    if corrected in ("yes", "on"):
        found.metadata["tilt_correction_deg"] = angle
        found.compare("tilt_deg", "AP_STAGE_AT_T", angle, "AP_TILT_ANGLE", 0.5)
    else:
        off = "AP_TILT_ANGLE, for a correction that is off,"
        found.compare("tilt_deg", "AP_STAGE_AT_T", angle, off, 0.5)
    if corrected:
        found.metadata["tilt_correction"] = corrected in ("yes", "on")
    found.metadata["detector"] = fields.get("DP_DETECTOR_CHANNEL") or fields.get("DP_DETECTOR_TYPE")
    return found


def _set_pixel_size(
    found: Acquisition,
    numbers: list[float | None],
    fields: dict[str, str],
    width: int,
    tag: int,
) -> None:
    """Take the pixel size for 1024 columns, else the two fields that are right as well.

    ``AP_PIXEL_SIZE`` is not among them: it is that of the screen, not of the file.
    """
    header = numbers[_PIXEL_INDEX] if len(numbers) > _PIXEL_INDEX else None
    field_width = in_nm(fields.get("AP_WIDTH"))
    candidates = {
        "": None if header is None else header * 1e9 * _PIXEL_WIDTH / width,
        ", AP_IMAGE_PIXEL_SIZE": in_nm(fields.get("AP_IMAGE_PIXEL_SIZE")),
        ", AP_WIDTH": None if field_width is None else field_width / width,
    }
    sizes = {name: pixel_size(value, value) for name, value in candidates.items()}
    name = next((name for name, size in sizes.items() if size is not None), None)
    if name is None:
        return
    found.pixel_size_nm = sizes[name]
    found.pixel_size_source = f"Zeiss tag {tag}{name}"
    for other, size in sizes.items():
        if size is not None and other != name:
            found.cross_check(size[1], other.removeprefix(", "))


def _stored_columns(fields: dict[str, str]) -> int:
    """Columns of the picture as the microscope stored it, 0 where it does not tell."""
    stored = re.match(r"\s*(\d+)\s*\*\s*(\d+)", fields.get("DP_IMAGE_STORE", ""))
    return int(stored[1]) if stored else 0


def _set_beam(found: Acquisition, fields: dict[str, str], width: int) -> None:
    """Set energy, current and dwell; never from ``DP_DWELL_TIME``, a nominal setting.

    `width` is the number of pixels of a line as it was scanned.
    """
    if fields.get("DP_FIB_IMAGING", "").upper() == "FIB":
        # the electron column's values would be wrong for this image
        found.metadata["beam"] = "ion"
        return
    found.metadata["beam"] = "electron"
    landing = in_si(fields.get("AP_LANDING_ENERGY"), "V")
    voltage = in_si(fields.get("AP_ACTUALKV"), "V")
    slowed = any(fields.get(key, "").lower() in ("on", "yes") for key in _DECELERATIONS)
    found.metadata["landing_energy_ev"] = landing or (None if slowed else voltage)
    if not slowed:
        found.compare("landing_energy_ev", "AP_LANDING_ENERGY", voltage, "AP_ACTUALKV")
    found.metadata["beam_current_a"] = in_si(fields.get("AP_IPROBE"), "A")

    line_time = in_si(fields.get("AP_LINE_TIME"), "s")
    mode = fields.get("DP_NOISE_REDUCTION", "").lower().rstrip(".")
    if not line_time or line_time < 0:
        return
    if mode == "line avg":
        # Here the line time covers all scans of the line: in real files it is the count
        # times what the scan speed gives, and the lines times it are the cycle time.
        count = number(fields.get("AP_LINE_AVERAGE_COUNT"))
    elif mode in ("pixel avg", "none", "off"):
        count = 1.0
    elif mode == "frame avg":
        frames = number(fields.get("AP_FRAME_AVERAGE_COUNT"))
        if frames and frames >= 1:
            found.metadata["averaged"] = int(frames)
            found.metadata["dwell_s"] = tidy(line_time / width)
        return
    else:
        return
    if count and count >= 1:
        found.metadata["averaged"] = int(count)
        found.metadata["dwell_s"] = tidy(line_time / width / count)
