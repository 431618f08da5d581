"""Search for the nearest codeword around the most reliable bits.

All functions take a block after `solve_checks`: free bits, most doubtful first, each with its
column, and solved bits that follow from them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.compiled import compiled


@compiled
def search_flips(
    columns: NDArray[np.uint8],
    reliabilities: NDArray[np.float32],
    syndrome: NDArray[np.uint8],
    table: NDArray[np.float32],
    order: int,
    best: float,
) -> tuple[float, int, int]:
    """Try all flips of up to two free bits.

    Parameters
    ----------
    columns : (k, b) uint8 array
        Column of each free bit, rows packed into ``b`` bytes.
    reliabilities : (k,) float32 array
        Their reliabilities, ascending.
    syndrome : (b,) uint8 array
        Solved bits that have to flip where no free bit does.
    table : (at least b, 256) float32 array
        Cost of each byte of solved bits.
    order : int
        Flip at most so many free bits: 0, 1 or 2.
    best : float
        Cost that has to be beaten.

    Returns
    -------
    cost : float
        The least cost, or ``best``.
    first, second : int
        The flipped bits; -1 for none, -2 where nothing beat ``best``.

    References
    ----------
    M. P. C. Fossorier, S. Lin, Soft-decision decoding of linear block codes based on ordered
    statistics, IEEE Trans. Inf. Theory 41 (1995) 1379.
    """
    count, size = columns.shape
    start = 0.0
    for byte in range(size):
        start += table[byte, syndrome[byte]]
    found = (-2, -2)
    if start < best:
        best, found = start, (-1, -1)
    flipped = np.empty(size, dtype=np.uint8)
    for i in range(count if order > 0 else 0):
        base = reliabilities[i]
        if base >= best:
            break
        cost = base
        for byte in range(size):
            flipped[byte] = syndrome[byte] ^ columns[i, byte]
            cost += table[byte, flipped[byte]]
        if cost < best:
            best, found = cost, (i, -1)
        for j in range(i if order > 1 else 0):
            cost = base + reliabilities[j]
            if cost >= best:
                break
            byte = 0
            while byte < size and cost < best:
                cost += table[byte, flipped[byte] ^ columns[j, byte]]
                byte += 1
            if cost < best:
                best, found = cost, (i, j)
    return best, found[0], found[1]


@compiled
def list_patterns(
    reliabilities: NDArray[np.float32],
    heads: NDArray[np.uint64],
    limit: float,
    words: NDArray[np.uint64],
    costs: NDArray[np.float32],
    parents: NDArray[np.int32],
    lasts: NDArray[np.int32],
) -> int:
    """List the sets of bits whose flips cost no more than a limit, in arrays that are given.

    Parameters
    ----------
    reliabilities : (m,) float32 array
        Ascending.
    heads : (m,) uint64 array
        First word of each bit's column.
    limit : float
        Greatest cost.
    words : (p,) uint64 array
        Receives the first word of the sum of each set's columns.
    costs : (p,) float32 array
        Receives the sum of its reliabilities.
    parents, lasts : (p,) int32 arrays
        Receive its parent set and the bit by which it is more; set 0 is empty.

    Returns
    -------
    int
        Number of sets, at most p.
    """
    capacity = words.size
    words[0], costs[0], parents[0], lasts[0] = np.uint64(0), np.float32(0), 0, -1
    filled, parent = 1, 0
    while parent < filled and filled < capacity:
        for bit in range(lasts[parent] + 1, reliabilities.size):
            cost = costs[parent] + reliabilities[bit]
            if cost > limit or filled == capacity:
                break
            words[filled] = words[parent] ^ heads[bit]
            costs[filled] = cost
            parents[filled] = parent
            lasts[filled] = bit
            filled += 1
        parent += 1
    return filled


@compiled
def match_patterns(
    words: NDArray[np.uint64],
    costs: NDArray[np.float32],
    parents: NDArray[np.int32],
    lasts: NDArray[np.int32],
    following: NDArray[np.int32],
    columns: NDArray[np.uint64],
    syndrome: NDArray[np.uint64],
    table: NDArray[np.float32],
    control: int,
    best: float,
) -> tuple[float, int, int]:
    """Join any two listed sets that agree on the control rows, and keep the nearest.

    Two lists of 10^5 sets make 10^10 pairs; those that leave the control rows in order are
    found where one of them would have to be in a table, without looking at the others.

    Parameters
    ----------
    words, costs, parents, lasts : arrays
        From `list_patterns`.
    following : (at least p,) int32 array
        Room for which set comes after each of the same control rows.
    columns : (m, w) uint64 array
        Columns of the listed bits.
    syndrome : (w,) uint64 array
        Solved bits that have to flip where nothing else does.
    table : (8 w, 256) float32 array
        Cost of each byte of solved bits.
    control : int
        Number of control rows, the first ones of word 0: their bits are listed like free bits.
    best : float
        Cost that has to be beaten.

    Returns
    -------
    cost : float
        The least cost, or ``best``.
    first, second : int
        The joined sets, -2 where nothing beat ``best``.

    References
    ----------
    A. Valembois, M. Fossorier, Box and match techniques applied to soft-decision decoding,
    IEEE Trans. Inf. Theory 50 (2004) 796.
    """
    shift = np.uint64(64 - control)
    latest = np.full(1 << control, -1, dtype=np.int32)
    target = np.int64(syndrome[0] >> shift)
    size = min(table.shape[0], 8)
    first_byte = control >> 3
    first, second = -2, -2
    whole = np.empty_like(syndrome)
    for a in range(words.size):
        key = np.int64(words[a] >> shift)
        following[a] = latest[key]
        latest[key] = a
        # with itself too: then no listed bit flips
        head = words[a] ^ syndrome[0]
        b = latest[key ^ target]
        while b >= 0:
            cost = costs[a] + costs[b]
            rest = head ^ words[b]
            pair = (np.int32(a), b)
            b = following[b]
            # no end before the last byte: guessing where it comes would take longer
            for byte in range(first_byte, size):
                cost += table[byte, (rest >> np.uint64(56 - 8 * byte)) & np.uint64(255)]
            if cost >= best:
                continue
            for w in range(whole.size):
                whole[w] = syndrome[w]
            for pattern in pair:
                name = int(pattern)
                while name:
                    for w in range(whole.size):
                        whole[w] ^= columns[lasts[name], w]
                    name = int(parents[name])
            byte = 8
            while byte < table.shape[0] and cost < best:
                part = whole[byte >> 3] >> np.uint64(56 - 8 * (byte & 7))
                cost += table[byte, part & np.uint64(255)]
                byte += 1
            if cost < best:
                best, first, second = cost, int(pair[0]), int(pair[1])
    return best, first, second
