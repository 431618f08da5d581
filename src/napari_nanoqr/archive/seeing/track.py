"""Follow the modules of one tile: their own values tell by how much they were missed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.layout import SIDE, marks
from napari_nanoqr.archive.seeing.equalise import filtered, learnt
from napari_nanoqr.archive.seeing.find import Place
from napari_nanoqr.archive.seeing.kernels import fast
from napari_nanoqr.archive.seeing.levelled import levelled
from napari_nanoqr.archive.seeing.mesh import STEP, Mesh, bilinear
from napari_nanoqr.archive.seeing.sample import sampled
from napari_nanoqr.archive.seeing.unwrap import smoothed
from napari_nanoqr.codes.compiled import compiled

BLOCK = 32
"""Modules on a side of the blocks that have one displacement each."""

CLOSE = 0.08
"""Modules: a tile is followed once no part of it moves by more."""

ROUNDS = 4
"""Times that a tile is sampled at most."""

_GAUSSIAN = 0.8
"""Mean size over root mean square where noise hides both levels; two clean ones have 1."""

_SLIP = 3
"""Modules in each direction that marks are sought away from their places."""


@dataclass(frozen=True)
class Followed:
    """A tile that was followed.

    Attributes
    ----------
    mesh : Mesh
        Where its modules are.
    levels : (512, 512) float32 array
        What is seen there, as of :func:`~napari_nanoqr.archive.seeing.levelled.levelled`.
    taps : (5, 5) float32 array
        The equaliser that decided.
    """

    mesh: Mesh
    levels: NDArray[np.float32]
    taps: NDArray[np.float32]


_SURE = 0.6
"""A mark is where it fits so well, of 1 for a perfect one; chance does it once in 10^6 places."""

_WILD = 0.6
"""Modules by which hardly a part of a tile lies off a surface of third order through all of it."""

_CLEAR = 0.4
"""Levels are told apart in a block if its weight is so many times that of the tile's median."""


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
    seen = seen_at(_nodes() * STEP, place.turned) + np.array((place.row, place.column))
    return Mesh(mesh.at(seen), (0, 0))


def followed(
    smooth: NDArray[np.uint16],
    mesh: Mesh,
    levels: NDArray[np.float32] | None = None,
    taps: NDArray[np.float32] | None = None,
) -> Followed:
    """Move the mesh of a tile to where its modules are.

    Parameters
    ----------
    smooth : (y, x) uint16 array
        As :func:`~napari_nanoqr.archive.seeing.sample.smooth_pixels` returns.
    mesh : Mesh
        17 x 17 nodes; right to about half a module in most of the tile, and to three in the rest.
    levels : (512, 512) float32 array or None
        What is seen with this mesh, if known.
    taps : (5, 5) float32 array or None
        An equaliser learnt from another tile of the image.

    Returns
    -------
    Followed
        The mesh, right to some hundredths of a module, and what is seen with it.
    """
    if levels is None:
        levels = levelled(sampled(smooth, mesh))
    for left in range(ROUNDS - 1, -1, -1):
        taps = equaliser(levels, taps)
        clear = filtered(levels, taps)
        anew = straightened(mesh, clear) if left else None
        if anew is None:
            moved, most, weight = displacements(levels, clear)
            mesh, wild = reined(_moved(mesh, moved), weight)
            most = np.inf if wild else most
        else:
            mesh, most = anew, np.inf
        levels = levelled(sampled(smooth, mesh))
        if most < CLOSE:
            break
    assert taps is not None
    return Followed(mesh, levels, taps)


def equaliser(
    levels: NDArray[np.float32], taps: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Learn an equaliser from values alone: by what they are decided to be.

    Parameters
    ----------
    levels : (512, 512) float32 array
        As of :func:`~napari_nanoqr.archive.seeing.levelled.levelled`.
    taps : (5, 5) float32 array or None
        A first equaliser that decides, from a similar tile.

    Returns
    -------
    (5, 5) float32 array
        Taps.
    """
    if taps is not None:
        return learnt(levels, np.sign(filtered(levels, taps)), 8)
    taps = learnt(levels, np.sign(levels), 8)
    for _ in range(2):
        taps = learnt(levels, np.sign(filtered(levels, taps)), 8)
    return taps


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
    nodes = _nodes()
    by = bilinear(displacement, nodes * (STEP / BLOCK) - 0.5)
    return Mesh(mesh.at(nodes * STEP + by), mesh.first)


def straightened(mesh: Mesh, clear: NDArray[np.float32]) -> Mesh | None:
    """Return a mesh through the marks of a tile where parts of it slipped by whole modules.

    Every mark is sought around its place. Between parts that slipped differently nothing is where
    the mesh has it, so that all is drawn anew: bent by no more than a parabola in each direction.

    Parameters
    ----------
    mesh : Mesh
        Of the tile.
    clear : (512, 512) float32 array
        What is seen with it, equalised.

    Returns
    -------
    Mesh or None
        None where nothing slipped, or too few marks are seen to tell.
    """
    in_place = [_match(clear, m.row, m.column, m.bits, 0, 0) for m in marks()]
    sign = np.sign(sum(in_place))
    found: dict[tuple[float, float], tuple[int, int]] = {}
    for mark, score in zip(marks(), in_place, strict=True):
        if score * sign > _SURE:
            found[mark.centre] = 0, 0
            continue
        scores = np.zeros((2 * _SLIP + 1, 2 * _SLIP + 1), np.float32)
        _seek(clear, mark.row, mark.column, mark.bits, _SLIP, scores)
        scores *= sign
        best = np.unravel_index(int(scores.argmax()), scores.shape)
        if scores[best] > _SURE and scores[best] > scores[_SLIP, _SLIP] + 0.3:
            found[mark.centre] = int(best[0]) - _SLIP, int(best[1]) - _SLIP
        elif scores[_SLIP, _SLIP] > 0.4:
            found[mark.centre] = 0, 0

    if len(found) < 6 or all(slip == (0, 0) for slip in found.values()):
        return None
    centres = np.array(list(found)) - 0.5
    pixels = mesh.at(centres + np.array(list(found.values())))
    design = _parabolas(centres) if len(found) >= 12 else _parabolas(centres)[:, :3]
    sure = np.ones(len(found), bool)
    for _ in range(3):
        shape = np.linalg.lstsq(design[sure], pixels[sure], rcond=None)[0]
        off = np.linalg.norm(design @ shape - pixels, axis=1)
        sure = off < max(3 * float(np.median(off)), 1e-3)
    every = _parabolas(_nodes().reshape(-1, 2) * STEP)[:, : design.shape[1]]
    return Mesh((every @ shape).reshape(mesh.nodes.shape), mesh.first)


def reined(mesh: Mesh, weight: NDArray[np.float32]) -> tuple[Mesh, bool]:
    """Bring back those nodes of a tile that lie where no bend of the image could have them.

    Parameters
    ----------
    mesh : Mesh
        17 x 17 nodes, most of them right.
    weight : (16, 16) float32 array
        How well levels are told apart in the block between them: a node is only brought back
        where they are not.

    Returns
    -------
    mesh : Mesh
        The same where none is wild.
    wild : bool
        Some were.
    """
    places = _nodes().reshape(-1, 2) * STEP
    y, x = (places / SIDE - 0.5).T
    cubic = np.stack((y**3, y * y * x, y * x * x, x**3), axis=1)
    terms = np.concatenate((_parabolas(places), cubic), axis=1)
    pixels = mesh.nodes.reshape(-1, 2)
    around = np.pad(weight, 1, mode="edge")
    clear = (around[:-1, :-1] + around[1:, :-1] + around[:-1, 1:] + around[1:, 1:]).ravel() / 4
    told = clear > _CLEAR * float(np.median(clear))
    sure = told
    for _ in range(4):
        if np.count_nonzero(sure) < 60:
            return mesh, False
        shape = np.linalg.lstsq(terms[sure], pixels[sure], rcond=None)[0]
        off = pixels - terms @ shape
        # in modules: the linear terms are pixels a tile
        size = np.linalg.norm(np.linalg.solve((shape[1:3] / SIDE).T, off.T), axis=0)
        sure = told & (size < max(3 * float(np.median(size[told])), 0.05))
    wild = (size > max(_WILD, 4 * float(np.median(size[told])))) & ~told
    if not wild.any():
        return mesh, False
    nodes = np.where(wild[:, None], terms @ shape, pixels)
    return Mesh(nodes.reshape(mesh.nodes.shape), mesh.first), True


def _parabolas(modules: NDArray[np.float64]) -> NDArray[np.float64]:
    y, x = (modules / SIDE - 0.5).T
    return np.stack((np.ones_like(y), y, x, y * y, y * x, x * x), axis=1)


def _nodes() -> NDArray[np.float64]:
    """Numbers (row, column) of the nodes of a tile."""
    ends = np.arange(SIDE // STEP + 1)
    return np.stack(np.meshgrid(ends, ends, indexing="ij"), -1).astype(float)


@compiled
def _match(
    levels: NDArray[np.float32],
    row: int,
    column: int,
    bits: NDArray[np.uint8],
    down: int,
    right: int,
) -> np.float32:
    """Return how much a mark is there, 1 if wholly: its milled modules count as negative."""
    side = len(bits)
    total = size = np.float32(0)
    for i in range(side):
        for j in range(side):
            y, x = row + i + down, column + j + right
            if 0 <= y < levels.shape[0] and 0 <= x < levels.shape[1]:
                value = levels[y, x]
                total += -value if bits[i, j] else value
                size += abs(value)
    return total / max(size, np.float32(1e-9))


@compiled
def _seek(
    levels: NDArray[np.float32],
    row: int,
    column: int,
    bits: NDArray[np.uint8],
    reach: int,
    scores: NDArray[np.float32],
) -> None:
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            scores[down + reach, right + reach] = _match(levels, row, column, bits, down, right)


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
