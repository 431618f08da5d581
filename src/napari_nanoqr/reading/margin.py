"""How much fainter an image of a code could be: measured on the image itself, made noisier."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.dose import Dose
from napari_nanoqr.reading.equalise import module_likelihoods
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.information import damaged_modules, surplus
from napari_nanoqr.reading.likelihoods import ModuleLikelihoods
from napari_nanoqr.reading.model import fit_to_symbol
from napari_nanoqr.reading.noise import Noise, measure_noise
from napari_nanoqr.reading.reading import Margin, Reading
from napari_nanoqr.reading.window import Window

_MOST_STEPS = 7
"""Doses that are tried."""

_CLOSE = 0.04
"""Of the surplus to the limit: 8 % of the dose, less than two images of one dose differ."""

_LEAST_SURPLUS = 0.4
"""What less than this says of the dose is not to be relied on, and taken for this."""


def with_margin(reading: Reading, image: NDArray[np.float32], dose: Dose) -> Reading:
    """Return a reading with its margin, and with the likelihoods of its modules.

    Parameters
    ----------
    reading : Reading
        A code that was read.
    image : (y, x) float32 array
        The image that it was read from, neither smoothed nor flattened.
    dose : Dose
        Of the image.

    Returns
    -------
    Reading
        As it was where not every module of it is known.
    """
    if reading.matrix is None or reading.wrong is None or reading.error is None:
        return reading
    written = reading.matrix ^ reading.wrong
    grid = fit_to_symbol(image, Grid.from_corners(reading.corners_yx, written.shape), written)
    margin, seen = measure_margin(
        image, grid, written, reading.error, inverted=reading.inverted, dose=dose
    )
    likelihoods = seen.llr if reading.likelihoods is None else reading.likelihoods
    return replace(reading, margin=margin, likelihoods=likelihoods)


def measure_margin(
    image: NDArray[np.float32],
    grid: Grid,
    written: NDArray[np.bool_],
    error: str,
    *,
    inverted: bool | None = None,
    dose: Dose | None = None,
    seed: int = 0,
) -> tuple[Margin | None, ModuleLikelihoods]:
    """Add noise to an image until the code in it is about to be lost.

    Parameters
    ----------
    image : (y, x) float32 array
        The image, neither smoothed nor flattened.
    grid : Grid
        Where the symbol is.
    written : (rows, columns) bool array
        The symbol in the grid's coordinates, True = dark.
    error : str
        Its error-correction level.
    inverted : bool, optional
        Dark modules are the brighter ones; by default the function patterns tell.
    dose : Dose, optional
        Of the image.
    seed : int, optional
        Of the added noise.

    Returns
    -------
    margin : Margin or None
        None where the image has no noise of its own, as a drawn picture.
    seen : ModuleLikelihoods
        Of the image as it is.

    Notes
    -----
    A share s of the electrons has 1/s of the variance, so noise of the image's own kind is added
    with (1/s - 1) of it, and the modules are weighed as `read_codes` does. What limits a sharp
    image at much dose, edges and leak between modules, stays as it is; so the answer does not
    hang on how rho grows with the dose.
    """
    seen = module_likelihoods(image, grid, inverted=inverted)
    window = Window.around(image, seen.grid.corners_yx, seen.grid.pitch_px)
    noise = measure_noise(window.part)
    if noise is None:
        return None, seen
    shares = _shares(window.part, seen, noise, window.inside(seen.grid), written, error, seed)
    return Margin(tuple(float(s) for s in shares), dose or Dose()), seen


def _shares(
    part: NDArray[np.float32],
    seen: ModuleLikelihoods,
    noise: Noise,
    grid: Grid,
    written: NDArray[np.bool_],
    error: str,
    seed: int,
) -> NDArray[np.float64]:
    drawn = noise.draw(np.random.default_rng(seed))
    share, llr = 1.0, seen.llr
    # what is damaged shows best before noise is added
    damaged = damaged_modules(llr, written)
    for step in range(_MOST_STEPS):
        left = surplus(llr, error, damaged).clip(_LEAST_SURPLUS)
        # with no more noise than there is, nothing can be seen beyond the image itself
        if abs(left.min() - 1) < _CLOSE or (share == 1 and left.min() < 1):
            break
        if step == _MOST_STEPS - 1:
            break
        share = min(1.0, share / float(left.min()) ** 2)
        noisier = part + np.float32(np.sqrt(1 / share - 1)) * drawn
        llr = module_likelihoods(noisier, grid, inverted=seen.inverted).llr
    return np.asarray(share / left**2)
