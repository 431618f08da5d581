"""What a pattern format cannot hold, in a JSON file beside the pattern."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_nanoqr.fib.pattern import BadPattern
from napari_nanoqr.fib.plan import MillPlan

FORMAT = "napari-nanoqr pattern sidecar"


def sidecar_path(path: Path) -> Path:
    """Return where the sidecar of a pattern file lies: ``a.str`` has ``a.str.json``."""
    return path.with_name(path.name + ".json")


def describe_plan(plan: MillPlan) -> dict[str, Any]:
    """Return what a sidecar says about a plan, as plain values."""
    return {
        "format": FORMAT,
        "format_version": 1,
        "hfw_um": plan.hfw_um,
        "beam": asdict(plan.beam),
        "point_pitch_nm": plan.point_pitch_nm,
        "dwell_us": plan.dwell_us,
        "passes": plan.passes,
        "scan": plan.scan,
        "ion_dose_nc_per_um2": plan.ion_dose_nc_per_um2,
        "volume_per_dose_um3_per_nc": asdict(plan.volume_per_dose),
        "name": plan.design.name,
        "design": plan.design.to_dict(),
    }


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
