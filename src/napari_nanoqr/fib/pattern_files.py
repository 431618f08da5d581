"""Pattern files by their suffix: read any, write one that was read back and decoded."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_nanoqr.fib.formats import (
    dxf_drawing,
    gdsii,
    npgs_dc2,
    npve_list,
    oasis,
    point_csv,
    raith_asc,
    raith_positions,
    svg_shapes,
    tescan_drawbeam,
    thermo_bitmap,
    thermo_ptf,
    thermo_stream,
    zeiss_ely,
)
from napari_nanoqr.fib.formats.format import PatternFormat
from napari_nanoqr.fib.pattern import BadPattern, Pattern, PointPattern
from napari_nanoqr.fib.sidecar import (
    Milling,
    describe_milling,
    read_sidecar,
    sidecar_path,
    write_sidecar,
)
from napari_nanoqr.fib.verify import Verification, VerificationError, verify_placed
from napari_nanoqr.files import complete_file, file_hash

FORMATS: tuple[PatternFormat, ...] = (
    thermo_stream.FORMAT,
    thermo_bitmap.FORMAT,
    gdsii.FORMAT,
    oasis.FORMAT,
    thermo_ptf.FORMAT,
    zeiss_ely.FORMAT,
    tescan_drawbeam.FORMAT,
    raith_asc.FORMAT,
    npgs_dc2.FORMAT,
    npve_list.FORMAT,
    point_csv.FORMAT,
    svg_shapes.FORMAT,
    dxf_drawing.FORMAT,
)
"""All that are read and written."""

LISTS: tuple[PatternFormat, ...] = (raith_positions.FORMAT,)
"""What only places other files; such are read, with those that they place."""

SUFFIXES: tuple[str, ...] = tuple(dict.fromkeys(form.suffix for form in FORMATS))
"""Of the pattern files that are read and written."""

READABLE: tuple[str, ...] = (*SUFFIXES, *(form.suffix for form in LISTS))
"""Of all files that :func:`read_pattern` reads."""

PICTURES = (".bmp",)
"""Suffixes that pictures have too; what is inside says which it is."""

HEAD_BYTES = 4096
"""What is read of a file to tell formats with the same suffix apart."""

_HFW_IN_NAME = re.compile(r"hfw[\s_=-]*(\d+(?:[.p]\d+)?)\s*(nm|mm|[uµμ]m)", re.IGNORECASE)
_UM = {"nm": 1e-3, "mm": 1e3}


def read_pattern(path: str | Path, hfw_um: float | None = None) -> Pattern:
    """Read a pattern file.

    Parameters
    ----------
    path : str or Path
        A file of one of :data:`FORMATS`, by whatever program it was written. Where formats share
        a suffix, what the file begins with decides.
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
    form = _format_of(path)
    if hfw_um is not None and not 0 < hfw_um < float("inf"):
        raise BadPattern(f"A field width of {hfw_um:g} um cannot be.")
    metadata, notes = read_sidecar(path)
    source: str | None = "given"
    if hfw_um is None and isinstance(metadata.get("hfw_um"), int | float):
        hfw_um, source = float(metadata["hfw_um"]), f"sidecar {sidecar_path(path).name}"
    elif hfw_um is None:
        hfw_um, source = hfw_in_name(path.name), "file name"
    try:
        pattern = form.read(path, metadata, hfw_um)
    except BadPattern:
        raise
    except (TypeError, ValueError) as problem:
        # readers name what is wrong in a pattern; the rest comes from values of the sidecar
        raise BadPattern(f"{sidecar_path(path).name} makes no sense: {problem}") from problem
    # some files tell their field themselves
    source = source if hfw_um is not None else pattern.hfw_source
    return replace(pattern, hfw_source=source, notes=(*notes, *pattern.notes))


def is_pattern(path: str | Path) -> bool:
    """Whether a file is a pattern, by its suffix and by what it begins with.

    Parameters
    ----------
    path : str or Path
        Any file. Of those that may be pictures all is read.

    Returns
    -------
    bool
        True does not mean that the file is whole.
    """
    path = Path(path)
    try:
        form = _format_of(path)
        if form.suffix not in PICTURES:
            return True
        pattern = form.read(path, {}, None)
        # a black picture is no pattern
        return isinstance(pattern, PointPattern) and bool(pattern.exposes.any())
    except (BadPattern, OSError):
        return False


def hfw_in_name(name: str) -> float | None:
    """Return the field width in um that a file name tells, e.g. 5 for ``a_hfw5um.str``."""
    found = _HFW_IN_NAME.search(name)
    if not found:
        return None
    return float(found[1].lower().replace("p", ".")) * _UM.get(found[2].lower(), 1.0) or None


def write_pattern(plan: Milling, path: str | Path, **options: Any) -> Verification:
    """Write a pattern file, read it back, and decode the symbols that it holds.

    Parameters
    ----------
    plan : MillPlan or FieldPlan
        What to mill.
    path : str or Path
        The file; its suffix says the format (:data:`SUFFIXES`). What the format cannot hold
        goes into ``NAME.str.json`` beside it. Files that stand there are replaced once the new
        ones are complete and right.
    **options
        What the formats leave open; each is for those that know it. ``stream`` for ``.str``:
        ``"s16"``, ``"s"``, ``"s16,25ns"`` (16 or 12 bits, dwell in 0.1 us or 25 ns) or a
        :class:`StreamProfile`. ``layer`` and ``dose_factor`` for ``.gds`` and ``.oas``.
        ``shapes`` for these, ``.asc``, ``.dc2``, ``.svg`` and ``.dxf``: modules are merged into
        ``"rectangles"``, or ``"polygons"``, the outlines of areas that hang together.

    Returns
    -------
    Verification
        What was found in the file.

    Raises
    ------
    VerificationError
        Where what was written is not what was planned. Nothing is left behind.
    ValueError
        Where the plan does not fit the format, or no format knows an option. Nothing is left
        behind.
    OSError
        Where it cannot be written.
    """
    path = Path(path)
    form = _format_to_write(path)
    for name in options:
        if not any(name in form.options for form in FORMATS):
            raise ValueError(f"No pattern format has an option {name!r}.")
    own = {name: value for name, value in options.items() if name in form.options}
    exposure = plan.exposure
    with complete_file(path) as temporary, complete_file(sidecar_path(path)) as beside:
        extra = form.write(exposure, temporary, **own)
        values = describe_milling(exposure, plan.placed) | extra | {"pattern": path.name}
        values["sha256"] = file_hash(temporary)
        write_sidecar(beside, values)
        metadata = json.loads(beside.read_text(encoding="utf-8"))
        try:
            pattern = form.read(temporary, metadata, float(metadata["hfw_um"]))
            found = verify_placed(pattern, plan.placed, exposure)
        except BadPattern as problem:
            raise VerificationError(f"{path.name} could not be read back: {problem}") from problem
        if not found.matches:
            raise VerificationError(f"{path.name} was not written: " + " ".join(found.problems))
        values["written_dose_error_percent"] = found.dose_error_percent
        write_sidecar(beside, values)
    return found


def _format_to_write(path: Path) -> PatternFormat:
    for form in (*FORMATS, *LISTS):
        if form.suffix == path.suffix.lower():
            return form
    raise ValueError(
        f"{path.name} has no suffix of a pattern file: use one of {', '.join(SUFFIXES)}."
    )


def _format_of(path: Path) -> PatternFormat:
    """Find the format of a file by its suffix, and by its head where formats share one."""
    sharing = [form for form in (*FORMATS, *LISTS) if form.suffix == path.suffix.lower()]
    if not sharing:
        raise BadPattern(f"{path.name} is not a pattern file: known are {', '.join(READABLE)}.")
    if any(form.recognises for form in sharing):
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        fitting = [form for form in sharing if form.recognises is None or form.recognises(head)]
        if not fitting:
            names = " or ".join(form.name for form in sharing)
            raise BadPattern(f"{path.name} is not of the format {names}.")
        return fitting[0]
    return sharing[0]
