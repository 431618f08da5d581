"""Thermo/FEI bitmaps (``.bmp``, 24 bit): one pixel is one point.

Green is 1 where the beam is on and 0 where it is blanked, blue is the dwell in 255ths of the
one set at the instrument, red is not used (fibsem-os). The pattern's size is set at the
instrument too, so that a pixel is as large as the point pitch.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np

from napari_nanoqr.fib.pattern import BadPattern, PointPattern
from napari_nanoqr.fib.plan import MillPlan

NAME = "Thermo/FEI bitmap"
FULL_DWELL = 255
MOST_PIXELS = 100_000_000
LARGEST_PIXEL_NM = 10_000.0
"""Resolutions that pictures for the screen or for print carry mean far larger pixels."""


def write_bitmap(plan: MillPlan, path: Path) -> dict[str, Any]:
    """Write a plan as a bitmap, cropped to what is milled; rows are stored bottom up.

    Parameters
    ----------
    plan : MillPlan
        What is milled.
    path : Path
        The file; written in place.

    Returns
    -------
    dict
        For the sidecar: what has to be set at the instrument.

    Raises
    ------
    ValueError
        Where the bitmap would be too large.
    OSError
        Where it cannot be written.
    """
    on = plan.point_mask
    rows, columns = np.flatnonzero(on.any(axis=1)), np.flatnonzero(on.any(axis=0))
    on = on[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = on.shape
    if height * width > MOST_PIXELS:
        raise ValueError(
            f"A bitmap of {width} x {height} points is too large: use a larger point pitch."
        )
    stride = (3 * width + 3) // 4 * 4
    pixels = np.zeros((height, stride), dtype=np.uint8)
    pixels[:, 0 : 3 * width : 3] = FULL_DWELL * on[::-1]  # blue
    pixels[:, 1 : 3 * width : 3] = on[::-1]  # green
    per_metre = min(round(1e9 / plan.point_pitch_nm), 2**31 - 1)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, pixels.size,
                       per_metre, per_metre, 0, 0)  # fmt: skip
    offset = 14 + len(info)
    head = struct.pack("<2sIHHI", b"BM", offset + pixels.size, 0, 0, offset)
    path.write_bytes(head + info + pixels.tobytes())
    pitch = plan.point_pitch_nm
    return {"pixel_nm": pitch, "width_um": width * pitch / 1000, "height_um": height * pitch / 1000}


def read_bitmap(path: Path, metadata: dict[str, Any], hfw_um: float | None = None) -> PointPattern:
    """Read a bitmap pattern.

    Parameters
    ----------
    path : Path
        The file.
    metadata : dict
        What its sidecar says; may be empty. Without one the dwell is not known, and the pixel
        size only where the file's own resolution is that of a pattern.
    hfw_um : float, optional
        Field width in um; it does not change the scale, which is the pixel's.

    Returns
    -------
    PointPattern
        The pixels at which the beam is on, row by row.

    Raises
    ------
    BadPattern
        Where it is no 24-bit bitmap, or a picture.
    OSError
        Where it cannot be read.
    """
    from PIL import Image

    content = io.BytesIO(path.read_bytes())
    try:
        with Image.open(content, formats=["BMP"]) as image:
            if image.mode != "RGB" or image.width * image.height > 2 * MOST_PIXELS:
                raise BadPattern(
                    f"{path.name} is not a 24-bit bitmap: {image.width} x {image.height} pixels "
                    f"of kind {image.mode}."
                )
            pixels = np.asarray(image)
            per_metre = float(image.info.get("dpi", (0, 0))[0]) * 39.3701
    except BadPattern:
        raise
    except (
        OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError
    ) as problem:  # fmt: skip
        raise BadPattern(f"{path.name} is not a bitmap, or is damaged: {problem}") from problem
    green = pixels[..., 1]
    if np.unique(green[green > 0]).size > 1:
        raise BadPattern(
            f"{path.name} is a picture, not a pattern: its green channel holds more than beam on "
            "and beam off."
        )
    # the header holds whole points per metre, which Pillow converts to inches
    own_nm = 1e9 / round(per_metre) if per_metre > 1e9 / LARGEST_PIXEL_NM else None
    pixel_nm = metadata.get("pixel_nm", own_nm)
    dwell_us = metadata.get("dwell_us")
    on = (pixels[..., 1] > 0) & (pixels[..., 2] > 0)
    index = np.argwhere(on)[:, ::-1]
    height, width = on.shape
    return PointPattern(
        format=NAME,
        hfw_um=hfw_um,
        metadata=metadata,
        path=path,
        steps=index,
        dwell_units=pixels[..., 2][on].astype(np.int64),
        beam_on=np.ones(len(index), dtype=np.bool_),
        passes=int(metadata.get("passes", 1)),
        centre_step=((width - 1) / 2, (height - 1) / 2),
        step_nm=None if pixel_nm is None else float(pixel_nm),
        dwell_unit_s=None if dwell_us is None else float(dwell_us) * 1e-6 / FULL_DWELL,
    )
