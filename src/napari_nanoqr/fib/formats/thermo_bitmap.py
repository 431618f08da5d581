"""Thermo/FEI bitmaps (``.bmp``, 24 bit): one pixel is one point.

Green is 1 where the beam is on and 0 where it is blanked, blue is the dwell in 255ths of the
one set at the instrument, red is not used (fibsem-os). The pattern's size is set at the
instrument too, so that a pixel is as large as the point pitch.
"""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.format import PatternFormat
from napari_nanoqr.fib.lattice import Lattice
from napari_nanoqr.fib.pattern import BadPattern, PointPattern

NAME = "Thermo/FEI bitmap"
FULL_DWELL = 255
MOST_PIXELS = 100_000_000
MOST_UNEVEN = 0.01
"""Share of the point pitch by which points may lie beside a common lattice."""
LARGEST_PIXEL_NM = 10_000.0
"""Resolutions that pictures for the screen or for print carry mean far larger pixels."""


def write_bitmap(exposure: Exposure, path: Path) -> dict[str, Any]:
    """Write an exposure as a bitmap, cropped to what is milled; rows are stored bottom up.

    Parameters
    ----------
    exposure : Exposure
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
        Where the bitmap would be too large, or the points are not on one lattice.
    OSError
        Where it cannot be written.
    """
    lattice = _one_lattice(exposure.lattices)
    on = lattice.dose > 0
    rows, columns = np.flatnonzero(on.any(axis=1)), np.flatnonzero(on.any(axis=0))
    dose = lattice.dose[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = dose.shape
    longest = float(dose.max())
    pitch = lattice.pitch_nm
    path.write_bytes(bitmap_file(_shares(dose / longest), dose > 0, pitch))
    return {
        "pixel_nm": pitch,
        "width_um": width * pitch / 1000,
        "height_um": height * pitch / 1000,
        "dwell_us": exposure.dwell_us * longest,
    }


def bitmap_file(shares: NDArray[np.uint8], on: NDArray[np.bool_], pixel_nm: float) -> bytes:
    """Return a bitmap pattern as the bytes of its file.

    Parameters
    ----------
    shares : (rows, columns) uint8 array
        Dwell of each pixel in 255ths of the one set at the instrument.
    on : (rows, columns) bool array
        Pixels at which the beam is not blanked.
    pixel_nm : float
        Size of a pixel in nm.
    """
    height, width = shares.shape
    stride = (3 * width + 3) // 4 * 4
    pixels = np.zeros((height, stride), dtype=np.uint8)
    pixels[:, 0 : 3 * width : 3] = shares[::-1]  # blue
    pixels[:, 1 : 3 * width : 3] = on[::-1]  # green
    per_metre = min(round(1e9 / pixel_nm), 2**31 - 1)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, pixels.size,
                       per_metre, per_metre, 0, 0)  # fmt: skip
    offset = 14 + len(info)
    head = struct.pack("<2sIHHI", b"BM", offset + pixels.size, 0, 0, offset)
    return head + info + pixels.tobytes()


def _one_lattice(lattices: tuple[Lattice, ...]) -> Lattice:
    """Join lattices whose points are those of one larger lattice."""
    first = lattices[0]
    pitch = first.pitch_nm
    places = np.array([(one.top_nm, one.left_nm) for one in lattices]) / pitch
    places -= places.min(axis=0)
    corners = np.rint(places).astype(np.int64)
    uneven = np.abs(places - corners).max() > MOST_UNEVEN
    if uneven or any(abs(one.pitch_nm / pitch - 1) > 1e-9 for one in lattices):
        raise ValueError(
            "A bitmap has the same distance from each point to the next, and these symbols have "
            "not: give them one pitch, or write a stream or a layout."
        )
    rows, columns = np.max([c + one.dose.shape for c, one in zip(corners, lattices, strict=True)],
                           axis=0).tolist()  # fmt: skip
    if rows * columns > MOST_PIXELS:
        raise ValueError(
            f"A bitmap of {columns} x {rows} points is too large: use a larger point pitch, or a "
            "smaller field."
        )
    dose = np.zeros((rows, columns), dtype=np.float32)
    for (top, left), one in zip(corners.tolist(), lattices, strict=True):
        high, wide = one.dose.shape
        dose[top : top + high, left : left + wide] += one.dose
    left_nm, top_nm = (min(one.left_nm for one in lattices), min(one.top_nm for one in lattices))
    return replace(first, dose=dose, left_nm=left_nm, top_nm=top_nm)


def _shares(dose: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return doses of 0 to 1 in 255ths, what is rounded off one point given to the next."""
    flat = dose.ravel().astype(np.float64)
    on = flat > 0
    whole = np.zeros(flat.size, dtype=np.uint8)
    total = np.floor(np.cumsum(flat[on]) * FULL_DWELL + 0.5 + 1e-6)
    # the last bit of a sum may make one of a full dwell a 255th longer
    whole[on] = np.minimum(np.diff(total, prepend=0.0), FULL_DWELL)
    return whole.reshape(dose.shape)


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


FORMAT = PatternFormat(NAME, ".bmp", "points", write_bitmap, read_bitmap)
