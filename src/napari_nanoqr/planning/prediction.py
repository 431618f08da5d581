"""What a pattern will leave in the film, what the SEM will see of it, and whether it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.placed import Placed
from napari_nanoqr.fib.pattern import Pattern
from napari_nanoqr.physics.edges import edge_bias_nm
from napari_nanoqr.physics.milling import FilmState
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.planning.channel import Cancelled, design_of, expected_film
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.planning.margin import measure_margin
from napari_nanoqr.planning.read_probability import (
    Progress,
    ReadProbability,
    read_probability,
)
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.readings import Readings
from napari_nanoqr.sem.micrograph import Micrograph

PIXELS_PER_MODULE = 8

MOST_MARGIN = 10.0
"""Above this a margin says only that there is plenty."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """A pattern, milled, imaged and read in the computer.

    Parameters
    ----------
    design : Design
        What it should hold.
    film : FilmState
        The film after milling.
    sem : SemCondition
        How it is imaged.
    micrograph : Micrograph
        What the SEM sees.
    readings : Readings
        What the reader makes of that one image.
    probability : ReadProbability
        How probably any such image is read.
    margin : float
        How many times the electrons that reading takes there are.
    """

    design: Design
    film: FilmState
    sem: SemCondition
    micrograph: Micrograph
    readings: Readings
    probability: ReadProbability
    margin: float

    @property
    def right(self) -> Reading | None:
        """The reading that holds the design's payload, None where there is none."""
        payload = self.design.symbol.payload
        return next((found for found in self.readings if found.payload == payload), None)

    @property
    def milled_depth_nm(self) -> float:
        """Depth in the middle of milled modules, the median."""
        return float(np.median(self._middles()[self.design.milled]))

    @property
    def kept_percent(self) -> float:
        """Film left in the middle of kept modules in percent of its thickness, the least of all."""
        depth = self._middles()[~self.design.milled]
        thickness = self.design.film.thickness_nm
        return float(100 * np.clip(1 - depth.max(initial=0.0) / thickness, 0, 1))

    @property
    def edge_bias_nm(self) -> tuple[float, float]:
        """Mean and largest distance of edges from their nominal places; nan where none is."""
        bias = edge_bias_nm(self.film, (Placed(self.design),))
        if np.isnan(bias).all():
            return float("nan"), float("nan")
        return float(np.nanmean(bias)), float(np.nanmax(np.abs(bias)))

    def _middles(self) -> NDArray[np.float64]:
        """Depth in the middle of each module, with the quiet zone."""
        grid, pitch = self.film.grid, self.design.pitch_nm
        left, top = Placed(self.design).corner_nm
        rows, columns = self.design.modules.shape
        y = np.floor((top + (np.arange(rows) + 0.5) * pitch - grid.top_nm) / grid.cell_nm)
        x = np.floor((left + (np.arange(columns) + 0.5) * pitch - grid.left_nm) / grid.cell_nm)
        # what lies beyond the grid is not milled
        inside = np.pad(self.film.depth_nm, 1)
        y = np.clip(y + 1, 0, grid.rows + 1).astype(int)
        x = np.clip(x + 1, 0, grid.columns + 1).astype(int)
        return np.asarray(inside[np.ix_(y, x)])

    @property
    def verdict(self) -> str:
        """What is to be expected, as one sentence."""
        at = f"at {self.sem.electrons_per_pixel:g} electrons a pixel"
        said = f"Read probability {self.probability} {at}"
        if self.right is None:
            return said + "; the predicted micrograph was not read."
        margin = f"{min(self.margin, MOST_MARGIN):.2g}"
        more = "more than " if self.margin > MOST_MARGIN else ""
        return said + f": {more}{margin} times the electrons that it takes."

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        mean, most = self.edge_bias_nm
        right = self.right
        return {
            **self.probability.to_dict(),
            "margin": round(min(self.margin, MOST_MARGIN), 3),
            "milled_depth_nm": round(self.milled_depth_nm, 3),
            "kept_film_percent": round(self.kept_percent, 1),
            "edge_bias_nm": None if np.isnan(mean) else [round(mean, 3), round(most, 3)],
            "electrons_per_pixel": self.sem.electrons_per_pixel,
            "pixel_size_nm": self.sem.pixel_size_nm,
            "payload_read": right is not None,
            "corrected_codewords": None if right is None else right.corrected_codewords,
        }


def predict(
    pattern: Pattern,
    sem: SemCondition | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Prediction:
    """Mill a pattern, image it and read it, all in the computer.

    Parameters
    ----------
    pattern : Pattern
        As read back from its file, with the sidecar that tells its design.
    sem : SemCondition, optional
        How it is imaged; by default 50 electrons for each of 8 x 8 pixels a module.
    progress : callable, optional
        Called with steps done, steps planned, and a sentence.
    cancelled : callable, optional
        Asked between the steps.

    Returns
    -------
    Prediction
        Film, micrograph, and how probably such micrographs are read.

    Raises
    ------
    Cancelled
        Where `cancelled` said so.
    ValueError
        Where the pattern tells no scale, beam or design.
    """
    from napari_nanoqr.reading.read import read_codes

    design = design_of(pattern)
    sem = sem or SemCondition(pixel_size_nm=design.pitch_nm / PIXELS_PER_MODULE)

    def at(step: int, text: str) -> None:
        if cancelled is not None and cancelled():
            raise Cancelled
        if progress is not None:
            progress(step, 4, text)

    at(0, "Milling the film …")
    film = expected_film(pattern)
    at(1, "Imaging it …")
    micrograph = simulate_micrograph(pattern, milled=film, seed=0, **sem.arguments())
    at(2, "Reading the predicted micrograph …")
    readings = read_codes(micrograph, pitch_nm=design.pitch_nm)
    at(3, "Asking how probably such micrographs are read …")
    symbol = design.symbol
    channel, margin = measure_margin(
        pattern, symbol.version, symbol.error, sem, milled=film, cancelled=cancelled
    )
    return Prediction(
        design, film, sem, micrograph, readings,
        read_probability(channel, symbol.version, symbol.error), margin,
    )  # fmt: skip
