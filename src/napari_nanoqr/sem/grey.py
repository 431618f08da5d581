"""Colour to grey: most colour micrographs are grey pictures saved as RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Rec. ITU-R BT.709-6, item 3.2: luma from R', G', B'
LUMINANCE = (0.2126, 0.7152, 0.0722)


def to_grey(image: NDArray[Any]) -> NDArray[Any]:
    """Turn the channels on the last axis into one grey value.

    Where red, green and blue agree in every pixel, that channel is returned untouched, so
    a grey picture saved as RGB keeps its values exactly.

    Parameters
    ----------
    image : ndarray
        ``(..., y, x, c)`` with c = 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA);
        alpha is left out of account.

    Returns
    -------
    ndarray
        ``(..., y, x)`` of the same dtype: luminance, rounded for integers; a boolean
        image becomes 0 and 255.

    Raises
    ------
    ValueError
        If the last axis has no or more than four channels.
    """
    channels = image.shape[-1] if image.ndim > 2 else 0
    if channels not in (1, 2, 3, 4):
        raise ValueError(
            "a colour image has 1 to 4 channels on its last axis, "
            f"not the shape {tuple(image.shape)}"
        )
    if image.dtype == np.bool_:
        image = image.astype(np.uint8) * np.uint8(255)
    first = image[..., 0]
    if channels < 3:
        return np.ascontiguousarray(first)
    if np.array_equal(first, image[..., 1]) and np.array_equal(first, image[..., 2]):
        return np.ascontiguousarray(first)
    work = np.result_type(image.dtype, np.float32)
    luminance = sum(
        weight * image[..., index].astype(work) for index, weight in enumerate(LUMINANCE)
    )
    if np.issubdtype(image.dtype, np.integer):
        luminance = np.rint(luminance)
    return np.asarray(luminance).astype(image.dtype)
