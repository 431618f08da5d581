"""Where modules lie in an image: nodes some modules apart, straight lines between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.seeing.lattice import Lattice

STEP = 32
"""Modules from node to node."""


@dataclass(frozen=True)
class Mesh:
    """Where the modules of a matrix lie.

    Attributes
    ----------
    nodes : (rows, columns, 2) float64 array
        Pixels (y, x) of the middles of modules 0, 32, 64 ... of each axis.
    first : (int, int)
        Number on the lattice of the row and column of the first node.
    """

    nodes: NDArray[np.float64]
    first: tuple[int, int]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of modules from the first node to before the last."""
        return (self.nodes.shape[0] - 1) * STEP, (self.nodes.shape[1] - 1) * STEP

    def at(self, modules: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return pixels (y, x) of places on the lattice.

        Parameters
        ----------
        modules : (..., 2) float64 array
            Rows and columns of the matrix; fractions lie between modules' middles, and outside
            the outermost cells go on.

        Returns
        -------
        (..., 2) float64 array
            Pixels.
        """
        return bilinear(self.nodes, modules / STEP)


def bilinear(values: NDArray[np.floating], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values between those at whole places; outside, the outermost cells go on.

    Parameters
    ----------
    values : (rows, columns, n) array
        At least 2 x 2.
    places : (..., 2) float64 array
        Rows and columns.

    Returns
    -------
    (..., n) float64 array
        Values.
    """
    cell = np.floor(places).astype(np.intp)
    np.clip(cell[..., 0], 0, values.shape[0] - 2, out=cell[..., 0])
    np.clip(cell[..., 1], 0, values.shape[1] - 2, out=cell[..., 1])
    y, x = cell[..., 0], cell[..., 1]
    b = (places[..., 0] - y)[..., None]
    a = (places[..., 1] - x)[..., None]
    upper = values[y, x] * (1 - a) + values[y, x + 1] * a
    lower = values[y + 1, x] * (1 - a) + values[y + 1, x + 1] * a
    found: NDArray[np.float64] = upper * (1 - b) + lower * b
    return found


def mesh_of(
    lattice: Lattice,
    turns: NDArray[np.float32],
    block: tuple[int, int],
    shape: tuple[int, int],
) -> Mesh:
    """Return where the lattice's modules lie all over an image.

    Parameters
    ----------
    lattice : Lattice
        Modules a pixel.
    turns : (rows, columns, 2) float32 array
        Modules by which rows and columns are displaced in the middle of each block.
    block : tuple of int
        Pixels (y, x) of a block.
    shape : tuple of int
        Pixels (y, x) of the image.

    Returns
    -------
    Mesh
        From before the first to behind the last module in the image.
    """
    if min(turns.shape[:2]) < 2:
        turns = np.repeat(np.repeat(turns, 2, 0), 2, 1)
        block = (10 * block[0], 10 * block[1])
    sizes = np.array(block, float)
    height, width = shape
    edge = np.array([(y, x) for y in (0, height / 2, height) for x in (0, width / 2, width)])

    def displaced(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        # half a block beyond the outermost middles is all that phases tell
        places = (pixels + 0.5) / sizes - 0.5
        places[..., 0] = places[..., 0].clip(-0.6, turns.shape[0] - 0.4)
        places[..., 1] = places[..., 1].clip(-0.6, turns.shape[1] - 0.4)
        return bilinear(turns, places)

    modules = edge @ lattice.cycles.T + displaced(edge)
    first = np.floor(modules.min(axis=0)).astype(int) - 3
    counts = np.ceil((modules.max(axis=0) - first + 3) / STEP).astype(int) + 1
    numbers = np.stack(
        np.meshgrid(*(first[k] + STEP * np.arange(counts[k]) for k in range(2)), indexing="ij"), -1
    ).astype(float)
    steps = lattice.steps.T
    pixels = numbers @ steps
    for _ in range(4):
        pixels = (numbers - displaced(pixels)) @ steps
    return Mesh(pixels, (int(first[0]), int(first[1])))
