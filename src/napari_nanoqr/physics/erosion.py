"""A film under the beam, slice of dose by slice of dose: slopes, layers, what falls back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.compiled import compiled
from napari_nanoqr.physics.redeposition import landing
from napari_nanoqr.physics.sputtering import Sputtering, Stack

DEPTH_PER_SLICE = 1.5
"""In cells: a slope must not pass over much more than a cell within a slice."""

FEWEST_SLICES, MOST_SLICES = 3, 400
"""Three slices are within 0.04 nm of sixty-four over 99 % of the default film, and within 0.06 nm
everywhere."""

_PER_TANGENT = 50
_TANGENTS = np.arange(60 * _PER_TANGENT + 1) / _PER_TANGENT
"""Slopes whose yields are looked up; those between are interpolated."""

Cells = NDArray[np.float64]
Reals = NDArray[np.float32]
"""Half the memory, and ample: depths are right to a millionth."""

fast = partial(compiled, fastmath=True)


@dataclass(frozen=True, eq=False)
class Eroded:
    """What a dose leaves, all in nm over the cells' area, ``(rows, columns)``.

    Parameters
    ----------
    native_nm : float64 array
        What is gone of that which was there before.
    redeposited_nm : float64 array
        What has fallen back on it and stayed.
    sputtered_nm : float64 array
        All that was sputtered, with what was sputtered again.
    stuck_nm : float64 array
        All that fell and stuck, with what was sputtered again.
    """

    native_nm: Cells
    redeposited_nm: Cells
    sputtered_nm: Cells
    stuck_nm: Cells

    @property
    def depth_nm(self) -> Cells:
        """How deep the surface lies below the original one, ``(rows, columns)``."""
        return np.asarray(self.native_nm - self.redeposited_nm)


def erode(
    dose_nc_per_um2: Cells,
    stack: Stack,
    sputtering: Sputtering,
    cell_nm: float,
    *,
    coarse: int = 1,
    passes: int = 1,
    order: NDArray[Any] | None = None,
) -> Eroded:
    """Mill a stack of layers.

    Parameters
    ----------
    dose_nc_per_um2 : (rows, columns) float64 array
        Ion dose of all passes, over the cells' area.
    stack : Stack
        What is milled.
    sputtering : Sputtering
        Angle of incidence and redeposition.
    cell_nm : float
        Side of the cells.
    coarse : int
        Side of the cells, in these cells, in which redeposition is reckoned.
    passes : int
        In how many passes the dose comes.
    order : (coarse rows, coarse columns) array, optional
        When the beam comes to each coarse cell within a pass, in any unit, last where it does
        not; by default not known.

    Returns
    -------
    Eroded
        What is gone and what fell back.

    Notes
    -----
    The dose is divided into slices. In each, the yield is that of the slope half-way through
    it. What was sputtered lands, and what sticks is sputtered again first, as far as the
    cell's dose of the slice reaches, with the film's volume per dose. Not so what lands behind
    the beam, where it does not come again in the same pass: of a slice of n passes, this share
    is 1/n, and where a pass lasts several slices, it is safe until the pass is over. So many
    passes clear what fell and one pass leaves it. All points are taken to be equally far in
    their dose; that in a single slow pass the beam stands on the slope of its own front is not
    modelled, nor that atoms which do not stick may stick elsewhere.
    """
    from scipy.ndimage import gaussian_filter

    dose = np.asarray(dose_nc_per_um2, dtype=np.float32)
    deepest = float(stack.depth_nm(dose.max(keepdims=True)).max())
    slices = int(
        np.clip(np.ceil(deepest / (DEPTH_PER_SLICE * cell_nm)), FEWEST_SLICES, MOST_SLICES)
    )
    slices_of_pass = max(1, -(-slices // passes))
    slices = slices_of_pass * passes if slices_of_pass > 1 else slices
    behind_share = np.float32(min(1.0, slices / passes))
    dose /= slices
    rate = np.float32(1000 * stack.film)
    corners = [values.astype(np.float32) for values in stack.corners]
    per_slope = np.float32(_PER_TANGENT / cell_nm)
    yields = sputtering.relative_yield(_TANGENTS**2).astype(np.float32)
    if order is None:
        order = np.zeros([-(-n // coarse) for n in dose.shape])
    order = np.asarray(order, dtype=np.float32)

    spent, depth, loose, safe, sputtered, stuck, fallen, behind = (
        np.zeros_like(dose) for _ in range(8)
    )
    # what the beam meets half-way through a slice: not what falls behind it
    middle = rate / 2 * dose
    for number in range(slices):
        smooth = gaussian_filter(middle, sputtering.cascade_nm / cell_nm, truncate=3.0)
        power = _power(dose, middle, smooth, per_slope, yields)
        if sputtering.sticking:
            height, leaving = _leaving(power, middle, spent, loose, safe, coarse, *corners)
            landed = landing(height, leaving, order, coarse * cell_nm)
            fallen, behind = (
                _spread(np.float32(sputtering.sticking) * part, coarse, *dose.shape)
                for part in landed
            )
        over = (number + 1) % slices_of_pass == 0
        _mill(
            power, fallen, behind, behind_share, over, spent, depth, loose, safe, sputtered,
            stuck, middle, *corners,
        )  # fmt: skip
    left = (depth, loose + safe, sputtered, stuck)
    return Eroded(*(part.astype(np.float64) for part in left))


@fast
def _spread(image: Reals, factor: int, rows: int, columns: int) -> Reals:
    """Divide cells into squares of cells, linearly between their centres: without loss."""
    result = np.empty((rows, columns), np.float32)
    last_row, last_column = image.shape[0] - 1, image.shape[1] - 1
    for y in range(rows):
        down = (np.float32(y) + np.float32(0.5)) / factor - np.float32(0.5)
        above = int(np.floor(down))
        down -= above
        above, below = max(above, 0), min(above + 1, last_row)
        for x in range(columns):
            right = (np.float32(x) + np.float32(0.5)) / factor - np.float32(0.5)
            before = int(np.floor(right))
            right -= before
            before, after = max(before, 0), min(before + 1, last_column)
            upper = image[above, before] + right * (image[above, after] - image[above, before])
            lower = image[below, before] + right * (image[below, after] - image[below, before])
            result[y, x] = upper + down * (lower - upper)
    return result


@fast
def _depth(dose: Any, starts: Reals, depths: Reals, rates: Reals) -> Any:
    """Depth that a dose mills at normal incidence."""
    layer = starts.size - 1
    while starts[layer] > dose and layer > 0:
        layer -= 1
    return depths[layer] + (dose - starts[layer]) * rates[layer]


@fast
def _slope(surface: Reals, y: int, x: int) -> Any:
    """Slope at a cell down to its deeper neighbours, per cell.

    Looking down only, as in Godunov's scheme, keeps walls stable: the deepest point has no
    slope, so nothing becomes deeper than the dose allows.
    """
    rows, columns = surface.shape
    here = surface[y, x]
    down = max(surface[max(y - 1, 0), x], surface[min(y + 1, rows - 1), x], here) - here
    right = max(surface[y, max(x - 1, 0)], surface[y, min(x + 1, columns - 1)], here) - here
    return np.sqrt(down * down + right * right)


@fast
def _power(
    dose: Reals, middle: Reals, smooth: Reals, places_per_slope: Any, yields: Reals
) -> Reals:
    """Dose of a slice times the yield of the averaged slope, but of none that is not there."""
    result = np.empty_like(dose)
    for y in range(dose.shape[0]):
        for x in range(dose.shape[1]):
            slope = min(_slope(smooth, y, x), _slope(middle, y, x))
            place = slope * places_per_slope
            first = min(int(place), yields.size - 2)
            share = min(place - first, np.float32(1))
            result[y, x] = dose[y, x] * (
                yields[first] + share * (yields[first + 1] - yields[first])
            )
    return result


@fast
def _leaving(
    power: Reals, middle: Reals, spent: Reals, loose: Reals, safe: Reals, coarse: int,
    starts: Reals, depths: Reals, rates: Reals,
) -> tuple[Reals, Reals]:  # fmt: skip
    """Height of coarse cells, and the volume a slice sputters if nothing falls back within it."""
    rows, columns = power.shape
    height = np.zeros((-(-rows // coarse), -(-columns // coarse)), np.float32)
    leaving = np.zeros_like(height)
    for y in range(rows):
        for x in range(columns):
            again = min(loose[y, x], power[y, x] * rates[0])
            was, now = spent[y, x], spent[y, x] + power[y, x] - again / rates[0]
            native = _depth(now, starts, depths, rates) - _depth(was, starts, depths, rates)
            leaving[y // coarse, x // coarse] += again + native
            height[y // coarse, x // coarse] += safe[y, x] - middle[y, x]
    for y in range(height.shape[0]):
        for x in range(height.shape[1]):
            # at the border a coarse cell may hold fewer
            cells = min(coarse, rows - y * coarse) * min(coarse, columns - x * coarse)
            height[y, x] /= cells
            leaving[y, x] /= cells
    return height, leaving


@fast
def _mill(
    power: Reals, fallen: Reals, behind: Reals, behind_share: Any, over: bool, spent: Reals,
    depth: Reals, loose: Reals, safe: Reals, sputtered: Reals, stuck: Reals, middle: Reals,
    starts: Reals, depths: Reals, rates: Reals,
) -> None:  # fmt: skip
    """Take a slice off: first what fell, then what was there before."""
    for y in range(power.shape[0]):
        for x in range(power.shape[1]):
            kept = behind_share * behind[y, x]
            here = loose[y, x] + fallen[y, x] - kept
            again = min(here, power[y, x] * rates[0])
            change = loose[y, x] - depth[y, x]
            spent[y, x] += power[y, x] - again / rates[0]
            new = _depth(spent[y, x], starts, depths, rates)
            sputtered[y, x] += again + new - depth[y, x]
            stuck[y, x] += fallen[y, x]
            depth[y, x] = new
            loose[y, x], safe[y, x] = here - again, safe[y, x] + kept
            change += new - loose[y, x]
            if over:
                loose[y, x], safe[y, x] = loose[y, x] + safe[y, x], 0
            middle[y, x] = new - loose[y, x] + np.float32(0.5) * change
