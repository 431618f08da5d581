"""What was done to a micrograph, kept with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.sem.micrograph import Micrograph

KEY = "restored"
"""The entry of a micrograph's metadata that lists the steps, the first one first."""


def restored(
    before: Micrograph,
    image: NDArray[np.float32],
    step: str,
    parameters: dict[str, Any],
    found: dict[str, Any],
    *,
    pixel_size_nm: tuple[float, float] | None = None,
    **changed: Any,
) -> Micrograph:
    """Return a micrograph after a step, with what it did written down.

    Parameters
    ----------
    before : Micrograph
        What the step was given; it stays as it is.
    image : (y, x) or (frame, y, x) float32 array
        What came out.
    step : str
        What was done, as a participle.
    parameters, found : dict
        What the step was told and what it found, as JSON can carry it.
    pixel_size_nm : tuple of float, optional
        Where it is another one now.
    **changed
        Entries of the metadata that are others now.

    Returns
    -------
    Micrograph
        Without the data bar where that no longer belongs to the image.
    """
    entry = {"step": step, "parameters": parameters, "found": found}
    steps = [*before.metadata.get(KEY, []), entry]
    fits = before.databar is not None and image.shape[-1] == before.databar.shape[-1]
    return replace(
        before,
        image=image,
        pixel_size_nm=pixel_size_nm or before.pixel_size_nm,
        metadata={**before.metadata, **changed, KEY: steps},
        coarser=(),
        databar=before.databar if fits and image.ndim == before.image.ndim else None,
    )


def steps_of(micrograph: Micrograph) -> list[dict[str, Any]]:
    """Return what was done to a micrograph, the first step first."""
    steps = micrograph.metadata.get(KEY, [])
    return [step for step in steps if isinstance(step, dict) and "step" in step]


def in_words(entry: dict[str, Any]) -> str:
    """Say what a step found, in a few words for people."""
    found = entry.get("found", {})
    if entry["step"] == "registered":
        words = f"drift {found['drift_px']:.3g} px over {found['frames']} frames"
        if found["within_px"] >= 0.05:
            words += f", {found['within_px']:.2g} px within a frame"
        light = found["light_frames"]
        if light:
            words += f"; {light} {'frames' if light > 1 else 'frame'} hardly counted"
        return words
    if entry["step"] == "flattened":
        return (
            f"brightness evened by {100 * found['brightness']:.0f} %, "
            f"contrast by {100 * found['contrast']:.0f} %"
        )
    if entry["step"] == "destriped":
        if not (found["rows"] or found["columns"]):
            return "no stripes"
        return (
            f"stripes of {found['rows']:.3g} and {found['columns']:.3g} grey values (rows, columns)"
        )
    if entry["step"] == "tilt-corrected":
        return f"tilt {found['tilt_deg']:.3g}°"
    return f"distortion {found['distortion_px']:.2g} px"
