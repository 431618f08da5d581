"""Structured Append: a message over several QR codes (ISO/IEC 18004:2015, 8)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import xor

import numpy as np

from napari_nanoqr.symbols.encode import PayloadTooLong, symbol_of
from napari_nanoqr.symbols.kinds import layout_named
from napari_nanoqr.symbols.segments import BYTE, Segment, write_stream
from napari_nanoqr.symbols.symbol import Symbol

MOST_APPENDED = 16
"""Symbols of a set."""

_HEAD_BITS = 20
"""Mode indicator, index, number of symbols less one, parity."""


def encode_appended(payloads: Sequence[bytes], version: int, error: str) -> list[Symbol]:
    """Encode a message over several QR codes.

    Parameters
    ----------
    payloads : sequence of bytes
        What each symbol holds, 1 to 16 of them, each a single byte segment.
    version, error : int, str
        Of all symbols.

    Returns
    -------
    list of Symbol
        In their order.

    Raises
    ------
    PayloadTooLong
        Where one does not fit, see :func:`appended_capacity`.
    ValueError
        Where there are none, or more than 16.
    """
    if not 1 <= len(payloads) <= MOST_APPENDED:
        raise ValueError(f"A set has 1 to {MOST_APPENDED} symbols, not {len(payloads)}.")
    layout, room = layout_named(version), appended_capacity(version, error)
    parity = reduce(xor, b"".join(payloads), 0)
    symbols = []
    for index, payload in enumerate(payloads):
        if len(payload) > room:
            raise PayloadTooLong(
                f"{len(payload)} bytes do not fit into one of a set of symbols of version "
                f"{version}-{error}, which holds {room}.",
                8 * (len(payload) - room),
            )
        head = layout.syntax.indicators["structured append"] << 4 | index
        head = (head << 4 | len(payloads) - 1) << 8 | parity
        places = np.arange(_HEAD_BITS - 1, -1, -1)
        bits = np.concatenate((
            (head >> places & 1).astype(np.uint8),
            write_stream([Segment(BYTE, payload)], layout.syntax),
        ))  # fmt: skip
        symbols.append(symbol_of(bits, payload, layout, error))
    return symbols


def appended_capacity(version: int, error: str) -> int:
    """Return how many arbitrary bytes each symbol of a set holds."""
    layout = layout_named(version)
    head = _HEAD_BITS + layout.syntax.head_bits("byte")
    return (layout.blocks[error].data_bits - head) // 8
