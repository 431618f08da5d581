"""CRC-64/XZ of many blocks at once: tells a codeword that was decoded rightly from all others.

Source of the numbers: ECMA-182 (the polynomial), the .xz file format 1.1.0, section 6 (bits
reflected, register and result inverted). CRC-32 is that of :func:`zlib.crc32`.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.compiled import compiled

POLYNOMIAL: Final = 0xC96C5795D7870F42
"""That of ECMA-182, lowest power in the highest bit."""

CHECK: Final = 0x995DC9BBDF1939FA
"""CRC of the nine bytes ``123456789``."""


@cache
def _tables() -> NDArray[np.uint64]:
    """Return what a byte does to the register, ``(8, 256)``: now, and 1 to 7 bytes later."""
    tables = np.empty((8, 256), np.uint64)
    register = np.arange(256, dtype=np.uint64)
    for _ in range(8):
        odd = register & np.uint64(1) == 1
        register = register >> np.uint64(1) ^ np.where(odd, np.uint64(POLYNOMIAL), np.uint64(0))
    tables[0] = register
    for later in range(1, 8):
        before = tables[later - 1]
        tables[later] = before >> np.uint64(8) ^ tables[0][(before & np.uint64(255)).astype(int)]
    return tables


@compiled
def _run(
    blocks: NDArray[np.uint8], tables: NDArray[np.uint64], registers: NDArray[np.uint64]
) -> None:
    count, length = blocks.shape
    byte, eight = np.uint64(255), np.uint64(8)
    for block in range(count):
        data = blocks[block]
        register = registers[block]
        at = 0
        # eight bytes with a table for each: their look-ups do not wait for one another
        while at + 8 <= length:
            mixed = np.uint64(0)
            for place in range(8):
                index = register >> np.uint64(8 * place) & byte ^ np.uint64(data[at + place])
                mixed ^= tables[7 - place, index]
            register = mixed
            at += 8
        while at < length:
            register = register >> eight ^ tables[0, (register ^ np.uint64(data[at])) & byte]
            at += 1
        registers[block] = register


def crc64(blocks: NDArray[np.uint8], last: NDArray[np.uint8] | None = None) -> NDArray[np.uint64]:
    """Compute CRC-64/XZ of blocks of one length.

    Parameters
    ----------
    blocks : (b, n) uint8 array
        The blocks.
    last : (b,) uint8 array, optional
        One more byte for each block, behind its last.

    Returns
    -------
    (b,) uint64 array
        The checksums.
    """
    registers = np.full(len(blocks), ~np.uint64(0))
    _run(np.ascontiguousarray(blocks), _tables(), registers)
    if last is not None:
        _run(np.ascontiguousarray(last[:, None]), _tables(), registers)
    return ~registers
