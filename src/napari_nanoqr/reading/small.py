"""Micro QR and rMQR codes: the modules that a native reader saw, decoded here.

Their redundancy is short, so that all else that is known has to leave chance no room as well:
timing and alignment patterns, and the format information.
"""

from __future__ import annotations

from dataclasses import replace
from math import comb

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.confirm import Confirmed
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.native import NativeAnswer
from napari_nanoqr.reading.register import refine
from napari_nanoqr.reading.template import function_template, make_template
from napari_nanoqr.reading.window import Window
from napari_nanoqr.symbols.decode import DecodedSymbol, Undecodable, decode_modules
from napari_nanoqr.symbols.kinds import layout_of
from napari_nanoqr.symbols.layout import Modules

MOST_CHANCE_PLAIN = 1e-6
"""Accepted on the image as it is; 1e-2 of it after the image was worked on."""

_LEAST_CORRELATION = 0.4

_MOST_WRONG = 8
"""Modules of the finder pattern and its separator that may be wrong."""


def confirm_small(
    image: NDArray[np.float32], answer: NativeAnswer, plain: bool
) -> Confirmed | None:
    """Decode the modules that a native reader saw, and hold them against the image.

    Parameters
    ----------
    image : (y, x) float32 array
        The image, best unprocessed.
    answer : NativeAnswer
        The reader's answer.
    plain : bool
        The reader saw the image nearly as it is.

    Returns
    -------
    Confirmed or None
        None where there is any doubt, or the reader decoded something else.
    """
    if not answer.payload or answer.matrix is None:
        return None
    readings = [
        (flag, _decoded(answer.matrix.T if flag else answer.matrix)) for flag in (False, True)
    ]
    decoded = [(flag, result) for flag, result in readings if result is not None]
    if not decoded:
        return None
    mirrored, best = min(decoded, key=lambda reading: reading[1].chance)
    most = MOST_CHANCE_PLAIN if plain else MOST_CHANCE_PLAIN / 100
    if best.content.stored != answer.payload or best.chance > most:
        return None
    layout = layout_of(best.symbol.matrix.shape)
    # the reader's corners go round as the image shows them
    try:
        grid = Grid.from_corners(answer.corners_yx, answer.matrix.shape)
        window = Window.around(image, answer.corners_yx, grid.pitch_px)
    except ValueError:
        return None
    upright = grid.transposed() if mirrored else grid
    fit = refine(window.softened, window.inside(upright), function_template(layout))
    if abs(fit.correlation) < _LEAST_CORRELATION:
        return None
    # the fixed patterns stand on two sides only; what was read holds the grid on the others
    whole = make_template(best.symbol.matrix, np.ones_like(best.symbol.matrix))
    fit = refine(window.softened, fit.grid, whole, degree=2)
    sampled = answer.matrix.T if mirrored else answer.matrix
    return Confirmed(best, sampled, window.outside(fit.grid), mirrored, fit.correlation < 0, True)


def _decoded(sampled: Modules) -> DecodedSymbol | None:
    """Decode a small symbol, its chance that of all that is known of it together."""
    try:
        decoded = decode_modules(sampled)
    except Undecodable:
        return None
    layout = layout_of(sampled.shape)
    wrong = layout.certain & (sampled != layout.dark)
    if layout.symbology == "QR" or (wrong & layout.finders).sum() > _MOST_WRONG:
        return None
    rest = layout.certain & ~layout.finders
    _, _, distance = layout.nearest_format(sampled)
    # one of several formats, one way round or the other
    format_chance = 2 * len(layout.formats) * _accident(layout.format_words.shape[1], distance)
    chance = decoded.chance * min(1.0, format_chance)
    chance *= _accident(int(rest.sum()), int((wrong & rest).sum()))
    return replace(decoded, chance=chance)


def _accident(known: int, wrong: int) -> float:
    """Return the share of all patterns of some modules that differ in no more of them."""
    patterns: int = sum(comb(known, i) for i in range(wrong + 1))
    return float(patterns / 2**known)
