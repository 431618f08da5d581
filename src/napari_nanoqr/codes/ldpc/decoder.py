"""The decoder of quasi-cyclic codes: layered belief propagation, a whole circulant at once.

A check tells its least sure bit what all its other bits say together, and all other bits the one
thing that all of them say: the A-min* rule of C. Jones et al., Approximate-MIN* constraint node
updating for LDPC code decoding, IEEE MILCOM (2003) 157. It is as good as exact messages to a few
hundredths of a dB, where the least magnitude alone loses a tenth and more.

What is believed of each block of bits (16-bit numbers) stands in the order in which the last row
of checks saw it, and goes on for a second turn. So each row finds the bits of all its checks side
by side from some place on, and every loop here runs over numbers that follow one another. Places
are unsigned: for signed ones numba would look whether they count from the end.
"""

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

LIMITS = (64, 40)
"""Soft bits are cut to 8 nats: in Gaussian noise that costs nothing, and errors of which somebody
was surer could not be healed where a bit is in two checks alone. Words that do not converge are
tried again with 5 nats, which costs a little in noise but heals more sure errors."""

LOUDEST = 127
"""Largest message of a check. Half of it is too little: a run of parity bits whose noise together
is surer than the two checks at its ends then stays wrong, in one word of 20,000 to 100,000."""

SILENT = 8191
"""Surer than anything, as a check is before it has asked: the sum of two fits into 16 bits."""


@compiled
def decode_words(
    soft: Bytes, size: int, starts: Numbers, columns: Numbers, shifts: Numbers, iterations: int,
    bits: NDArray[np.uint8], converged: NDArray[np.bool_],
    used: NDArray[np.int32], flipped: NDArray[np.int32],
) -> None:  # fmt: skip
    """Decode words one after the other.

    Parameters
    ----------
    soft : (words, n) int8 array
        Log-likelihood ratios.
    size : int
        Bits of a block.
    starts, columns, shifts
        Where each row of checks starts, and column and shift of its entries.
    iterations : int
        Rounds after which a try is given up.
    bits, converged, used, flipped
        What is filled in: see `napari_nanoqr.codes.ldpc.Decoded`.
    """
    width = (size + LANES - 1) // LANES * LANES
    span = size + width
    beliefs = np.empty(soft.shape[1] // size * span, np.int16)
    messages = np.empty(columns.size * width, np.int8)
    turned = np.empty(soft.shape[1] // size, np.int64)
    told = np.empty(np.max(starts[1:] - starts[:-1]) * width, np.int16)
    notes = np.empty((4, width), np.int16)
    line = np.empty(soft.shape[1], np.int16)
    for word in range(soft.shape[0]):
        done, count = False, 0
        for limit in LIMITS:
            take_in(soft[word], size, span, limit, beliefs)
            messages[:] = 0
            turned[:] = 0
            done = is_codeword(beliefs, turned, size, width, starts, columns, shifts, notes[0])
            most = count + iterations
            while not done and count < most:
                count += 1
                for row in range(starts.size - 1):
                    edges = slice(starts[row], starts[row + 1])
                    ask(
                        beliefs, turned, size, columns[edges], shifts[edges],
                        messages[starts[row] * width :], told, notes,
                    )  # fmt: skip
                done = is_codeword(beliefs, turned, size, width, starts, columns, shifts, notes[0])
            if done:
                break
        converged[word], used[word] = done, count
        give_out(beliefs, turned, size, span, line)
        flipped[word] = decide(line, soft[word], bits[word])


@compiled
def ask(
    beliefs: Shorts, turned: Numbers, size: int, columns: Numbers, shifts: Numbers,
    messages: Bytes, told: Shorts, notes: Shorts,
) -> None:  # fmt: skip
    """Ask all checks of one row for their opinion of all their bits."""
    low, rest, everything, parity = notes[0], notes[1], notes[2], notes[3]
    width = parity.size
    low[:] = SILENT
    rest[:] = SILENT
    parity[:] = 0
    for edge in range(columns.size):
        column = columns[edge]
        ahead = shifts[edge] - turned[column]
        ahead += size if ahead < 0 else 0
        turned[column] = shifts[edge]
        place, seen = np.uint64(edge * width), np.uint64(column * (size + width) + ahead)
        tell(beliefs, seen, messages, place, told, low, rest, parity)
    conclude(low, rest, everything)
    for edge in range(columns.size):
        place, seen = np.uint64(edge * width), np.uint64(columns[edge] * (size + width))
        answer(told, messages, place, low, rest, everything, parity)
        copy(told, place, beliefs, seen, width)
        copy(told, place, beliefs, seen + np.uint64(size), width)


@compiled
def tell(
    beliefs: Shorts, seen: np.uint64, messages: Bytes, place: np.uint64, told: Shorts,
    low: Shorts, rest: Shorts, parity: Shorts,
) -> None:  # fmt: skip
    """Take the checks' own opinion out of what is believed of bits, and note what is left.

    The least sure bit of each check is kept apart from what all the rest says together.
    """
    for i in range(parity.size):
        j = np.uint64(i)
        left = subtract(beliefs[seen + j], np.int16(messages[place + j]))
        told[place + j] = left
        size = magnitude(left)
        rest[i] = together(rest[i], greatest(low[i], size))
        low[i] = least(low[i], size)
        parity[i] = differ(parity[i], left)


@compiled
def together(first: np.int16, second: np.int16) -> np.int16:
    """Return how sure the sum of two bits is, given how sure each of them is.

    ``min(a, b) + f(a + b) - f(|a - b|)`` with ``f(x) = ln(1 + exp(-x))``; in eighths of a nat a
    quarter of what ``x`` lacks to 20, rounded down, is nearest to that in what it decodes.
    """
    reach, two, zero = np.int16(20), np.int16(2), np.int16(0)
    same = shift_down(greatest(subtract(reach, add(first, second)), zero), two)
    apart = magnitude(subtract(first, second))
    other = shift_down(greatest(subtract(reach, apart), zero), two)
    # not below 0: |a - b| and a + b are never more than 2 min(a, b) apart
    sure: np.int16 = subtract(add(least(first, second), same), other)
    return sure


@compiled
def conclude(low: Shorts, rest: Shorts, everything: Shorts) -> None:
    """Take the least sure bit together with the rest, and cut both to what a message carries."""
    loudest = np.int16(LOUDEST)
    for i in range(low.size):
        everything[i] = least(together(low[i], rest[i]), loudest)
        rest[i] = least(rest[i], loudest)


@compiled
def answer(
    told: Shorts, messages: Bytes, place: np.uint64,
    low: Shorts, rest: Shorts, everything: Shorts, parity: Shorts,
) -> None:  # fmt: skip
    """Give the checks' new opinion of bits, from what is known of all their others."""
    for i in range(parity.size):
        j = place + np.uint64(i)
        left = told[j]
        size = choose(magnitude(left), low[i], rest[i], everything[i])
        message = with_sign_of(size, differ(parity[i], left))
        messages[j] = message
        told[j] = add(left, message)


@compiled
def copy(here: Shorts, source: np.uint64, there: Shorts, target: np.uint64, count: int) -> None:
    """Copy numbers from one place to another."""
    for i in range(count):
        there[target + np.uint64(i)] = here[source + np.uint64(i)]


@compiled
def is_codeword(
    beliefs: Shorts, turned: Numbers, size: int, width: int,
    starts: Numbers, columns: Numbers, shifts: Numbers, parity: Shorts,
) -> bool:  # fmt: skip
    """Tell whether all signs together satisfy all checks, and none of them is open."""
    for row in range(starts.size - 1):
        parity[:] = 0
        for edge in range(starts[row], starts[row + 1]):
            column = columns[edge]
            ahead = shifts[edge] - turned[column]
            ahead += size if ahead < 0 else 0
            seen = np.uint64(column * (size + width) + ahead)
            for i in range(width):
                parity[i] = differ(parity[i], beliefs[seen + np.uint64(i)])
        lowest = np.int16(0)
        for i in range(width):
            lowest = least(lowest, parity[i])
        if lowest < 0:
            return False
    surest = np.int16(32767)
    for i in range(beliefs.size):
        surest = least(surest, magnitude(beliefs[i]))
    return bool(surest > 0)


@compiled
def take_in(soft: Bytes, size: int, span: int, limit: int, beliefs: Shorts) -> None:
    """Start with the soft bits, each block written as often as it fits."""
    most, lowest = np.int16(limit), np.int16(-limit)
    for column in range(soft.size // size):
        start, source = np.uint64(column * span), np.uint64(column * size)
        for i in range(size):
            given = np.int16(soft[source + np.uint64(i)])
            cut = greatest(least(given, most), lowest)
            beliefs[start + np.uint64(i)] = cut
        for i in range(span - size):
            beliefs[start + np.uint64(size + i)] = beliefs[start + np.uint64(i)]


@compiled
def give_out(beliefs: Shorts, turned: Numbers, size: int, span: int, line: Shorts) -> None:
    """Bring what is believed of the bits into their own order."""
    for column in range(turned.size):
        ahead = (size - turned[column]) % size
        copy(beliefs, np.uint64(column * span + ahead), line, np.uint64(column * size), size)


@compiled
def decide(line: Shorts, soft: Bytes, bits: NDArray[np.uint8]) -> int:
    """Make bits of the signs, and count how many of all differ from those of the soft bits."""
    for i in range(bits.size):
        bits[i] = line[i] < 0
    changed = np.int32(0)
    for i in range(line.size):
        changed += np.int32(np.int32(line[i]) * np.int32(soft[i]) < 0)
    return int(changed)
