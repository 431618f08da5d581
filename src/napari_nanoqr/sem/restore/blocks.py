"""Images made smaller."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def block_means(image: NDArray[Any], times: int) -> NDArray[np.float32]:
    """Return the means of blocks of pixels.

    Parameters
    ----------
    image : (y, x) array
        Grey values, at least one block of them.
    times : int
        Side of a block.

    Returns
    -------
    (y, x) float32 array
        What is left over at the ends is left out.
    """
    height, width = (n // times * times for n in image.shape)
    cut = np.asarray(image)[:height, :width]
    blocks = cut.reshape(height // times, times, width // times, times)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))


def halved(image: NDArray[Any]) -> NDArray[np.float32]:
    """Return an image of half the size, in which fine noise does not show as coarse noise.

    Parameters
    ----------
    image : (y, x) array
        Grey values, at least two along each side.

    Returns
    -------
    (y, x) float32 array
        Means of four pixels along each side with weights 1, 3, 3 and 1; an odd last row or
        column is left out.
    """
    result = np.asarray(image, dtype=np.float32)
    for _ in range(2):
        count = len(result) // 2 * 2
        beyond = np.concatenate((result[:1], result[:count], result[count - 1 : count]))
        inner = beyond[1:-1:2] + beyond[2::2]
        outer = beyond[:-2:2] + beyond[3::2]
        # the other axis comes next, and back again
        result = np.ascontiguousarray(((3 * inner + outer) / np.float32(8)).T)
    return result
