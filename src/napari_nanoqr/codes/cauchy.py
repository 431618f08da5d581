"""Cauchy Reed-Solomon over GF(256): any k members of a group of k + m give back the k of data.

Systematic: parity member r (0 to m - 1) is the sum over c of ``data_c / ((255 - r) XOR c)`` in
the field of :mod:`~napari_nanoqr.codes.gf256`. Every square part of such a matrix can be
inverted, so that any m members may be lost.

Nothing but XOR is needed: L bytes of a member are cut into 8 equal parts, and part b holds bit b
of the L elements of the field (element i is bit i of every part). Multiplying by a number then
means XORing parts. As four parts have only 16 sums, these are computed once for each member of
data, and every part of every parity member adds two of them ("four Russians").

Sources: Blömer et al., An XOR-based erasure-resilient coding scheme, ICSI TR-95-048 (1995);
Plank and Xu, Optimizing Cauchy Reed-Solomon codes, NCA 2006.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.compiled import compiled
from napari_nanoqr.codes.gf256 import EXP, LOG, multiply

MOST_MEMBERS: Final = 256
"""Members of a group, data and parity together."""

BLOCK: Final = 16
"""Words of 8 bytes of each part that are worked on together: all sums then stay in the cache."""

Words = NDArray[np.uint64]


class TooManyLost(ValueError):
    """A group has fewer members than it has data."""


def encode(data: NDArray[np.uint8], parity_count: int) -> NDArray[np.uint8]:
    """Compute the parity members of a group.

    Parameters
    ----------
    data : (k, L) or (k, s, L) uint8 array
        Members of data, L a multiple of 8; with s slots each, every slot is coded for itself.
    parity_count : int
        Number m of parity members, k + m at most 256.

    Returns
    -------
    (m, L) or (m, s, L) uint8 array
        The parity members.

    Raises
    ------
    ValueError
        Where the group is too large, or L no multiple of 8.
    """
    _check(len(data), parity_count, data.shape[-1])
    return _product(_rows(tuple(range(parity_count)), tuple(range(len(data)))), data)


def recover(
    members: Mapping[int, NDArray[np.uint8]], data_count: int, parity_count: int
) -> NDArray[np.uint8]:
    """Give back the data of a group of which some members are lost.

    Parameters
    ----------
    members : mapping of int to (L,) or (s, L) uint8 array
        The members that are there: data has the places 0 to k - 1, parity k to k + m - 1.
    data_count, parity_count : int
        The numbers k and m.

    Returns
    -------
    (k, L) or (k, s, L) uint8 array
        All members of data.

    Raises
    ------
    TooManyLost
        Where fewer than k members are there.
    ValueError
        Where a place is none of the group, or the members differ in length.
    """
    strange = [place for place in members if not 0 <= place < data_count + parity_count]
    if strange:
        raise ValueError(
            f"Member {strange[0]} is not in a group of {data_count} + {parity_count}: they count "
            "from 0."
        )
    if len(members) < data_count:
        raise TooManyLost(
            f"{len(members)} of {data_count} + {parity_count} members of a group are there; any "
            f"{data_count} are needed."
        )
    shapes = {np.shape(member) for member in members.values()}
    if len(shapes) != 1:
        raise ValueError(f"The members of a group differ in length: {sorted(shapes)}.")
    shape = shapes.pop()
    _check(data_count, parity_count, shape[-1])
    lost = tuple(place for place in range(data_count) if place not in members)
    data = np.zeros((data_count, *shape), np.uint8)
    for place in range(data_count):
        if place in members:
            data[place] = members[place]
    if lost:
        there = sorted(place - data_count for place in members if place >= data_count)
        used = tuple(there[: len(lost)])
        # what the parity would be without the lost members, and what it is, differ by these
        differences = _product(_rows(used, tuple(range(data_count))), data)
        for row, parity in enumerate(used):
            differences[row] ^= members[data_count + parity]
        data[list(lost)] = _product(_inverse(used, lost), differences)
    return data


def _check(data_count: int, parity_count: int, length: int) -> None:
    if data_count < 1 or parity_count < 0 or data_count + parity_count > MOST_MEMBERS:
        raise ValueError(
            f"A group cannot have {data_count} + {parity_count} members: at least one of data, "
            f"and {MOST_MEMBERS} together at most."
        )
    if length % 8:
        raise ValueError(f"Members have a multiple of 8 bytes, not {length}.")


def _rows(parity: tuple[int, ...], data: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the part of the Cauchy matrix for these parity and data members."""
    sums = (255 - np.array(parity, np.intp))[:, None] ^ np.array(data, np.intp)
    return np.asarray(EXP[255 - LOG[sums]])


@lru_cache(maxsize=256)
def _inverse(parity: tuple[int, ...], lost: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return what gives lost members from as many parity members, by Gauss and Jordan."""
    size = len(lost)
    matrix = np.concatenate((_rows(parity, lost), np.eye(size, dtype=np.uint8)), axis=1)
    for column in range(size):
        # no pivot is zero: the leading parts of a Cauchy matrix are Cauchy matrices too
        row = multiply(matrix[column], EXP[255 - LOG[matrix[column, column]]][None])
        matrix ^= multiply(matrix[:, column, None], row)
        matrix[column] = row
    return np.ascontiguousarray(matrix[:, size:])


@cache
def _sums_to_add() -> NDArray[np.uint8]:
    """Return which sums of parts 0-3 and of parts 4-7 make each part of a product.

    ``(256, 8, 2)``: bit b of the first number says whether part b counts, of the second whether
    part b + 4 does, for the product with each number of the field.
    """
    numbers = np.arange(256, dtype=np.uint8)[:, None]
    products = multiply(numbers, (1 << np.arange(8)).astype(np.uint8))
    counts = products[:, None, :] >> np.arange(8)[:, None] & 1
    low = (counts[..., :4] << np.arange(4)).sum(axis=-1)
    high = (counts[..., 4:] << np.arange(4)).sum(axis=-1)
    return np.stack((low, high), axis=-1).astype(np.uint8)


@compiled
def _add_products(
    chosen: NDArray[np.uint8], data: Words, sums: Words, block: Words, results: Words
) -> None:
    """Compute ``results[r] = sum over c of matrix[r, c] * data[c]``, block by block.

    ``chosen[c, r, part]`` are the two sums to add, ``sums (2, 16, BLOCK)`` and
    ``block (8 r, BLOCK)`` are room to work in.
    """
    members, _, length = data.shape
    outputs = block.shape[0]
    for start in range(0, length, BLOCK):
        block[:] = 0
        for member in range(members):
            for half in range(2):
                for part in range(4):
                    one = data[member, 4 * half + part]
                    for i in range(BLOCK):
                        sums[half, 1 << part, i] = one[start + i]
                    for other in range(1, 1 << part):
                        for i in range(BLOCK):
                            sums[half, (1 << part) + other, i] = (
                                sums[half, 1 << part, i] ^ sums[half, other, i]
                            )
            for output in range(outputs):
                low = chosen[member, output, 0]
                high = chosen[member, output, 1]
                for i in range(BLOCK):
                    block[output, i] ^= sums[0, low, i] ^ sums[1, high, i]
        for output in range(outputs):
            for i in range(BLOCK):
                results[output, start + i] = block[output, i]


def _product(matrix: NDArray[np.uint8], data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Multiply a matrix over the field ``(r, c)`` with members ``(c, L)`` or ``(c, s, L)``."""
    rows, members = matrix.shape
    slots = int(np.prod(data.shape[1:-1]))
    size = data.shape[-1] // 8
    width = -(-slots * size // (8 * BLOCK)) * 8 * BLOCK
    parts = np.zeros((members, 8, width), np.uint8)
    parts[..., : slots * size] = (
        data.reshape(members, slots, 8, size).swapaxes(1, 2).reshape(members, 8, slots * size)
    )
    results = np.empty((rows * 8, width // 8), np.uint64)
    chosen = _sums_to_add()[matrix.T].reshape(members, rows * 8, 2)
    _add_products(
        np.ascontiguousarray(chosen),
        parts.view(np.uint64),
        np.zeros((2, 16, BLOCK), np.uint64),
        np.zeros((rows * 8, BLOCK), np.uint64),
        results,
    )
    found = results.view(np.uint8)[:, : slots * size].reshape(rows, 8, slots, size)
    return np.ascontiguousarray(found.swapaxes(1, 2)).reshape(rows, *data.shape[1:])
