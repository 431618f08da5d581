"""A design as a file, or as a picture that knows its true size."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from napari_nanoqr.design.design import Design
from napari_nanoqr.files import complete_file, write_bytes, write_text

PICTURE_PIXELS_PER_MODULE = 8


def save_design(design: Design, path: str | Path) -> None:
    """Save a design, or a picture of it, by the suffix of the file.

    Parameters
    ----------
    design : Design
        What is saved.
    path : str or Path
        ``.json`` for the design itself; ``.png``, ``.svg`` or ``.tif`` for a picture with
        dark modules black, at true size: SVG in nm as user units, PNG with the pixel density
        of its pHYs chunk, TIFF as OME-TIFF with PhysicalSizeX in nm.

    Raises
    ------
    ValueError
        Where the suffix is none of these.
    OSError
        Where the file cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".json":
        design.save(path)
    elif suffix == ".svg":
        write_text(path, svg(design))
    elif suffix == ".png":
        write_bytes(path, png(design))
    elif suffix in (".tif", ".tiff"):
        _write_tiff(design, path)
    else:
        raise ValueError(
            f"{path.name}: a design is saved as .json, a picture of it as .png, .svg or .tif."
        )


def pixels(design: Design) -> np.ndarray:
    """Draw a design with its quiet zone.

    Returns
    -------
    (y, x) uint8 array
        0 for dark, 255 for light, :data:`PICTURE_PIXELS_PER_MODULE` pixels a module.
    """
    block = np.ones((PICTURE_PIXELS_PER_MODULE,) * 2, dtype=np.uint8)
    return np.kron(np.where(design.modules, 0, 255).astype(np.uint8), block)


def svg(design: Design) -> str:
    """Draw a design as SVG; one user unit is one nm, runs of dark modules are one rectangle."""
    (height, across), pitch = design.field_size_nm, design.pitch_nm
    moves = []
    for row, line in enumerate(design.modules):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], line.astype(np.int8), [0]))))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            width = (end - start) * pitch
            moves.append(f"M{start * pitch:g} {row * pitch:g}h{width:g}v{pitch:g}h{-width:g}z")
    # the drawing is shown 1 mm large for each um, since no viewer shows nanometres
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across:g} {height:g}" '
        f'width="{across / 1000:g}mm" height="{height / 1000:g}mm" shape-rendering="crispEdges">\n'
        f"<desc>{pitch:g} nm a module; one user unit is one nm; drawn 1000 times too large"
        f'</desc>\n<path fill="#fff" d="M0 0h{across:g}v{height:g}H0z"/>\n'
        f'<path d="{"".join(moves)}"/>\n</svg>\n'
    )


def png(design: Design) -> bytes:
    """Draw a design as an 8-bit grey PNG with its pixel density (PNG specification, 11.3.4.3)."""
    image = pixels(design)
    density = round(1e9 * PICTURE_PIXELS_PER_MODULE / design.pitch_nm)
    height, width = image.shape
    rows = np.pad(image, ((0, 0), (1, 0)))  # filter type 0 before each row
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, data)
        for kind, data in (
            (b"IHDR", struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)),
            (b"pHYs", struct.pack(">2IB", density, density, 1)),
            (b"IDAT", zlib.compress(rows.tobytes(), 9)),
            (b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _write_tiff(design: Design, path: Path) -> None:
    import tifffile

    size = design.pitch_nm / PICTURE_PIXELS_PER_MODULE
    with complete_file(path) as temporary:
        tifffile.imwrite(
            temporary,
            pixels(design),
            ome=True,
            metadata={
                "axes": "YX",
                "PhysicalSizeX": size,
                "PhysicalSizeXUnit": "nm",
                "PhysicalSizeY": size,
                "PhysicalSizeYUnit": "nm",
            },
        )
