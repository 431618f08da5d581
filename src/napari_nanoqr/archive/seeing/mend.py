"""Draw the mesh of a tile anew where parts of it slipped or went astray."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.layout import SIDE, marks
from napari_nanoqr.archive.seeing.mesh import STEP, Mesh
from napari_nanoqr.codes.compiled import compiled

_SLIP = 3
"""Modules in each direction that marks are sought away from their places."""

_SURE = 0.6
"""A mark is where it fits so well, of 1 for a perfect one; chance does it once in 10^6 places."""

_WILD = 0.6
"""Modules by which hardly a part of a tile lies off a surface of third order through all of it."""

_CLEAR = 0.4
"""Levels are told apart in a block if its weight is so many times that of the tile's median."""


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
    every = _parabolas(tile_nodes().reshape(-1, 2) * STEP)[:, : design.shape[1]]
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
    places = tile_nodes().reshape(-1, 2) * STEP
    y, x = (places / SIDE - 0.5).T
    cubic = np.stack((y**3, y * y * x, y * x * x, x**3), axis=1)
    terms = np.concatenate((_parabolas(places), cubic), axis=1)
    pixels = mesh.nodes.reshape(-1, 2)
    around = np.pad(weight, 1, mode="edge")
    clear = (around[:-1, :-1] + around[1:, :-1] + around[:-1, 1:] + around[1:, 1:]).ravel() / 4
    told = clear > _CLEAR * float(np.median(clear))
    if told.all():
        return mesh, False
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


def tile_nodes() -> NDArray[np.float64]:
    """Return the numbers of a tile's nodes.

    Returns
    -------
    (17, 17, 2) float64 array
        Rows and columns, 0 to 16.
    """
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
