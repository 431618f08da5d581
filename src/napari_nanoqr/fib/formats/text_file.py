"""Text files line by line, and complaints that name the line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.pattern import BadPattern, ShapePattern

FARTHEST_NM = 1e9
"""A metre: coordinates beyond are damage, not patterns."""

LONGEST_FILE = 2_000_000_000
"""Bytes; a text that is longer is no pattern that could be shown."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file, without their ends.

    Raises
    ------
    BadPattern
        Where it is no text.
    OSError
        Where it cannot be read.
    """
    if path.stat().st_size > LONGEST_FILE:
        raise BadPattern(f"{path.name} is too large for a text of points or shapes.")
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if b"\0" in data:
        raise BadPattern(f"{path.name} is not a text file.")
    return data.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def complaint(path: Path, number: int, line: str, what: str) -> BadPattern:
    """Return the complaint about a line, counted from 1: ``what`` follows its text."""
    return BadPattern(f"{path.name}, line {number}: {line.strip()[:40]!r} {what}")


def number_in(word: str) -> float | None:
    """Return the number that a word is, None where it is none or far out of any range."""
    if not _NUMBER.fullmatch(word):
        return None
    value = float(word)
    return value if abs(value) < 1e30 else None


def numbers_in(words: Iterable[str]) -> list[float] | None:
    """Return the numbers that words are, None where one is none."""
    found = [number_in(word) for word in words]
    return None if None in found else found  # type: ignore[return-value]


def shapes(
    name: str,
    path: Path,
    metadata: dict[str, Any],
    hfw_um: float | None,
    polygons_nm: Sequence[NDArray[np.float64]],
    factors: Sequence[float] | NDArray[np.float64],
    layers: Sequence[int] | None = None,
    notes: Sequence[str] = (),
) -> ShapePattern:
    """Return polygons, x to the right and y down, as a pattern.

    Raises
    ------
    BadPattern
        Where there is none, or one reaches farther than :data:`FARTHEST_NM`.
    """
    if not polygons_nm:
        raise BadPattern(f"{path.name} holds no polygon." + "".join(f" {note}" for note in notes))
    if not all(np.abs(polygon).max() <= FARTHEST_NM for polygon in polygons_nm):
        raise BadPattern(f"{path.name} holds a polygon that is more than a metre away.")
    base = metadata.get("base_dose_nc_per_um2")
    return ShapePattern(
        format=name,
        hfw_um=hfw_um,
        metadata=metadata,
        notes=tuple(notes),
        path=path,
        polygons_nm=tuple(polygons_nm),
        dose_factors=np.asarray(factors, dtype=np.float64),
        layers=np.asarray(np.zeros(len(polygons_nm)) if layers is None else layers, dtype=np.int64),
        base_dose_nc_per_um2=None if base is None else float(base),
    )


def open_ring(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return corners without the last one where it repeats the first."""
    closed = len(corners) > 1 and bool((corners[0] == corners[-1]).all())
    return corners[:-1] if closed else corners
