"""What a user knows better than the file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from napari_nanoqr.sem.files.quantities import plausible
from napari_nanoqr.sem.micrograph import Micrograph

_NAMES = {"tilt_deg": "tilt", "dwell_s": "dwell time", "beam_current_a": "beam current"}


@dataclass(frozen=True)
class Given:
    """Values that win over those of the file; None where the file's are right.

    Parameters
    ----------
    pixel_size_nm : float, optional
        Of square pixels.
    tilt_deg : float, optional
        Of the stage.
    dwell_s : float, optional
        On each pixel, of one scan.
    beam_current_a : float, optional
        Of the beam on the specimen.

    Raises
    ------
    ValueError
        Where one of them cannot be true.
    """

    pixel_size_nm: float | None = None
    tilt_deg: float | None = None
    dwell_s: float | None = None
    beam_current_a: float | None = None

    def __post_init__(self) -> None:
        size = self.pixel_size_nm
        if size is not None and not 0 < size < math.inf:
            raise ValueError(f"A pixel size is a positive number of nm, not {size:g}.")
        for key, value in self.metadata.items():
            if not plausible(value, key):
                unit = {"tilt_deg": "degrees", "dwell_s": "s", "beam_current_a": "A"}[key]
                raise ValueError(f"A {_NAMES[key]} of {value:g} {unit} cannot be true.")

    @property
    def metadata(self) -> dict[str, float]:
        """What is given, under the names that a micrograph's metadata have."""
        values = {key: getattr(self, key) for key in _NAMES}
        return {key: value for key, value in values.items() if value is not None}

    def over(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Return the metadata of a micrograph with what is given in its place."""
        known = dict(metadata) | self.metadata
        if self.tilt_deg is not None:
            # what is told of a correction belongs to the tilt that the file tells
            for key in ("tilt_correction", "tilt_correction_deg"):
                known.pop(key, None)
        conflicts = {
            key: sentence
            for key, sentence in (known.pop("conflicts", None) or {}).items()
            if getattr(self, key, None) is None
        }
        return known | ({"conflicts": conflicts} if conflicts else {})

    def applied_to(self, micrograph: Micrograph) -> Micrograph:
        """Return a micrograph with what is given in the place of what its file tells."""
        changed = replace(micrograph, metadata=self.over(micrograph.metadata))
        if self.pixel_size_nm is None:
            return changed
        both = (self.pixel_size_nm, self.pixel_size_nm)
        return replace(changed, pixel_size_nm=both, pixel_size_source="given")
