"""File > Save for a design layer: the same files as the FIB export widget, with defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.pattern_files import write_pattern
from napari_nanoqr.fib.plan import plan_milling


def write_design_layer(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Save the design that a layer shows.

    Parameters
    ----------
    path : str
        With the suffix of a pattern format for a pattern that is planned with defaults, written
        and read back; ``.json`` for the design itself.
    data : array
        The layer's data; the design in the metadata counts, not the pixels.
    meta : dict
        The layer's attributes.

    Returns
    -------
    list of str
        The file that was written.

    Raises
    ------
    ValueError
        Where the layer shows no design, or the file is not right when read back.
    OSError
        Where it cannot be written.
    """
    entry = meta.get("metadata", {}).get("nanoqr")
    if not isinstance(entry, dict) or "design" not in entry:
        raise ValueError(
            "Only a design can be saved as a FIB pattern: select the modules layer of one "
            "(Plugins > nanoqr > Encode preview makes it)."
        )
    design = Design.from_dict(entry["design"])
    if Path(path).suffix.lower() == ".json":
        design.save(path)
    else:
        write_pattern(plan_milling(design), path)
    return [path]
