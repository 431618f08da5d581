"""Where sputtered atoms land: what each point of a surface sees of the slopes around it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.compiled import compiled

_TURNS = ((0, 1), (1, 0), (0, -1), (-1, 0))
DIRECTIONS = tuple(
    (dy * a + dx * b, dx * a - dy * b)
    for a, b in ((1, 0), (2, 1), (1, 1), (1, 2))
    for dy, dx in _TURNS
)
"""Sixteen, as (rows, columns), all of which go through centres of cells."""

REACH_PER_DEPTH = 5.0
"""A wall farther off than this many times its height hides less than 1/26 of a point's sky."""

MOST_REACH = 64
"""In cells."""

DENSE_STEPS = 8
"""Up to twice as far every cell on the way is looked at, then ever fewer."""

Reals = NDArray[np.float32]

fast = partial(compiled, fastmath=True)


def landing(
    height_nm: Reals, sputtered_nm: Reals, order: Reals, cell_nm: float
) -> tuple[Reals, Reals]:
    """Return what lands in each cell of that which is sputtered in the others.

    Parameters
    ----------
    height_nm : (rows, columns) float32 array
        Surface, upwards.
    sputtered_nm : (rows, columns) float32 array
        Volume that leaves each cell over the cell's area.
    order : (rows, columns) float32 array
        When the beam comes to a cell, in any unit.
    cell_nm : float
        Side of the cells.

    Returns
    -------
    fallen_nm, behind_nm : (rows, columns) float32 arrays
        What lands, over the cell's area, and that part of it on which the beam does not come
        any more in the same pass; where two cells are visited at the same time, half.

    Notes
    -----
    Atoms leave by the cosine law about the local normal. In each of sixteen directions the
    horizon is followed outward; a cell that raises it from one elevation to another receives
    what is emitted between the two. So nothing passes through a ridge, and no more lands than
    leaves. What no cell within reach stops has escaped. From the floor of a straight trench as
    deep as wide, 0.45 escape in place of 0.41.
    """
    height_nm, sputtered_nm, order = (
        np.ascontiguousarray(part, dtype=np.float32) for part in (height_nm, sputtered_nm, order)
    )
    fallen, behind = np.zeros_like(height_nm), np.zeros_like(height_nm)
    depth = float(height_nm.max() - height_nm.min())
    reach = min(int(np.ceil(REACH_PER_DEPTH * depth / cell_nm)), MOST_REACH)
    steps = [1]
    while steps[-1] < reach:
        steps.append(steps[-1] + max(1, steps[-1] // DENSE_STEPS))
    cells = np.array(steps)
    down, right = map(np.asarray, np.gradient(height_nm, np.float32(cell_nm)))
    for (dy, dx), sector in zip(DIRECTIONS, _sectors(), strict=True):
        length = np.hypot(dy, dx)
        used = cells[cells * length <= max(reach, length)]
        _follow(
            height_nm, sputtered_nm * np.float32(sector / np.pi), down, right, order, dy, dx,
            used, (1 / (cell_nm * length * used)).astype(np.float32), height_nm.max(),
            fallen, behind,
        )  # fmt: skip
    return fallen, behind


def _sectors() -> NDArray[np.float64]:
    """Return the angle for which each direction stands, in radians."""
    angles = np.arctan2(*np.array(DIRECTIONS, dtype=float).T)
    order = np.argsort(angles)
    gaps = np.diff(angles[order], append=angles[order[0]] + 2 * np.pi)
    sectors = np.empty(len(order))
    sectors[order] = (gaps + np.roll(gaps, 1)) / 2
    return sectors


@fast
def _share(tangent: Any, upright: Any, level: Any) -> Any:
    """Integrate the emission, in an upright half-plane, up to an elevation.

    That is of ``(upright sin + level cos) cos`` over the elevation. Its second part is
    ``level / 2 (b + sin b cos b)``, here a polynomial of the sine, fitted to 0.002.
    """
    sine = tangent / np.sqrt(np.float32(1) + tangent * tangent)
    square = sine * sine
    rest = np.float32(0.15198553) - square * np.float32(0.12861042)
    rest = np.float32(-0.32242631) + square * (np.float32(-0.12826258) + square * rest)
    arc = sine * (np.float32(2) + square * rest)
    return np.float32(0.5) * (upright * square + level * arc)


@fast
def _follow(
    height: Reals, sent: Reals, down: Reals, right: Reals, order: Reals, dy: int, dx: int,
    steps: NDArray[np.int64], per_cell: Reals, crest: Any, fallen: Reals, behind: Reals,
) -> None:  # fmt: skip
    """Follow the horizon of every cell in one direction, and add up what it catches."""
    rows, columns = height.shape
    heights, orders = height.ravel(), order.ravel()
    all_fallen, all_behind = fallen.ravel(), behind.ravel()
    per_length = np.float32(1 / np.sqrt(dy * dy + dx * dx))
    lowest = np.float32(1 / REACH_PER_DEPTH)
    for y in range(rows):
        room_y = rows if dy == 0 else (rows - 1 - y) // dy if dy > 0 else y // -dy
        for x in range(columns):
            atoms = sent[y, x]
            if atoms <= 0:
                continue
            room_x = columns if dx == 0 else (columns - 1 - x) // dx if dx > 0 else x // -dx
            room = min(room_y, room_x)
            here, start = height[y, x], y * columns + x
            # the sky begins where the surface itself ends
            horizon = (dy * down[y, x] + dx * right[y, x]) * per_length
            upright = level = caught = np.float32(0)
            there = start
            for n in range(steps.size):
                highest = (crest - here) * per_cell[n]
                if steps[n] > room or highest <= horizon:
                    break
                if highest <= lowest and horizon >= -lowest:
                    break
                before, there = there, start + steps[n] * (dy * columns + dx)
                rise = (heights[there] - here) * per_cell[n]
                if rise > horizon:
                    if upright == 0:
                        upright = 1 / np.sqrt(1 + down[y, x] ** 2 + right[y, x] ** 2)
                        level = -horizon * upright
                        caught = _share(horizon, upright, level)
                    share = max(_share(rise, upright, level), caught)
                    landed = atoms * (share - caught)
                    # at the foot of the step, so that a wall grows inward and not upward
                    all_fallen[before] += landed
                    if orders[before] < orders[start]:
                        all_behind[before] += landed
                    elif orders[before] == orders[start]:
                        all_behind[before] += np.float32(0.5) * landed
                    horizon, caught = rise, share
