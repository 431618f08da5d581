"""The decoder of quasi-cyclic codes: layered min-sum, a whole circulant at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.compiled import compiled
from napari_nanoqr.codes.ldpc.narrow import (
    add,
    choose,
    differ,
    greatest,
    least,
    magnitude,
    shift_down,
    subtract,
    with_sign_of,
)

Bytes = NDArray[np.int8]
Shorts = NDArray[np.int16]
Numbers = NDArray[np.int64]

LANES = 32
"""Numbers that are worked on together; a circulant is padded to a multiple of it."""


@compiled
def tell(
    beliefs: Shorts, messages: Bytes, told: Shorts, low: Shorts, second: Shorts, parity: Shorts
) -> None:
    """Take a check's own opinion out of what is believed of bits, and note what is left."""
    for i in range(told.size):
        rest = subtract(beliefs[i], np.int16(messages[i]))
        told[i] = rest
        size = magnitude(rest)
        second[i] = least(second[i], greatest(low[i], size))
        low[i] = least(low[i], size)
        parity[i] = differ(parity[i], rest)


@compiled
def soften(low: Shorts, second: Shorts, weak: Shorts, strong: Shorts) -> None:
    """Make the magnitudes smaller by a quarter: the least of many says too much."""
    two, loudest = np.int16(2), np.int16(63)
    for i in range(low.size):
        weak[i] = least(subtract(low[i], shift_down(low[i], two)), loudest)
        strong[i] = least(subtract(second[i], shift_down(second[i], two)), loudest)


@compiled
def answer(
    told: Shorts, messages: Bytes, beliefs: Shorts,
    low: Shorts, weak: Shorts, strong: Shorts, parity: Shorts,
) -> None:  # fmt: skip
    """Give a check's new opinion of bits, from what is known of all its others."""
    for i in range(told.size):
        rest = told[i]
        size = choose(magnitude(rest), low[i], strong[i], weak[i])
        message = with_sign_of(size, differ(parity[i], rest))
        messages[i] = message
        beliefs[i] = add(rest, message)


@compiled
def copy(here: Shorts, there: Shorts) -> None:
    """Copy numbers."""
    for i in range(here.size):
        there[i] = here[i]


@compiled
def multiply_signs(beliefs: Shorts, parity: Shorts) -> None:
    """Multiply signs by those of more bits."""
    for i in range(parity.size):
        parity[i] = differ(parity[i], beliefs[i])


@compiled
def smallest(values: Shorts) -> int:
    """Return the least number."""
    found = np.int16(32767)
    for i in range(values.size):
        found = least(found, values[i])
    return int(found)


@compiled
def smallest_size(values: Shorts) -> int:
    """Return the least magnitude."""
    found = np.int16(32767)
    for i in range(values.size):
        found = least(found, magnitude(values[i]))
    return int(found)


@compiled
def is_codeword(
    beliefs: Shorts, turned: Numbers, size: int,
    starts: Numbers, columns: Numbers, shifts: Numbers, parity: Shorts,
) -> bool:  # fmt: skip
    """Tell whether all signs together satisfy all checks, and none of them is open."""
    for row in range(starts.size - 1):
        parity[:] = 0
        for edge in range(starts[row], starts[row + 1]):
            column = columns[edge]
            ahead = shifts[edge] - turned[column]
            ahead += size if ahead < 0 else 0
            multiply_signs(beliefs[column, ahead : ahead + parity.size], parity)
        if smallest(parity) < 0:
            return False
    return bool(smallest_size(beliefs.reshape(beliefs.size)) > 0)


@compiled
def decode_words(
    soft: Bytes, size: int, starts: Numbers, columns: Numbers, shifts: Numbers, iterations: int,
    bits: NDArray[np.uint8], converged: NDArray[np.bool_],
    used: NDArray[np.int32], flipped: NDArray[np.int32],
) -> None:  # fmt: skip
    """Decode words one after the other.

    What is believed of a block of bits stands in the order in which the last check saw it, and
    goes on for a second turn: thus each check finds its bits in a row from some place on.
    """
    width = (size + LANES - 1) // LANES * LANES
    blocks = soft.shape[1] // size
    beliefs = np.empty((blocks, size + width), np.int16)
    messages = np.empty((columns.size, width), np.int8)
    turned = np.empty(blocks, np.int64)
    told = np.empty((np.max(starts[1:] - starts[:-1]), width), np.int16)
    low, second = np.empty(width, np.int16), np.empty(width, np.int16)
    weak, strong = np.empty(width, np.int16), np.empty(width, np.int16)
    parity = np.empty(width, np.int16)
    for word in range(soft.shape[0]):
        for column in range(blocks):
            for i in range(size + width):
                beliefs[column, i] = soft[word, column * size + i % size]
        messages[:] = 0
        turned[:] = 0
        done = is_codeword(beliefs, turned, size, starts, columns, shifts, parity)
        count = 0
        while not done and count < iterations:
            count += 1
            for row in range(starts.size - 1):
                first = starts[row]
                low[:] = 32767
                second[:] = 32767
                parity[:] = 0
                for edge in range(first, starts[row + 1]):
                    column = columns[edge]
                    ahead = shifts[edge] - turned[column]
                    ahead += size if ahead < 0 else 0
                    seen = beliefs[column, ahead : ahead + width]
                    tell(seen, messages[edge], told[edge - first], low, second, parity)
                soften(low, second, weak, strong)
                for edge in range(first, starts[row + 1]):
                    column = columns[edge]
                    seen = beliefs[column, :width]
                    answer(told[edge - first], messages[edge], seen, low, weak, strong, parity)
                    copy(seen, beliefs[column, size:])
                    turned[column] = shifts[edge]
            done = is_codeword(beliefs, turned, size, starts, columns, shifts, parity)
        converged[word] = done
        used[word] = count
        flipped[word] = 0
        for column in range(blocks):
            for i in range(size):
                place = i + turned[column]
                place -= size if place >= size else 0
                place += column * size
                is_one = beliefs[column, i] < 0
                if place < bits.shape[1]:
                    bits[word, place] = is_one
                given = soft[word, place]
                flipped[word] += is_one if given > 0 else (not is_one and given < 0)
