"""Find tiles among the values of modules by their node marks, where no corner is seen."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.layout import CORNER, NODE, SIDE, marks
from napari_nanoqr.archive.seeing.find import Place, merged, ones, turn
from napari_nanoqr.codes.compiled import compiled

NODES = len(marks()) - 4
"""Node marks of a tile."""

NODE_WRONG = 10
"""Wrong modules of 64 up to which a node mark may be one; random modules do it 2e-8 times."""


def find_by_nodes(levels: NDArray[np.float32]) -> list[Place]:
    """Find tiles by their node marks, where no corner mark is seen.

    Parameters
    ----------
    levels : (rows, columns) float32 array
        Negative where a module is dark, 0 where it is not seen.

    Returns
    -------
    list of Place
        Tiles of which three marks and more agree.
    """
    if min(levels.shape) < CORNER:
        return []
    words = np.zeros((levels.shape[0] - NODE + 1, levels.shape[1] - NODE + 1), np.uint64)
    _pack_nodes(levels, words)
    patterns, offsets = _node_patterns()
    votes: dict[tuple[int, int, int, bool], int] = {}
    for row, column, which, wrong in _search_nodes(words, patterns, NODE_WRONG).tolist():
        down, right = offsets[which]
        key = (which // NODES, row - down, column - right, wrong <= 32)
        votes[key] = votes.get(key, 0) + 1
    # a mark may lie a module off where the lattice is bent
    strong: dict[tuple[int, int, int, bool], list[int]] = {}
    for (turned, row, column, dark), count in votes.items():
        near = sum(
            votes.get((turned, row + b, column + a, dark), 0)
            for b in (-1, 0, 1)
            for a in (-1, 0, 1)
        )
        if near >= 3:
            strong[turned, row, column, dark] = [80 - near - count] + [-1] * 3
    return [
        Place(place.turned, place.row, place.column, place.dark, (-1, -1, -1, -1))
        for place in merged(strong)
    ]


@cache
def _node_patterns() -> tuple[NDArray[np.uint64], list[tuple[int, int]]]:
    """Return the node marks as they may be seen, and where they then are in a tile."""
    patterns, offsets = [], []
    for turned in range(8):
        for mark in marks()[4:]:
            seen = np.ascontiguousarray(turn(mark.bits, turned))
            place = np.zeros((SIDE, SIDE), bool)
            place[mark.row : mark.row + NODE, mark.column : mark.column + NODE] = True
            down, right = np.argwhere(turn(place, turned))[0]
            patterns.append(np.packbits(seen).view(">u8")[0])
            offsets.append((int(down), int(right)))
    return np.array(patterns, np.uint64), offsets


@compiled
def _pack_nodes(
    levels: NDArray[np.float32],
    words: NDArray[np.uint64],
) -> None:
    columns = levels.shape[1]
    recent = np.zeros(columns, np.uint64)
    for i in range(levels.shape[0]):
        row = np.uint64(0)
        for j in range(columns):
            row = ((row << np.uint64(1)) | np.uint64(levels[i, j] < 0)) & np.uint64(0xFF)
            # of eight rows the oldest falls out at the top
            recent[j] = (recent[j] << np.uint64(8)) | row
            if i >= 7 and j >= 7:
                words[i - 7, j - 7] = recent[j]


@compiled
def _search_nodes(
    words: NDArray[np.uint64],
    patterns: NDArray[np.uint64],
    most: int,
) -> NDArray[np.int64]:
    found = []
    rows, columns = words.shape
    for i in range(rows):
        for which in range(len(patterns)):
            pattern = patterns[which]
            any_hit = np.uint64(0)
            for j in range(columns):
                off = np.int64(ones(words[i, j] ^ pattern)) - 32
                any_hit |= np.uint64(abs(off) >= 32 - most)
            if any_hit:
                for j in range(columns):
                    wrong = np.int64(ones(words[i, j] ^ pattern))
                    if min(wrong, 64 - wrong) <= most:
                        found.append((i, j, which, wrong))
    out = np.zeros((len(found), 4), np.int64)
    for k in range(len(found)):
        out[k, 0], out[k, 1], out[k, 2], out[k, 3] = found[k]
    return out
