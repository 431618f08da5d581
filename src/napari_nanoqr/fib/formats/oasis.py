"""OASIS layouts (``.oas``): the same cell as in GDSII, in a much smaller file.

gdstk reads them, and crashes on some that are damaged. So ours carry a checksum, and only what
has a right one is read at once; what other programs wrote without one is read in a process of
its own, which may crash.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.format import PatternFormat
from napari_nanoqr.fib.formats.layout import build_layout, layout_pattern
from napari_nanoqr.fib.formats.oasis_process import REFUSED, BadLayout, read_arrays
from napari_nanoqr.fib.outlining import Merged
from napari_nanoqr.fib.pattern import BadPattern, ShapePattern

NAME = "OASIS"
MAGIC = b"%SEMI-OASIS\r\n"

END = 2
END_LENGTH = 256
"""The last record fills the last 256 bytes (SEMI P39, 14)."""

CRC32 = 1
"""The kind of checksum that is checked here; 0 is none, 2 a sum."""

READ_LIMIT_S = 120.0
"""How long a file without a checksum may take."""


def write_oas(
    exposure: Exposure, path: Path, *, layer: int = 0, dose_factor: float = 1.0,
    shapes: Merged = "rectangles",
) -> dict[str, Any]:  # fmt: skip
    """Write an exposure as polygons that neither overlap nor leave gaps.

    Parameters
    ----------
    exposure : Exposure
        What is milled; beam, dwell and passes are set at the instrument.
    path : Path
        The file; written in place.
    layer, dose_factor, shapes
        See :func:`~napari_nanoqr.fib.formats.layout.build_layout`.

    Returns
    -------
    dict
        For the sidecar: the base dose and the database unit.

    Raises
    ------
    ValueError
        Where layer or dose factor are out of range, or the layout is too large.
    OSError
        Where it cannot be written.
    """
    library, said = build_layout(exposure, layer, dose_factor, shapes)
    library.write_oas(str(path), validation="crc32")
    return said


def read_oas(path: Path, metadata: dict[str, Any], hfw_um: float | None = None) -> ShapePattern:
    """Read all polygons of an OASIS file, references and repetitions resolved.

    Parameters
    ----------
    path : Path
        The file.
    metadata : dict
        What its sidecar says; may be empty.
    hfw_um : float, optional
        Field width in um; it does not change the scale, which is the file's.

    Returns
    -------
    ShapePattern
        Polygons of all top cells. A data type of 0, which other programs write, is taken as
        a dose factor of 1.

    Raises
    ------
    BadPattern
        Where it is no OASIS file, is damaged, or holds no polygon.
    OSError
        Where it cannot be read.
    """
    arrays = oas_arrays(path)
    ends = np.cumsum(arrays["lengths"])[:-1]
    return layout_pattern(
        NAME, path, metadata, hfw_um,
        np.split(arrays["corners"], ends) if len(arrays["lengths"]) else [],
        arrays["layers"], arrays["datatypes"],
    )  # fmt: skip


def oas_arrays(path: Path) -> dict[str, Any]:
    """Return all polygons of an OASIS file in a few arrays, of whatever program it is.

    Returns
    -------
    dict
        As :func:`~napari_nanoqr.fib.formats.oasis_process.read_arrays` gives them.

    Raises
    ------
    BadPattern
        Where it is no OASIS file, or is damaged.
    OSError
        Where it cannot be read.
    """
    data = path.read_bytes()
    if not data.startswith(MAGIC):
        raise BadPattern(f"{path.name} is no OASIS file: it does not begin like one.")
    kind = checksum_kind(data)
    if kind is None:
        raise BadPattern(f"{path.name} was cut short: its {len(data)} bytes do not end like OASIS.")
    if kind == CRC32 and int.from_bytes(data[-4:], "little") != zlib.crc32(data[:-4]):
        raise BadPattern(
            f"{path.name} is damaged: its {len(data)} bytes do not fit the checksum at its end."
        )
    try:
        return read_arrays(path) if kind == CRC32 else _read_apart(path)
    except BadLayout as problem:
        raise BadPattern(f"{path.name} is no whole OASIS file: {problem}.") from problem


def checksum_kind(data: bytes) -> int | None:
    """Return which kind of checksum stands at the end of an OASIS file.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    int or None
        0 for none at all, :data:`CRC32`, or 2 for a sum; None where the last record is missing.
    """
    end = data[-END_LENGTH:]
    if len(end) < END_LENGTH or end[0] != END:
        return None
    # offsets of tables stand here or in the first record, and then padding
    for numbers in (12, 0):
        at = 1
        for _ in range(numbers):
            _, at = _number(end, at)
        padding, at = _number(end, at)
        at += padding
        if at < END_LENGTH and at == END_LENGTH - {0: 1, CRC32: 5, 2: 5}.get(end[at], 0):
            return end[at]
    return None


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Read an unsigned integer, 7 bits a byte; return it with the place after it."""
    value, shift = 0, 0
    while at < len(data):
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not data[at - 1] & 0x80:
            break
    return value, at


def _read_apart(path: Path) -> dict[str, Any]:
    """Read a file in a process of its own."""
    # -P: the user's working folder may hold a numpy.py of its own
    command = (sys.executable, "-P", "-m", "napari_nanoqr.fib.formats.oasis_process", str(path))
    root = str(Path(__file__).resolve().parents[3])
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=READ_LIMIT_S,
            check=False,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH")))),
            },
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired as problem:
        raise BadLayout(f"reading it took more than {READ_LIMIT_S:g} s") from problem
    if done.returncode == REFUSED:
        raise BadLayout(done.stderr.decode("utf-8", "replace").strip().split("\n")[-1])
    if done.returncode != 0:
        raise BadLayout("it is damaged, and the library that reads it gave up")
    with np.load(io.BytesIO(done.stdout), allow_pickle=False) as arrays:
        return dict(arrays)


FORMAT = PatternFormat(
    NAME, ".oas", "shapes", write_oas, read_oas, ("layer", "dose_factor", "shapes")
)
