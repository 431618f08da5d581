"""What is wrong with the image of a symbol that could not be read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.likelihoods import ModuleLikelihoods
from napari_nanoqr.reading.subsample import sample_modules
from napari_nanoqr.symbols.kinds import layout_of

_NARROW = 0.2
"""Width in modules of the window in which a module is looked at, so that it adds little blur."""


@dataclass(frozen=True)
class Diagnosis:
    """What can be seen of an image where a symbol is.

    Parameters
    ----------
    outside : float
        Share of the symbol that lies outside of the image.
    clipped : float
        Share of its pixels that are as dark or as bright as any of the image.
    covered : float
        Share of its modules that are covered or gone.
    leak : float
        Share of what a module shows that comes from its eight neighbours.
    pitch_px : float
        Distance of modules in pixels.
    """

    outside: float
    clipped: float
    covered: float
    leak: float
    pitch_px: float


def diagnose(image: NDArray[np.float32], seen: ModuleLikelihoods) -> Diagnosis:
    """Look at the place of a symbol in an image.

    Parameters
    ----------
    image : (y, x) float32 array
        The image, neither smoothed nor flattened.
    seen : ModuleLikelihoods
        The symbol's modules.

    Returns
    -------
    Diagnosis
        What may keep it from being read.
    """
    grid = seen.grid
    places = grid.to_pixels(np.indices(grid.shape, dtype=np.float64).transpose(1, 2, 0) + 0.5)
    last = np.array(image.shape) - 0.5
    outside = ((places < -0.5) | (places > last)).any(axis=-1)
    low, high = places.min(axis=(0, 1)), places.max(axis=(0, 1)) + 1
    top, left, bottom, right = (int(v) for v in np.concatenate((low, high)).clip(0))
    part = image[top:bottom, left:right]
    clipped = (part <= image.min()) | (part >= image.max())
    return Diagnosis(
        float(outside.mean()),
        float(clipped.mean()),
        float((seen.blank > 0.5).mean()),
        leak(image, grid),
        grid.pitch_px,
    )


def leak(image: NDArray[np.float32], grid: Grid) -> float:
    """Return which share of what a module shows comes from its eight neighbours.

    Parameters
    ----------
    image : (y, x) float32 array
        The image.
    grid : Grid
        Where the symbol is.

    Returns
    -------
    float
        0 where the image is sharp, 0.5 and more where modules melt into one another; measured
        on the modules that are the same in every symbol.
    """
    layout = layout_of(grid.shape)
    known, dark = layout.certain, layout.dark
    values = sample_modules(image, grid, _NARROW)
    rows, columns = grid.shape
    around = [
        (slice(1 + i, rows - 1 + i), slice(1 + j, columns - 1 + j))
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
        if (i, j) != (0, 0)
    ]
    inside = (slice(1, -1), slice(1, -1))
    use = known[inside] & np.all([known[a] for a in around], axis=0)
    signs = np.where(dark, -1.0, 1.0)
    beside = np.mean([signs[a] for a in around], axis=0)
    terms = np.stack((np.ones(use.sum()), signs[inside][use], beside[use]), axis=1)
    _, own, others = np.linalg.lstsq(terms, values[inside][use], rcond=None)[0]
    total = abs(own + others)
    return float(np.clip(others / (own + others), 0, 1)) if total > 0 else 1.0
