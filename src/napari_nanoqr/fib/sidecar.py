"""What a pattern format cannot hold, in a JSON file beside the pattern."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from napari_nanoqr.design.design import BadDesign, Design
from napari_nanoqr.design.placed import Placed
from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.pattern import BadPattern
from napari_nanoqr.files import file_hash

FORMAT = "napari-nanoqr pattern sidecar"


def sidecar_path(path: Path) -> Path:
    """Return where the sidecar of a pattern file lies: ``a.str`` has ``a.str.json``."""
    return path.with_name(path.name + ".json")


class Milling(Protocol):
    """What can be written to a pattern file: the plan of one symbol, or of a whole field."""

    @property
    def exposure(self) -> Exposure:
        """What the beam is to do."""

    @property
    def placed(self) -> tuple[Placed, ...]:
        """The designs, and where their centres are in the field."""


def describe_milling(exposure: Exposure, placed: Sequence[Placed]) -> dict[str, Any]:
    """Return what a sidecar says about a plan, as plain values.

    Parameters
    ----------
    exposure : Exposure
        What the beam is to do.
    placed : sequence of Placed
        The designs that come of it.

    Returns
    -------
    dict
        With ``design`` where there is one in the middle of the field, otherwise with ``designs``
        and their places.
    """
    first = exposure.lattices[0]
    said: dict[str, Any] = {
        "format": FORMAT,
        "format_version": 1,
        "hfw_um": exposure.hfw_um,
        "beam": asdict(exposure.beam),
        "point_pitch_nm": first.pitch_nm,
        "dwell_us": exposure.dwell_us,
        "passes": exposure.passes,
        "scan": first.scan,
        "ion_dose_nc_per_um2": exposure.base_dose_nc_per_um2,
        "volume_per_dose_um3_per_nc": asdict(exposure.volume_per_dose),
        "name": exposure.name,
        "bounds_nm": list(exposure.bounds_nm),
        "outline_nm": list(exposure.outline_nm),
    }
    if len(placed) == 1 and (placed[0].x_nm, placed[0].y_nm) == (0, 0):
        return said | {"design": placed[0].design.to_dict()}
    return said | {"designs": [_describe_placed(exposure, item) for item in placed]}


def _describe_placed(exposure: Exposure, item: Placed) -> dict[str, Any]:
    dose = exposure.module_dose(item)
    return {
        "x_nm": item.x_nm,
        "y_nm": item.y_nm,
        "ion_dose_nc_per_um2": float(dose[dose > 0].mean()) * exposure.base_dose_nc_per_um2,
        "design": item.design.to_dict(),
    }


def placed_designs(metadata: dict[str, Any]) -> tuple[Placed, ...]:
    """Return the designs that a sidecar tells, with their places.

    Parameters
    ----------
    metadata : dict
        What :func:`read_sidecar` gave.

    Returns
    -------
    tuple of Placed
        Empty where it tells none.

    Raises
    ------
    BadDesign
        Where it tells one that makes no sense.
    """
    if isinstance(metadata.get("design"), dict):
        return (Placed(Design.from_dict(metadata["design"])),)
    try:
        return tuple(
            Placed(Design.from_dict(item["design"]), float(item["x_nm"]), float(item["y_nm"]))
            for item in metadata.get("designs", ())
        )
    except (KeyError, TypeError) as problem:
        raise BadDesign(f"The designs of the sidecar are not complete: {problem}.") from problem


def write_sidecar(path: Path, values: dict[str, Any]) -> None:
    """Write what a sidecar says, in place."""
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8", newline="")


def read_sidecar(path: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Read the sidecar of a pattern file.

    Parameters
    ----------
    path : Path
        The pattern file.

    Returns
    -------
    values : dict
        What it says; empty where there is none.
    notes : tuple of str
        A sentence where the pattern was changed since the sidecar was written.

    Raises
    ------
    BadPattern
        Where something lies there that is no sidecar of this program's.
    """
    beside = sidecar_path(path)
    if not beside.is_file():
        return {}, ()
    try:
        values = json.loads(beside.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise BadPattern(f"{beside.name} is damaged: {problem}. Remove it to go on.") from problem
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        # another program's file of that name says nothing about the pattern
        return {}, (f"{beside.name} is not a sidecar of this program and was not used.",)
    if values.get("sha256") not in (None, file_hash(path)):
        return values, (f"{path.name} was changed since {beside.name} was written.",)
    return values, ()
