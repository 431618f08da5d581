"""The process in which the native readers run; it may crash or hang.

Started by :mod:`napari_nanoqr.reading.native`. It speaks in frames over its standard streams: a
length as 4 bytes (big endian), a JSON header of that length, and ``header["size"]`` bytes of
image after it. It ends when its input is closed, thus with the process that started it.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Callable, Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Answer = dict[str, Any]
ReadNatively = Callable[[NDArray[np.uint8]], list[Answer]]


def write_frame(stream: IO[bytes], header: dict[str, Any], body: bytes = b"") -> None:
    """Write one frame and flush."""
    text = json.dumps({**header, "size": len(body)}).encode()
    stream.write(struct.pack(">I", len(text)) + text)
    if body:
        stream.write(body)
    stream.flush()


def read_frame(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Read one frame; None where the stream has ended."""
    length = stream.read(4)
    if len(length) < 4:
        return None
    text = stream.read(struct.unpack(">I", length)[0])
    try:
        header: dict[str, Any] = json.loads(text)
    except ValueError:
        return None
    body = stream.read(header["size"])
    return (header, body) if len(body) == header["size"] else None


def read_with_zxing(image: NDArray[np.uint8]) -> list[Answer]:
    """Read with zxing-cpp; codes that it found and could not decode are answers too."""
    import zxingcpp

    kinds = zxingcpp.BarcodeFormat
    codes = zxingcpp.read_barcodes(
        image,
        formats=zxingcpp.BarcodeFormats([kinds.QRCode, kinds.MicroQRCode, kinds.RMQRCode]),
        return_errors=True,
    )
    names = {kinds.MicroQRCode: "Micro QR", kinds.RMQRCode: "rMQR"}
    answers = []
    for code in codes:
        place = code.position
        corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
        extra = code.extra or {}
        answers.append(
            {
                "symbology": names.get(code.format, "QR"),
                "valid": bool(code.valid),
                "payload": code.bytes.hex() if code.valid else "",
                # zxing counts from the corner of the first pixel, we from its centre
                "corners_yx": [[point.y - 0.5, point.x - 0.5] for point in corners],
                "version": extra.get("Version"),
                "error": extra.get("ECLevel") or code.ec_level or None,
                "mask": extra.get("DataMask"),
                "matrix": _sampled_modules(code),
            }
        )
    return answers


def _sampled_modules(code: Any) -> list[str] | None:
    """Return the modules as zxing-cpp sampled them, before any repair: a row a string, 1 = dark."""
    try:
        picture = np.array(code.to_image(scale=1, add_quiet_zones=False))
    except ValueError:
        # a place where not even the size of a symbol was found
        return None
    return ["".join("1" if value == 0 else "0" for value in row) for row in picture.tolist()]


def read_with_zbar(image: NDArray[np.uint8]) -> list[Answer]:
    """Read with zbar, where its library is installed."""
    from napari_nanoqr.reading import zbar

    return zbar.read(image)


READERS: dict[str, ReadNatively] = {"zxing-cpp": read_with_zxing, "zbar": read_with_zbar}


def serve(readers: Mapping[str, ReadNatively]) -> None:
    """Answer requests on the standard streams until the input is closed."""
    requests = sys.stdin.buffer
    # what a native library prints must not get between the frames
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    write_frame(answers, {"ready": True})
    while frame := read_frame(requests):
        header, body = frame
        image = np.frombuffer(body, dtype=np.uint8).reshape(header["shape"])
        try:
            found = readers[header["reader"]](image)
        except Exception as problem:
            write_frame(answers, {"problem": f"{type(problem).__name__}: {problem}"})
        else:
            write_frame(answers, {"answers": found})


if __name__ == "__main__":
    import zxingcpp  # noqa: F401  so that the first request does not wait for it

    serve(READERS)
