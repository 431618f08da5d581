"""Pattern files by their suffix: read any, write one that was read back and decoded."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_nanoqr.fib.formats.gdsii import read_gds, write_gds
from napari_nanoqr.fib.formats.thermo_bitmap import read_bitmap, write_bitmap
from napari_nanoqr.fib.formats.thermo_stream import (
    PROFILES,
    StreamKind,
    StreamProfile,
    read_stream,
    write_stream,
)
from napari_nanoqr.fib.pattern import BadPattern, Pattern
from napari_nanoqr.fib.plan import MillPlan
from napari_nanoqr.fib.sidecar import describe_plan, file_hash, read_sidecar, sidecar_path
from napari_nanoqr.fib.verify import Verification, VerificationError, verify_pattern
from napari_nanoqr.files import complete_file

_READERS: dict[str, Callable[[Path, dict[str, Any], float | None], Pattern]] = {
    ".str": read_stream,
    ".bmp": read_bitmap,
    ".gds": read_gds,
}

SUFFIXES: tuple[str, ...] = tuple(_READERS)
"""Of the pattern files that are read and written."""

_HFW_IN_NAME = re.compile(r"hfw[\s_=-]*(\d+(?:[.p]\d+)?)\s*(nm|mm|[uµμ]m)", re.IGNORECASE)
_UM = {"nm": 1e-3, "mm": 1e3}


def read_pattern(path: str | Path, hfw_um: float | None = None) -> Pattern:
    """Read a pattern file.

    Parameters
    ----------
    path : str or Path
        A Thermo/FEI stream (``.str``) or 24-bit bitmap (``.bmp``), or GDSII (``.gds``), by
        whatever program it was written.
    hfw_um : float, optional
        Horizontal field width in um; by default as the sidecar says (``NAME.str.json``), or
        the file's name (``..._hfw5um.str``). Without it a stream has no scale.

    Returns
    -------
    Pattern
        A :class:`PointPattern` or a :class:`ShapePattern`.

    Raises
    ------
    BadPattern
        Where the file is damaged or of another kind; for text the message names the line.
    OSError
        Where it cannot be read.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise BadPattern(f"{path.name} is not a pattern file: known are {', '.join(SUFFIXES)}.")
    if hfw_um is not None and not 0 < hfw_um < float("inf"):
        raise BadPattern(f"A field width of {hfw_um:g} um cannot be.")
    metadata, notes = read_sidecar(path)
    source = "given"
    if hfw_um is None and isinstance(metadata.get("hfw_um"), int | float):
        hfw_um, source = float(metadata["hfw_um"]), f"sidecar {sidecar_path(path).name}"
    elif hfw_um is None:
        hfw_um, source = hfw_in_name(path.name), "file name"
    try:
        pattern = reader(path, metadata, hfw_um)
    except BadPattern:
        raise
    except (TypeError, ValueError) as problem:
        # readers name what is wrong in a pattern; the rest comes from values of the sidecar
        raise BadPattern(f"{sidecar_path(path).name} makes no sense: {problem}") from problem
    return replace(pattern, hfw_source=None if hfw_um is None else source, notes=notes)


def hfw_in_name(name: str) -> float | None:
    """Return the field width in um that a file name tells, e.g. 5 for ``a_hfw5um.str``."""
    found = _HFW_IN_NAME.search(name)
    if not found:
        return None
    return float(found[1].lower().replace("p", ".")) * _UM.get(found[2].lower(), 1.0) or None


def write_pattern(
    plan: MillPlan,
    path: str | Path,
    *,
    stream: StreamKind | StreamProfile = "s16",
    layer: int = 0,
    dose_factor: float = 1.0,
) -> Verification:
    """Write a pattern file, read it back, and decode the symbol that it holds.

    Parameters
    ----------
    plan : MillPlan
        What to mill.
    path : str or Path
        The file; its suffix, one of ``.str``, ``.bmp`` and ``.gds``, says the format. What the
        format cannot hold goes into ``NAME.str.json`` beside it. Files that stand there are
        replaced once the new ones are complete and right.
    stream : {"s16", "s", "s16,25ns"} or StreamProfile
        For ``.str``: 16 or 12 bits, dwell in 0.1 us or 25 ns; or the profile of an instrument.
    layer : int
        For ``.gds``.
    dose_factor : float
        For ``.gds``.

    Returns
    -------
    Verification
        What was found in the file.

    Raises
    ------
    VerificationError
        Where what was written is not what was planned. Nothing is left behind.
    ValueError
        Where the plan does not fit the format. Nothing is left behind.
    OSError
        Where it cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(
            f"{path.name} has no suffix of a pattern file: use one of {', '.join(SUFFIXES)}."
        )
    with complete_file(path) as temporary, complete_file(sidecar_path(path)) as beside:
        if suffix == ".str":
            extra = write_stream(plan, temporary, _profile(stream))
        elif suffix == ".bmp":
            extra = write_bitmap(plan, temporary)
        else:
            extra = write_gds(plan, temporary, layer, dose_factor)
        values = describe_plan(plan) | extra | {"pattern": path.name}
        values["sha256"] = file_hash(temporary)
        beside.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8", newline="")
        metadata = json.loads(beside.read_text(encoding="utf-8"))
        try:
            pattern = _READERS[suffix](temporary, metadata, float(metadata["hfw_um"]))
            found = verify_pattern(pattern, plan.design, plan)
        except BadPattern as problem:
            raise VerificationError(f"{path.name} could not be read back: {problem}") from problem
        if not found.matches:
            raise VerificationError(f"{path.name} was not written: " + " ".join(found.problems))
    return found


def _profile(stream: StreamKind | StreamProfile) -> StreamProfile:
    if isinstance(stream, StreamProfile):
        return stream
    if stream not in PROFILES:
        raise ValueError(f"Stream {stream!r} does not exist: use {', '.join(PROFILES)}.")
    return PROFILES[stream]
