"""Lines of whole numbers, read at about the speed of the disk.

Indices are unsigned throughout: signed ones would be looked at for counting from the end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.compiled import compiled

SHORTEST_LINE = 6
"""Bytes of a line that is read: ``1 1 1`` and its end."""

PAST_END = 8
"""Bytes that are looked at behind the text."""

THREE, FOUR = 1, 2
"""Lines of three columns were seen, or of four."""

_MOST_DIGITS = 12
_TAB, _NEWLINE, _RETURN, _SPACE, _ZERO = 9, 10, 13, 32, np.uint8(48)
_ONE, _EIGHT, _WORD = np.uint64(1), np.uint64(8), np.uint64(64)
_ZEROS = np.uint64(0x3030303030303030)
_ABOVE_NINE, _HIGH_BITS = np.uint64(0x7676767676767676), np.uint64(0x8080808080808080)
_THREE_BYTES, _FLAG_STEP = np.uint64(0xFFFFFF), np.uint64(0x000100)
_FLAG_0_AND_END = np.uint64(0x0A3000)
_BYTES, _PAIRS, _HALVES = (
    np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF), np.uint64(0xFFFFFFFF),
)  # fmt: skip


@compiled
def number_of(digits: np.uint64) -> np.uint64:
    """Return the number whose digits, 0 to 9, are the bytes of a word, the lowest first."""
    digits = (digits * np.uint64(10) + (digits >> np.uint64(8))) & _BYTES
    digits = (digits * np.uint64(100) + (digits >> np.uint64(16))) & _PAIRS
    return (digits * np.uint64(10000) + (digits >> np.uint64(32))) & _HALVES


@compiled
def take_lines(
    text: NDArray[np.uint8],
    words: NDArray[np.uint64],
    size: int,
    steps: NDArray[np.int64],
    dwell: NDArray[np.int64],
    flags: NDArray[np.uint8],
    done: int,
) -> tuple[np.int64, int, np.int64]:
    """Read lines ``dwell x y`` or ``dwell x y flag``; blank ones count for nothing.

    Parameters
    ----------
    text : (n,) uint8 array
        With :data:`PAST_END` bytes more than are meant.
    words : (n - 7,) uint64 array
        The eight bytes that begin at each, the first the lowest.
    size : int
        Bytes that are meant; they end with the end of a line.
    steps, dwell, flags : (m, 2) int64, (m,) int64 and (m,) uint8 arrays
        Where the numbers go; flags hold 1 already.
    done : int
        Lines that were read before.

    Returns
    -------
    done : int
        Lines with these; -1 where one is not of 3 or 4 whole numbers, the last 0 or 1, or one
        more than there is room for.
    columns : int
        :data:`THREE`, :data:`FOUR` or their sum.
    bits : int
        All x and y, one bit set where it is in any.
    """
    at, end, line = np.uint64(0), np.uint64(size), np.uint64(done)
    columns, bits = 0, np.uint64(0)
    # where the numbers of the last line of four began, and by how much a word of eight digits
    # is shifted to leave theirs; a line like the one before is read without a look at each byte
    x_at = y_at = flag_at = length = np.uint64(0)
    between = np.uint8(_TAB)
    tail_on = tail_off = np.uint64(0)
    # most points share their dwell and their row with the one before
    d_word = y_word = d = y = np.uint64(0)
    dwell_shift = x_shift = y_shift = np.uint64(0)
    while at < end:
        if length > np.uint64(0) and at + length <= end and line < np.uint64(dwell.size):
            x = (words[at + x_at] ^ _ZEROS) << x_shift
            other = (x + _ABOVE_NINE) | x
            word = (words[at] ^ _ZEROS) << dwell_shift
            if word != d_word:
                d_word, d = word, number_of(word)
                other |= (word + _ABOVE_NINE) | word
            word = (words[at + y_at] ^ _ZEROS) << y_shift
            if word != y_word:
                y_word, y = word, number_of(word)
                other |= (word + _ABOVE_NINE) | word
            # what stands before the flag, the flag, and the end of the line
            tail = words[at + flag_at - _ONE] & _THREE_BYTES
            if (
                other & _HIGH_BITS == np.uint64(0)
                and tail in (tail_on, tail_off)
                and text[at + x_at - _ONE] == between
                and text[at + y_at - _ONE] == between
            ):
                x = number_of(x)
                dwell[line], steps[line, 0], steps[line, 1] = d, x, y
                flags[line] = tail == tail_on
                bits |= x | y
                line += _ONE
                at += length
                continue
        # what was no number must not be taken for one in a later line
        d_word = y_word = d = y = np.uint64(0)
        begin, found = at, 0
        width, value = np.uint64(0), np.uint64(0)
        first = second = third = np.uint64(0)
        while text[at] != _NEWLINE:
            byte = text[at]
            if byte in (_SPACE, _TAB, _RETURN):
                at += _ONE
                continue
            start, value = at, np.uint64(0)
            digit = np.uint8(byte - _ZERO)
            while digit < 10:
                value = np.uint64(10) * value + np.uint64(digit)
                at += _ONE
                digit = np.uint8(text[at] - _ZERO)
            width = at - start
            if width == np.uint64(0) or width > np.uint64(_MOST_DIGITS) or found == 4:
                return np.int64(-1), columns, np.int64(0)
            if line >= np.uint64(dwell.size):
                return np.int64(-1), columns, np.int64(0)
            if found == 0:
                dwell[line] = value
                first, dwell_shift = width, _WORD - _EIGHT * width
            elif found == 1:
                steps[line, 0] = value
                bits |= value
                x_at, second, x_shift = start - begin, width, _WORD - _EIGHT * width
            elif found == 2:
                steps[line, 1] = value
                bits |= value
                y_at, third, y_shift = start - begin, width, _WORD - _EIGHT * width
            elif value > _ONE:
                return np.int64(-1), columns, np.int64(0)
            else:
                flags[line] = value
                flag_at = start - begin
            found += 1
        at += _ONE
        if found == 0:
            continue
        if found < 3:
            return np.int64(-1), columns, np.int64(0)
        columns |= THREE if found == 3 else FOUR
        line += _ONE
        # a stencil of lines with one tab or space between numbers of up to eight digits
        length, between = at - begin, text[begin + x_at - _ONE]
        tail_off = np.uint64(between) | _FLAG_0_AND_END
        tail_on = tail_off + _FLAG_STEP
        if not (
            found == 4 and width == _ONE
            and length == first + second + third + np.uint64(5)
            and max(first, second, third) <= _EIGHT
        ):  # fmt: skip
            length = np.uint64(0)
    return np.int64(line), columns, np.int64(bits)
