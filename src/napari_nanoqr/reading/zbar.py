"""Read QR codes with libzbar through its own interface, byte by byte as they are stored.

pyzbar finds the library (on Windows its wheel brings it along), but its results went through a
guess at the character set. ``ZBAR_CFG_BINARY`` switches the guess off.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

# zbar.h
_QR_CODE = 64
_CFG_ENABLE, _CFG_BINARY = 0, 4
_GREY = int.from_bytes(b"Y800", "little")

_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "zbar_image_scanner_create": (ctypes.c_void_p, []),
    "zbar_image_scanner_set_config": (
        ctypes.c_int,
        [ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int],
    ),
    "zbar_scan_image": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_void_p]),
    "zbar_image_create": (ctypes.c_void_p, []),
    "zbar_image_destroy": (None, [ctypes.c_void_p]),
    "zbar_image_set_format": (None, [ctypes.c_void_p, ctypes.c_ulong]),
    "zbar_image_set_size": (None, [ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]),
    "zbar_image_set_data": (
        None,
        [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p],
    ),
    "zbar_image_first_symbol": (ctypes.c_void_p, [ctypes.c_void_p]),
    "zbar_symbol_next": (ctypes.c_void_p, [ctypes.c_void_p]),
    "zbar_symbol_get_components": (ctypes.c_void_p, [ctypes.c_void_p]),
    "zbar_symbol_set_first_symbol": (ctypes.c_void_p, [ctypes.c_void_p]),
    "zbar_symbol_get_data": (ctypes.c_void_p, [ctypes.c_void_p]),
    "zbar_symbol_get_data_length": (ctypes.c_uint, [ctypes.c_void_p]),
    "zbar_symbol_get_loc_size": (ctypes.c_uint, [ctypes.c_void_p]),
    "zbar_symbol_get_loc_x": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_uint]),
    "zbar_symbol_get_loc_y": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_uint]),
}


def read(image: NDArray[np.uint8]) -> list[dict[str, Any]]:
    """Read the QR codes in a grey image.

    Parameters
    ----------
    image : (y, x) uint8 array
        Dark on light or light on dark.

    Returns
    -------
    list of dict
        As :func:`napari_nanoqr.reading.worker.read_with_zxing`; version, level and mask are
        None, since zbar does not tell them. The order of the corners is not known.

    Raises
    ------
    ImportError
        Where libzbar is not installed.
    """
    library, scanner, exact = _scanner()
    height, width = image.shape
    pixels = np.ascontiguousarray(image)
    frame = library.zbar_image_create()
    try:
        library.zbar_image_set_format(frame, _GREY)
        library.zbar_image_set_size(frame, width, height)
        library.zbar_image_set_data(frame, pixels.ctypes.data, pixels.size, None)
        library.zbar_scan_image(scanner, frame)
        answers: list[dict[str, Any]] = []
        symbol = library.zbar_image_first_symbol(frame)
        while symbol:
            parts = library.zbar_symbol_get_components(symbol)
            if parts:
                # a Structured Append set: zbar joins the payloads, we want each symbol
                part = library.zbar_symbol_set_first_symbol(parts)
                while part:
                    answers.append(_answer(library, part, exact=False))
                    part = library.zbar_symbol_next(part)
            else:
                answers.append(_answer(library, symbol, exact))
            symbol = library.zbar_symbol_next(symbol)
    finally:
        library.zbar_image_destroy(frame)
    return [answer for answer in answers if len(answer["corners_yx"]) == 4]


def _answer(library: Any, symbol: int, exact: bool) -> dict[str, Any]:
    data = ctypes.string_at(
        library.zbar_symbol_get_data(symbol), library.zbar_symbol_get_data_length(symbol)
    )
    corners = [
        [library.zbar_symbol_get_loc_y(symbol, i), library.zbar_symbol_get_loc_x(symbol, i)]
        for i in range(library.zbar_symbol_get_loc_size(symbol))
    ]
    return {
        "symbology": "QR",
        "valid": exact,
        "payload": data.hex() if exact else "",
        "corners_yx": corners,
        "version": None,
        "error": None,
        "mask": None,
        "matrix": None,
    }


@functools.cache
def _scanner() -> tuple[Any, int, bool]:
    from pyzbar import zbar_library

    library = zbar_library.load()[0]
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    scanner = library.zbar_image_scanner_create()
    library.zbar_image_scanner_set_config(scanner, 0, _CFG_ENABLE, 0)
    library.zbar_image_scanner_set_config(scanner, _QR_CODE, _CFG_ENABLE, 1)
    # libraries before 0.23 do not know it; then only the place of a code is of use
    exact = library.zbar_image_scanner_set_config(scanner, _QR_CODE, _CFG_BINARY, 1) == 0
    return library, scanner, exact
