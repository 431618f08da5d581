"""See for ourselves: sample and decode where a native reader found a code.

Nothing is believed that was not decoded here. The native reader says where a code is, and
often which modules it saw; the modules, its or ours, have to decode with so few repairs that
chance is out of the question.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid, Points
from napari_nanoqr.reading.native import NativeAnswer
from napari_nanoqr.reading.register import (
    Fit,
    correlate,
    refine,
    refine_known,
)
from napari_nanoqr.reading.subsample import sample_modules
from napari_nanoqr.reading.template import function_template
from napari_nanoqr.reading.window import Window
from napari_nanoqr.symbols.decode import DecodedSymbol, Undecodable, decode_modules
from napari_nanoqr.symbols.qr import qr_layout
from napari_nanoqr.symbols.tables import side_modules

MOST_CHANCE = 1e-7
"""Largest probability of an accidental decoding that is accepted."""

_LEAST_CORRELATION = 0.3
"""With function patterns; noise hardly ever gets there, symbols that decode are beyond."""

_IN_PLACE = 0.8
"""The same where a native reader has found the corners to a tenth of a module in a clear image."""


@dataclass(frozen=True, eq=False)
class Confirmed:
    """A symbol that was decoded here.

    Parameters
    ----------
    decoded : DecodedSymbol
        Payload, symbol and repairs, upright and not mirrored.
    sampled : (side, side) bool array
        Modules before the repairs.
    grid : Grid
        Where the symbol is, rows and columns as encoded.
    mirrored, inverted : bool
        How the image shows it.
    agrees : bool
        The native reader gave the same bytes.
    """

    decoded: DecodedSymbol
    sampled: NDArray[np.bool_]
    grid: Grid
    mirrored: bool
    inverted: bool
    agrees: bool


def confirm(image: NDArray[np.float32], answer: NativeAnswer) -> Confirmed | None:
    """Decode a QR symbol where a native reader found one.

    Parameters
    ----------
    image : (y, x) float32 array
        The image, best unprocessed; corners count in its pixels.
    answer : NativeAnswer
        The reader's answer, of a decoded symbol or of a mere place.

    Returns
    -------
    Confirmed or None
        None where neither the reader's modules nor our own decode.
    """
    theirs = None if answer.matrix is None else _decode_either_way(answer.matrix)
    sides = np.linalg.norm(answer.corners_yx - np.roll(answer.corners_yx, 1, axis=0), axis=1)
    version = int(theirs[0].symbol.version) if theirs else _told_version(answer)
    # where the version is open, a middling one is good enough to soften the image
    try:
        window = Window.around(
            image, answer.corners_yx, float(sides.mean()) / side_modules(version or 5)
        )
    except ValueError:
        return None
    corners = window.points(answer.corners_yx)
    places = [(version, corners)] if version else _likely_places(window.softened, corners, answer)
    fit = _fit(window.softened, places)
    # where the reader's modules decode, all that is open is how the image shows them
    if fit is None or (theirs is None and abs(fit.correlation) < _LEAST_CORRELATION):
        return None
    best = theirs or _decode_values(window.part, fit)
    if best is None:
        return None
    confirmed = _settle(window, fit, *best, answer)
    return replace(confirmed, grid=window.outside(confirmed.grid))


def _told_version(answer: NativeAnswer) -> int | None:
    known = answer.version is not None and answer.version.isdecimal()
    return int(answer.version or 0) if known else None


def _fit(soft: NDArray[np.float32], places: list[tuple[int, Points]]) -> Fit | None:
    """Fit function patterns at each place; the best."""
    best: Fit | None = None
    for version, corners in places:
        side = side_modules(version)
        try:
            grid = Grid.from_corners(corners, (side, side))
        except ValueError:
            continue
        template = function_template(qr_layout(version), thinned=True)
        fit = Fit(grid, correlate(soft, grid, template))
        # places that are right already are fitted once every module is known
        if abs(fit.correlation) < _IN_PLACE:
            fit = refine(soft, refine(soft, grid, template).grid, template, degree=2)
        if best is None or abs(fit.correlation) > abs(best.correlation):
            best = fit
    return best


def _likely_places(
    soft: NDArray[np.float32], corners: Points, answer: NativeAnswer
) -> list[tuple[int, Points]]:
    """Return the three versions and turns that look best without any fitting."""
    if answer.payload is None:
        # not even the size was clear to the reader: hardly ever a symbol
        return []
    # zbar tells neither the version nor which corner is which
    turned = [
        np.roll(corners[::-1] if flip else corners, turn, axis=0)
        for flip in (False, True)
        for turn in range(4)
    ]
    scored = []
    for version in range(1, 41):
        side = side_modules(version)
        template = function_template(qr_layout(version))
        for order in turned:
            try:
                grid = Grid.from_corners(order, (side, side))
            except ValueError:
                return []
            scored.append((abs(correlate(soft, grid, template)), version, order))
    scored.sort(key=lambda entry: -entry[0])
    return [(version, order) for _, version, order in scored[:3]]


def _decode_values(part: NDArray[np.float32], fit: Fit) -> tuple[DecodedSymbol, bool] | None:
    """Sample, tell dark from light in several ways, and decode."""
    version = (fit.grid.shape[0] - 17) // 4
    modules, known = qr_layout(version).dark, qr_layout(version).certain
    for sigma in (0.35, 0.25, 0.5):
        values = sample_modules(part, fit.grid, sigma)
        if fit.correlation < 0:
            values = -values
        dark, light = values[known & modules].mean(), values[known & ~modules].mean()
        for threshold in ((dark + light) / 2, _local_mean(values, 4), _local_mean(values, 2)):
            if result := _decode_either_way(values < threshold):
                return result
    return None


def _decode_either_way(sampled: NDArray[np.bool_]) -> tuple[DecodedSymbol, bool] | None:
    """Decode modules that may be mirrored; the second value says that they were."""
    side, width = sampled.shape
    version, odd = divmod(side - 17, 4)
    if side != width or odd or not 1 <= version <= 40:
        return None
    distances = [qr_layout(version).nearest_format(m)[2] for m in (sampled, sampled.T)]
    for mirrored in sorted((False, True), key=lambda flag: distances[flag]):
        try:
            decoded = decode_modules(sampled.T if mirrored else sampled)
        except Undecodable:
            continue
        # an image without structure can look like a symbol of zeros: it says nothing
        if decoded.content.payload and decoded.chance <= MOST_CHANCE:
            return decoded, mirrored
    return None


def _settle(
    window: Window,
    fit: Fit,
    decoded: DecodedSymbol,
    mirrored: bool,
    answer: NativeAnswer,
) -> Confirmed:
    """Fit the grid once more, now that every module is known, and sample a last time."""
    symbol = decoded.symbol
    written = symbol.matrix.T if mirrored else symbol.matrix
    fit = refine_known(window.softened, fit.grid, written)
    sampled = symbol.matrix ^ decoded.wrong
    for sigma in (0.35, 0.2):
        if not decoded.wrong.any():
            break
        values = sample_modules(window.part, fit.grid, sigma)
        values = -values if fit.correlation < 0 else values
        values = values.T if mirrored else values
        means = float(values[symbol.matrix].mean()), float(values[~symbol.matrix].mean())
        for threshold in (sum(means) / 2, _valley(values, *means), _local_mean(values, 4)):
            # our own modules are those that belong to the corners; keep the better ones
            mine = values < threshold
            if (mine ^ symbol.matrix).sum() < (sampled ^ symbol.matrix).sum():
                try:
                    again = decode_modules(mine)
                except Undecodable:
                    continue
                if again.symbol.payload == symbol.payload:
                    sampled, decoded = mine, again
    return Confirmed(
        decoded,
        sampled,
        fit.grid.transposed() if mirrored else fit.grid,
        mirrored,
        fit.correlation < 0,
        answer.payload == decoded.content.stored,
    )


def _valley(values: NDArray[np.float32], dark: float, light: float) -> float:
    """Return where the fewest values lie between the means of dark and light modules.

    Neighbours leak into a module, so that single dark ones are much brighter than the mean of
    all dark ones: the middle between the means is not where the two kinds part.
    """
    candidates = np.linspace(dark, light, 41)[4:-4]
    reach = 0.05 * abs(light - dark)
    near = (np.abs(values.reshape(-1, 1) - candidates) < reach).sum(axis=0)
    return float(np.median(candidates[near == near.min()]))


def _local_mean(values: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """Mean over a square of modules around each, shifted inwards at the edges."""
    side = 2 * reach + 1
    padded = np.pad(values, reach, mode="reflect").astype(np.float64)
    sums = np.pad(padded.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    boxes = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return np.asarray(boxes / side**2, dtype=np.float32)
