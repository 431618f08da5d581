"""Read by a model of the image: find symbols, weigh every module, decode softly.

The native readers decide early which modules are dark. Here nothing is decided before the
error-correcting code has spoken, so that codes are read far below the dose that they need.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.image import Source
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.register import refine_known
from napari_nanoqr.reading.report import likely_reading_of, unread_of
from napari_nanoqr.reading.scene import Scene
from napari_nanoqr.reading.unread import Unread
from napari_nanoqr.reading.window import Window
from napari_nanoqr.symbols.decode import DecodedSymbol

if TYPE_CHECKING:
    from napari_nanoqr.reading.symbol_fit import Candidate

SECONDS, SECONDS_PER_MEGAPIXEL = 3.0, 3.0
"""Time for the search for places. Symbols are found in a small part of it; what takes longer
are textures full of things that look like finder patterns."""

_WORTH_EFFORT = 7.0
"""Score of a candidate from which on its blocks are searched for long. Symbols that can be read
at all have 7.6 and more, at the least dose and version 1; textures hardly ever reach 7."""

MOST_CANDIDATES = 24
"""Candidates that are weighed in an image without any success."""


@dataclass(frozen=True)
class ModelStep:
    """Look for symbols and decode them softly.

    Parameters
    ----------
    pitch_px : float or None
        Distance of modules in pixels, where it is known.
    effort : int
        How long each block is searched, see `napari_nanoqr.codes.soft.decode_soft`.
    cancelled : callable or None
        Asked between candidates.
    """

    pitch_px: float | None
    effort: int = 3
    cancelled: Callable[[], bool] | None = None

    @property
    def sentence(self) -> str:
        """What is being tried."""
        return "nanoqr, every module weighed"

    def run(self, scene: Scene) -> list[Reading]:
        """Locate, weigh and decode; believe what chance cannot explain."""
        image = scene.preparations.base
        stretch = float(1 / np.cos(np.deg2rad(scene.source.tilt_deg)))
        if scene.found and all(is_clean(r) for r in scene.found) and not others(scene, stretch):
            # native readers read this image without trouble: they do not need help
            return []
        from napari_nanoqr.reading.locate import locate

        new = Scene(scene.source, scene.preparations)
        ends = time.monotonic() + SECONDS + SECONDS_PER_MEGAPIXEL * image.size / 1e6

        def enough() -> bool:
            cancelled = self.cancelled is not None and self.cancelled()
            return cancelled or time.monotonic() > ends

        missed = tries = 0
        for candidate in locate(image, pitch_px=self.pitch_px, stretch_y=stretch, cancelled=enough):
            if self.cancelled is not None and self.cancelled():
                break
            corners = candidate.grid.corners_yx
            if scene.taken(corners) or new.taken(corners):
                continue
            result, tries = self._weigh(image, candidate, scene.source, tries)
            if isinstance(result, Reading):
                new.found.append(result)
                continue
            if result is not None:
                scene.not_read(result)
            missed += 1
            if missed >= MOST_CANDIDATES:
                break
        return new.found

    def _weigh(
        self, image: NDArray[np.float32], candidate: Candidate, source: Source, tries: int
    ) -> tuple[Reading | Unread | None, int]:
        """Weigh the modules of a candidate and decode them; None where it may be no symbol.

        The number tells how often it was tried in vain to decode something in this image.
        """
        from napari_nanoqr.reading.locate import CONVINCING
        from napari_nanoqr.reading.weigh import weigh

        # what hardly looks like a symbol is not worth long searches
        effort = self.effort if candidate.score >= _WORTH_EFFORT else min(1, self.effort)
        weighed = weigh(
            image, candidate.grid, inverted=candidate.correlation < 0, effort=effort, tries=tries
        )
        seen, result = weighed.seen, weighed.result
        mirrored = candidate.mirrored ^ weighed.turned
        # a symbol that says nothing may as well be an even surface
        if isinstance(result, DecodedSymbol) and result.content.payload:
            fitted = fit_to_symbol(image, seen.grid, result.symbol.matrix)
            reading = likely_reading_of(result, fitted, mirrored, seen, source)
            return reading, weighed.tries - 1
        if candidate.score < CONVINCING or isinstance(result, DecodedSymbol):
            return None, weighed.tries
        return unread_of(image, seen, result, mirrored, source), weighed.tries


def others(scene: Scene, stretch_y: float) -> bool:
    """Return whether there is more of the kind that was found: finder patterns of like size.

    Parameters
    ----------
    scene : Scene
        With at least one reading.
    stretch_y : float
        How much shorter the image shows lengths along y.
    """
    from napari_nanoqr.reading.finder_set import STRONG
    from napari_nanoqr.reading.finders import find_finders
    from napari_nanoqr.reading.scaled import scale_image
    from napari_nanoqr.reading.scene import inside

    pitch = float(np.median([reading.pitch_px for reading in scene.found]))
    if scene.even_beside(pitch):
        return False
    scaled = scale_image(scene.preparations.base, pitch, stretch_y, per_module=2)
    finders = find_finders(scaled, 0, least=STRONG)
    free = np.ones(len(finders), dtype=bool)
    for reading in scene.found:
        free &= ~inside(finders.centre, reading.corners_yx)
    return bool(free.sum() >= 2)


def is_clean(reading: Reading) -> bool:
    """Whether a code was read with hardly a repair."""
    repaired, correctable = reading.corrected_per_block, reading.correctable_per_block
    return correctable is None or not repaired or max(repaired) <= 0.2 * correctable


def fit_to_symbol(image: NDArray[np.float32], grid: Grid, modules: NDArray[np.bool_]) -> Grid:
    """Fit a grid to the image once every module is known.

    Parameters
    ----------
    image : (y, x) float32 array
        The image.
    grid : Grid
        Where the symbol is to a fraction of a module.
    modules : (side, side) bool array
        The symbol in the grid's coordinates, True = dark.

    Returns
    -------
    Grid
        The grid that agrees best.
    """
    window = Window.around(image, grid.corners_yx, grid.pitch_px)
    return window.outside(refine_known(window.softened, window.inside(grid), modules).grid)
