"""Which module holds which bit of which block."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes import reed_solomon
from napari_nanoqr.symbols.layout import Layout, Modules
from napari_nanoqr.symbols.tables import BlockStructure


@lru_cache(maxsize=256)
def bit_order(structure: BlockStructure) -> NDArray[np.int_]:
    """Return where each placed bit stands among those of the blocks one after the other.

    Parameters
    ----------
    structure : BlockStructure
        How the codewords are divided into blocks.

    Returns
    -------
    (n,) int array
        ``placed = bits[order]``, where ``bits`` are those of the data codewords of all blocks
        first and of all parity codewords after them, and codewords are taken from the blocks
        in turn (ISO/IEC 18004:2015, 7.6). The zeros after a short codeword are not placed.
    """
    starts = np.concatenate(([0], np.cumsum(structure.data)[:-1]))
    data = [
        start + i
        for i in range(max(structure.data))
        for start, length in zip(starts, structure.data, strict=True)
        if i < length
    ]
    blocks = np.arange(len(structure.data))
    parity = structure.data_codewords + np.add.outer(
        np.arange(structure.parity), blocks * structure.parity
    )
    order = np.add.outer(8 * np.concatenate((np.array(data), parity.ravel())), np.arange(8)).ravel()
    placed: NDArray[np.int_] = order[
        (order < structure.data_bits) | (order >= 8 * structure.data_codewords)
    ]
    placed.setflags(write=False)
    return placed


def block_positions(structure: BlockStructure) -> list[NDArray[np.int_]]:
    """Return where the codewords of each block stand, data of all blocks before all parity."""
    starts = np.cumsum((0, *structure.data))
    total, parity = starts[-1], structure.parity
    return [
        np.concatenate(
            (
                np.arange(start, start + length),
                total + np.arange(i * parity, (i + 1) * parity),
            )
        )
        for i, (start, length) in enumerate(zip(starts[:-1], structure.data, strict=True))
    ]


def with_parity(data: NDArray[np.uint8], structure: BlockStructure) -> NDArray[np.uint8]:
    """Return the data codewords of all blocks with their parity codewords after them."""
    blocks = np.split(data, np.cumsum(structure.data)[:-1])
    parity = np.zeros((len(blocks), structure.parity), dtype=np.uint8)
    lengths = np.array(structure.data)
    for length in sorted(set(structure.data)):
        rows = np.flatnonzero(lengths == length)
        parity[rows] = reed_solomon.encode(
            np.stack([blocks[row] for row in rows]), structure.parity
        )
    return np.concatenate((data, parity.ravel()))


def place_codewords(codewords: NDArray[np.uint8], layout: Layout, error: str) -> Modules:
    """Put codewords into a symbol, without mask and format information.

    Parameters
    ----------
    codewords : (n,) uint8 array
        Data codewords of all blocks one after the other, then all parity codewords.
    layout : Layout
        Kind of symbol.
    error : str
        Error-correction level.

    Returns
    -------
    (rows, columns) bool array
        The modules; remainder bits are light.
    """
    order = bit_order(layout.blocks[error])
    rows, columns = layout.codeword_places
    modules = layout.dark.copy()
    modules[rows[: order.size], columns[: order.size]] = np.unpackbits(codewords)[order] == 1
    return modules
