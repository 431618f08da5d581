"""Grey values of a TIFF page, whatever it stores them as."""

from __future__ import annotations

from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_nanoqr.sem.errors import UnreadableImage
from napari_nanoqr.sem.grey import to_grey


def grey_of(page: tifffile.TiffPage, array: NDArray[Any]) -> NDArray[Any]:
    """Turn pixels of one page into grey values.

    Parameters
    ----------
    page : TiffPage
        Says how the pixels are to be understood.
    array : ndarray
        All or some rows and columns of it, with the axes that the page has.

    Returns
    -------
    ndarray
        ``(..., y, x)``.

    Raises
    ------
    UnreadableImage
        If the pixels are no grey values, and no colours of a screen.
    """
    photometric = page.photometric
    if array.dtype.kind not in "buif":
        raise UnreadableImage(
            f"{page.parent.filename} has pixels of the type {array.dtype}, not grey values."
        )
    if photometric == tifffile.PHOTOMETRIC.PALETTE and page.colormap is not None:
        grey: NDArray[Any] = _palette(np.asarray(page.colormap))[array]
        return grey
    if photometric in (tifffile.PHOTOMETRIC.SEPARATED, tifffile.PHOTOMETRIC.CIELAB):
        raise UnreadableImage(
            f"{page.parent.filename} has colours for printing: save it as grey or RGB first."
        )
    if "S" in page.axes and array.ndim == len(page.axes):
        array = to_grey(np.moveaxis(array, page.axes.index("S"), -1))
    if photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        if array.dtype.kind == "u":
            array = np.asarray((1 << int(page.bitspersample)) - 1 - array, dtype=array.dtype)
        elif array.dtype.kind == "b":
            array = ~array
    if array.dtype.kind == "b":
        array = array.astype(np.uint8) * np.uint8(255)
    # the machine's own byte order, which compiled readers of the array insist on
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _palette(colormap: NDArray[Any]) -> NDArray[Any]:
    """Grey value of each palette entry, in 8 bit unless that would lose some."""
    grey = to_grey(colormap.T[np.newaxis])[0]
    if grey.max(initial=0) < 256:
        # written by programs that took the palette for an 8-bit one
        return np.asarray(grey, dtype=np.uint8)
    high = grey >> 8
    if np.array_equal(high * 257, grey) or np.array_equal(high * 256, grey):
        return np.asarray(high, dtype=np.uint8)
    if len(grey) <= 256 and not np.array_equal(colormap[0], colormap[1]):
        # a colour palette on an 8-bit picture: more bits would only promise detail
        return np.asarray(np.rint(grey / 257.0), dtype=np.uint8)
    return np.asarray(grey, dtype=np.uint16)
