"""What is checked, and against what."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.thermo_stream import PROFILES, StreamProfile
from napari_nanoqr.fib.instruments import Instrument
from napari_nanoqr.fib.lattice import Lattice


@dataclass(frozen=True)
class Case:
    """An exposure on its way to an instrument.

    Parameters
    ----------
    exposure : Exposure
        What is to be milled.
    instrument : Instrument
        With what.
    suffix : str or None
        Of the file; None where only what holds for all formats is asked.
    given : dict
        Options of the writer that win over those of the instrument.
    """

    exposure: Exposure
    instrument: Instrument
    suffix: str | None = None
    given: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def options(self) -> dict[str, Any]:
        """What the writer of the format will be told."""
        own = {}
        if self.suffix is not None and self.instrument.takes(self.suffix):
            own = self.instrument.options_for(self.suffix)
        return own | self.given

    @property
    def stream(self) -> StreamProfile | None:
        """What the instrument makes of a stream; None for other formats."""
        if self.suffix != ".str":
            return None
        stream = self.options.get("stream", "s16")
        return stream if isinstance(stream, StreamProfile) else PROFILES[stream]

    @property
    def holds_points(self) -> bool:
        """Whether the file is one of points, or the format is open."""
        from napari_nanoqr.fib.pattern_files import FORMATS

        return any(form.holds == "points" for form in FORMATS if self.suffix in (None, form.suffix))

    @cached_property
    def doses(self) -> list[tuple[Lattice, float, float]]:
        """Lattices with the lowest and the highest relative dose of their points."""
        return [
            (
                lattice,
                float(lattice.dose.min(where=lattice.dose > 0, initial=math.inf)),
                float(lattice.dose.max()),
            )
            for lattice in self.exposure.lattices
        ]
