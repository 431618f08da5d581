"""The micrograph of a record as a picture, with its codes outlined and a scale bar."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from napari_nanoqr.sem.restore.register import registered_mean

if TYPE_CHECKING:
    from napari_nanoqr.measuring.record import Record

READ, UNREAD = "#00c48f", "#ff8c1a"
"""Of the outlines: told apart by colour-blind people, on black as on white."""

_QUALITY = 88
_SHARES = (0.5, 99.5)
"""Percentiles that become black and white."""

_BAR_SHARE = 5
"""The scale bar takes at most this part of the width."""


def micrograph_picture(record: Record, side: int) -> bytes:
    """Draw the micrograph of a record.

    Parameters
    ----------
    record : Record
        One whose file could be opened.
    side : int
        Longest side of the picture in pixels.

    Returns
    -------
    bytes
        A JPEG file: noise takes several times as much as PNG.
    """
    assert record.micrograph is not None
    image = record.micrograph.image
    shown = registered_mean(image) if image.ndim == 3 else np.asarray(image)
    step = max(1, -(-max(shown.shape) // side))
    small = _smaller(shown, step)
    low, high = np.percentile(small, _SHARES)
    grey = np.clip((small - low) * (255 / max(high - low, 1e-9)), 0, 255).astype(np.uint8)
    picture = Image.fromarray(grey).convert("RGB")
    factor = side / max(picture.size)
    if factor > 1:
        picture = picture.resize(
            (round(picture.width * factor), round(picture.height * factor)),
            Image.Resampling.NEAREST,
        )
    scale = max(factor, 1.0) / step
    draw = ImageDraw.Draw(picture)
    width = max(2, side // 250)
    for seen in record.readings.unread:
        _outline(draw, seen.corners_yx, scale, UNREAD, width)
    for reading in record.readings:
        _outline(draw, reading.corners_yx, scale, READ, width)
    size = record.pixel_size_nm
    if size is not None:
        _scale_bar(draw, picture.size, (size[1] if isinstance(size, list) else size) / scale)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def _outline(
    draw: ImageDraw.ImageDraw, corners_yx: NDArray[np.float64], scale: float, colour: str,
    width: int,
) -> None:  # fmt: skip
    # the centre of the first pixel is 0 in an image, half a pixel in a picture
    places = [((x + 0.5) * scale, (y + 0.5) * scale) for y, x in corners_yx]
    draw.line([*places, places[0]], fill=colour, width=width, joint="curve")


def _smaller(image: NDArray[np.generic], step: int) -> NDArray[np.float32]:
    """Return the means of squares of pixels."""
    rows, columns = (n // step * step for n in image.shape)
    blocks = image[:rows, :columns].reshape(rows // step, step, columns // step, step)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))


def _scale_bar(draw: ImageDraw.ImageDraw, size: tuple[int, int], nm: float) -> None:
    """Draw a bar of 1, 2 or 5 times a power of ten, with its length beside it."""
    width, height = size
    wanted = width * nm / _BAR_SHARE
    power = 10.0 ** np.floor(np.log10(wanted))
    length = max(n * power for n in (1, 2, 5) if n * power <= wanted)
    text = f"{length:g} nm" if length < 1000 else f"{length / 1000:g} µm"
    thick, edge = max(3, width // 120), max(6, width // 40)
    top, right = height - edge - thick, edge + length / nm
    draw.rectangle((edge - 1, top - 1, right + 1, top + thick + 1), fill="black")
    draw.rectangle((edge, top, right, top + thick), fill="white")
    font = ImageFont.load_default(size=max(11, width // 32))
    draw.text(
        (right + edge / 2, top + thick / 2), text, fill="white", font=font, anchor="lm",
        stroke_width=2, stroke_fill="black",
    )  # fmt: skip
