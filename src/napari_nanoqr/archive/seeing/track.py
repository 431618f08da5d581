"""Follow the modules of one tile: their own values tell by how much they were missed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.layout import SIDE
from napari_nanoqr.archive.seeing.equalise import filtered, self_taught
from napari_nanoqr.archive.seeing.find import Place
from napari_nanoqr.archive.seeing.kernels import fast
from napari_nanoqr.archive.seeing.levelled import levelled
from napari_nanoqr.archive.seeing.mend import reined, straightened, tile_nodes
from napari_nanoqr.archive.seeing.mesh import STEP, Mesh, bilinear
from napari_nanoqr.archive.seeing.sample import sampled
from napari_nanoqr.archive.seeing.unwrap import smoothed

BLOCK = 32
"""Modules on a side of the blocks that have one displacement each."""

CLOSE = 0.15
"""Modules: a tile is followed once no part of it moves by more."""

ASTRAY = 0.05
"""Modules: so far a block may lie off before it is sampled again. It adds of each neighbour's
light 3 %, which is 30 dB below the light of the module."""

ROUNDS = 4
"""Times that a tile is sampled at most."""

_GAUSSIAN = 0.8
"""Mean size over root mean square where noise hides both levels; two clean ones have 1."""


@dataclass(frozen=True)
class Followed:
    """A tile that was followed.

    Attributes
    ----------
    mesh : Mesh
        Where its modules are.
    levels : (512, 512) float32 array
        What is seen there, as of :func:`~napari_nanoqr.archive.seeing.levelled.levelled`.
    clear : (512, 512) float32 array
        The same equalised.
    """

    mesh: Mesh
    levels: NDArray[np.float32]
    clear: NDArray[np.float32]


def seen_at(modules: NDArray[np.float64], turned: int) -> NDArray[np.float64]:
    """Return where modules of a tile are in a matrix that shows it turned.

    Parameters
    ----------
    modules : (..., 2) float64 array
        Rows and columns of the tile.
    turned : int
        As in :func:`~napari_nanoqr.archive.seeing.find.turn`.

    Returns
    -------
    (..., 2) float64 array
        Rows and columns of the matrix, from the first module of the turned tile.
    """
    row, column = modules[..., 0], modules[..., 1]
    if turned >= 4:
        row, column = column, row
    for _ in range(turned % 4):
        row, column = SIDE - 1 - column, row
    return np.stack((row, column), -1)


def tile_mesh(mesh: Mesh, place: Place) -> Mesh:
    """Return the part of a mesh that shows a tile, in the tile's own rows and columns.

    Parameters
    ----------
    mesh : Mesh
        Of the matrix that the tile was found in.
    place : Place
        Where it was.

    Returns
    -------
    Mesh
        17 x 17 nodes.
    """
    seen = seen_at(tile_nodes() * STEP, place.turned) + np.array((place.row, place.column))
    return Mesh(mesh.at(seen), (0, 0))


def followed(
    smooth: NDArray[np.uint16], mesh: Mesh, values: NDArray[np.float32], taps: NDArray[np.float32]
) -> Followed:
    """Move the mesh of a tile to where its modules are.

    Parameters
    ----------
    smooth : (y, x) uint16 array
        As :func:`~napari_nanoqr.archive.seeing.smooth.smooth_pixels` returns.
    mesh : Mesh
        17 x 17 nodes; right to about half a module in most of the tile, and to three in the rest.
    values : (512, 512) float32 array
        What is sampled with this mesh; they are changed.
    taps : (5, 5) float32 array
        An equaliser learnt from the same image.

    Returns
    -------
    Followed
        The mesh, right to some hundredths of a module, and what is seen with it.
    """
    levels = levelled(values)
    clear = filtered(levels, taps)
    for left in range(ROUNDS - 1, -1, -1):
        anew = straightened(mesh, clear) if left else None
        if anew is None:
            moved, most, weight = displacements(levels, clear)
            better, wild = reined(_moved(mesh, moved), weight)
            astray = _astray(mesh, better)
            mesh, done = better, not wild and most < CLOSE
            if not astray.any():
                break
        else:
            mesh, done = anew, False
            astray = np.ones((SIDE // STEP, SIDE // STEP), np.bool_)
        levels = levelled(sampled(smooth, mesh, values, astray))
        taps = taps if done else self_taught(levels, taps)
        clear = filtered(levels, taps)
        if done:
            break
    return Followed(mesh, levels, clear)


def displacements(
    levels: NDArray[np.float32], clear: NDArray[np.float32]
) -> tuple[NDArray[np.float32], float, NDArray[np.float32]]:
    """Tell from a tile's values by how much its modules were missed.

    A value that was taken too far to the right has more of its right neighbour than the left
    neighbour has of it: the difference of both correlations with the decided levels, over the
    slope of the pulse, is how far.

    Parameters
    ----------
    levels : (512, 512) float32 array
        As of :func:`~napari_nanoqr.archive.seeing.levelled.levelled`.
    clear : (512, 512) float32 array
        The same equalised: its signs are what is decided.

    Returns
    -------
    displacement : (16, 16, 2) float32 array
        Modules (row, column) by which each block has to move.
    most : float
        The largest displacement of a block with contrast.
    weight : (16, 16) float32 array
        How well each block's levels are told apart, 0 to 1.

    References
    ----------
    K. H. Mueller, M. Müller, Timing recovery in digital synchronous data receivers, IEEE Trans.
    Commun. 24 (1976) 516.
    """
    sums = np.zeros((SIDE // BLOCK, SIDE // BLOCK, 8), np.float32)
    _correlate(levels, clear, sums)
    size, count = sums[..., 0], np.maximum(sums[..., 7], 1)
    total = max(float(size.sum()), 1e-9)
    # a pulse like a Gaussian: its slope at a module's distance follows from its height there
    near = min(max(float(sums[..., 1:5].sum()) / (4 * total), 0.03), 0.5)
    slope = -4 * near * np.log(near)
    found = (sums[..., 1:5:2] - sums[..., 2:5:2]) / np.maximum(size, 1e-9)[..., None] / slope
    np.clip(found, -0.6, 0.6, out=found)
    open_eye = sums[..., 5] / np.sqrt(np.maximum(sums[..., 6] * count, 1e-9)) - _GAUSSIAN
    weight = np.clip(open_eye / 0.08, 0.005, 1.0) * (count / BLOCK**2)
    even = smoothed(found, weight.astype(np.float32), 2, (0.5, 0.25))
    sure = weight > 0.1
    most = float(np.abs(even[sure]).max()) if sure.any() else 0.0
    return even, most, weight.astype(np.float32)


def _moved(mesh: Mesh, displacement: NDArray[np.floating]) -> Mesh:
    """Return a mesh whose modules are those that were so many modules further on."""
    nodes = tile_nodes()
    by = bilinear(displacement, nodes * (STEP / BLOCK) - 0.5)
    return Mesh(mesh.at(nodes * STEP + by), mesh.first)


def _astray(mesh: Mesh, better: Mesh) -> NDArray[np.bool_]:
    """Return which blocks between nodes lie too far from where they should be."""
    steps = np.stack([np.gradient(better.nodes, axis=axis) / STEP for axis in range(2)], -1)
    off = np.linalg.solve(steps, (better.nodes - mesh.nodes)[..., None])[..., 0]
    far = np.hypot(off[..., 0], off[..., 1]) > ASTRAY
    found: NDArray[np.bool_] = far[1:, 1:] | far[1:, :-1] | far[:-1, 1:] | far[:-1, :-1]
    return found


@fast
def _correlate(
    levels: NDArray[np.float32],
    clear: NDArray[np.float32],
    sums: NDArray[np.float32],
) -> None:
    """Sum up products of decisions with values there, below, above, right and left of them.

    After these sizes and squares of what decided, and how many modules are seen.
    """
    side = levels.shape[0]
    one = np.float32(1)
    for i in range(side):
        here, sure = levels[i], clear[i]
        below, lower = levels[min(i + 1, side - 1)], clear[min(i + 1, side - 1)]
        joined = np.float32(i + 1 < side)
        for b in range(side // 32):
            size = square = down = up = right = left = count = own = np.float32(0)
            for j in range(32 * b, min(32 * b + 32, side - 1)):
                value, low, far = here[j], below[j], here[j + 1]
                sign = np.copysign(one, sure[j])
                own += sign * value
                down += sign * low
                up += np.copysign(one, lower[j]) * value
                right += sign * far
                left += np.copysign(one, sure[j + 1]) * value
                size += abs(sure[j])
                square += sure[j] * sure[j]
                count += np.float32(value != 0)
            a = i // 32
            sums[a, b, 0] += own
            sums[a, b, 1] += joined * down
            sums[a, b, 2] += joined * up
            sums[a, b, 3] += right
            sums[a, b, 4] += left
            sums[a, b, 5] += size
            sums[a, b, 6] += square
            sums[a, b, 7] += count
