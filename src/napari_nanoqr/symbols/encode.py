"""From a payload to a symbol."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes import reed_solomon
from napari_nanoqr.symbols.layout import (
    codeword_positions,
    function_patterns,
    mask_patterns,
    put_format,
)
from napari_nanoqr.symbols.penalty import penalties
from napari_nanoqr.symbols.segments import (
    pad,
    shortest_segments,
    stream_length,
    version_range,
    write_stream,
)
from napari_nanoqr.symbols.symbol import Symbol
from napari_nanoqr.symbols.tables import LEVELS, block_structure, side_modules


class PayloadTooLong(ValueError):
    """The payload does not fit into the symbol that was asked for.

    Parameters
    ----------
    message : str
        By how much, and what would hold it.
    missing_bits : int
        Bits that are missing.
    """

    def __init__(self, message: str, missing_bits: int) -> None:
        super().__init__(message)
        self.missing_bits = missing_bits


def encode(
    payload: bytes | str, error: str = "M", version: int | None = None, mask: int | None = None
) -> Symbol:
    """Encode a payload as a QR code symbol (Model 2, ISO/IEC 18004:2015).

    Parameters
    ----------
    payload : bytes or str
        What to store, at least one byte; text is stored as UTF-8. The bytes are divided into
        numeric, alphanumeric and byte segments so that the symbol is smallest.
    error : {"L", "M", "Q", "H"}
        Error-correction level; never raised silently.
    version : int, optional
        1 to 40; by default the smallest that holds the payload.
    mask : int, optional
        Data mask, 0 to 7; by default the one with the least penalty (7.8.3).

    Returns
    -------
    Symbol
        The symbol; decoding it gives the same bytes.

    Raises
    ------
    PayloadTooLong
        Where the payload does not fit; says by how much and what would hold it.
    ValueError
        Where the payload is empty, or the level, version or mask does not exist.

    Examples
    --------
    >>> symbol = encode("https://example.org", error="L")
    >>> symbol.version, symbol.modules
    (2, 25)
    """
    data = payload.encode("utf-8") if isinstance(payload, str) else bytes(payload)
    _check(data, error, version, mask)
    chosen = fitting_version(data, error) if version is None else version
    if chosen is None or missing_bits(data, error, chosen) > 0:
        raise _too_long(data, error, version)
    codewords = _data_codewords(data, error, chosen)
    modules = place_codewords(_interleave(codewords, error, chosen), chosen)
    masked = modules[None] ^ mask_patterns(chosen)
    for number in range(8):
        put_format(masked[number], chosen, error, number)
    best = int(np.argmin(penalties(masked))) if mask is None else mask
    return Symbol(data, masked[best].copy(), chosen, error, best)


def missing_bits(payload: bytes, error: str, version: int) -> int:
    """Return by how many bits a payload is too long for a symbol; 0 where it fits."""
    size = version_range(version)
    needed = stream_length(shortest_segments(payload, size), size)
    return max(0, needed - 8 * block_structure(version, error).data_codewords)


def fitting_version(payload: bytes, error: str) -> int | None:
    """Return the smallest version that holds a payload, None where none does."""
    for size, versions in enumerate((range(1, 10), range(10, 27), range(27, 41))):
        needed = stream_length(shortest_segments(payload, size), size)
        for version in versions:
            if needed <= 8 * block_structure(version, error).data_codewords:
                return version
    return None


def byte_capacity(version: int, error: str) -> int:
    """Return how many arbitrary bytes a symbol holds (byte mode, one segment)."""
    head = 12 if version <= 9 else 20
    return (8 * block_structure(version, error).data_codewords - head) // 8


def place_codewords(codewords: NDArray[np.uint8], version: int) -> NDArray[np.bool_]:
    """Put interleaved codewords into a symbol, without mask and format information.

    Parameters
    ----------
    codewords : (n,) uint8 array
        All codewords of the symbol in the order of placement.
    version : int
        1 to 40.

    Returns
    -------
    (side, side) bool array
        The modules; remainder bits are light.
    """
    dark, _ = function_patterns(version)
    rows, columns = codeword_positions(version)
    modules = dark.copy()
    bits = np.unpackbits(codewords)
    modules[rows[: bits.size], columns[: bits.size]] = bits == 1
    return modules


def block_order(version: int, error: str) -> NDArray[np.int_]:
    """Return where each placed codeword stands among the blocks written one after the other.

    Parameters
    ----------
    version : int
        1 to 40.
    error : {"L", "M", "Q", "H"}
        Error-correction level.

    Returns
    -------
    (n,) int array
        ``placed = blocks[order]``, with the data codewords of all blocks first and all parity
        codewords after them (ISO/IEC 18004:2015, 7.6).
    """
    structure = block_structure(version, error)
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
    return np.concatenate((np.array(data), parity.ravel()))


def _check(data: bytes, error: str, version: int | None, mask: int | None) -> None:
    if not data:
        raise ValueError("There is nothing to encode: the payload is empty.")
    if error not in LEVELS:
        raise ValueError(f"Error-correction level {error!r} does not exist: use L, M, Q or H.")
    if version is not None and version not in range(1, 41):
        raise ValueError(f"Version {version} does not exist: use 1 to 40.")
    if mask is not None and mask not in range(8):
        raise ValueError(f"Mask {mask} does not exist: use 0 to 7.")


def _data_codewords(data: bytes, error: str, version: int) -> NDArray[np.uint8]:
    size = version_range(version)
    bits = write_stream(shortest_segments(data, size), size)
    return pad(bits, block_structure(version, error).data_codewords)


def _interleave(data: NDArray[np.uint8], error: str, version: int) -> NDArray[np.uint8]:
    structure = block_structure(version, error)
    blocks = np.split(data, np.cumsum(structure.data)[:-1])
    parity = np.zeros((len(blocks), structure.parity), dtype=np.uint8)
    lengths = np.array(structure.data)
    for length in sorted(set(structure.data)):
        rows = np.flatnonzero(lengths == length)
        parity[rows] = reed_solomon.encode(
            np.stack([blocks[row] for row in rows]), structure.parity
        )
    return np.concatenate((data, parity.ravel()))[block_order(version, error)]


def _too_long(data: bytes, error: str, version: int | None) -> PayloadTooLong:
    asked = 40 if version is None else version
    missing = missing_bits(data, error, asked)
    others = []
    larger = fitting_version(data, error)
    if larger is not None:
        side = side_modules(larger)
        others.append(f"version {larger}-{error} ({side} x {side} modules)")
    if version is not None:
        weaker = [e for e in LEVELS if missing_bits(data, e, version) == 0]
        if weaker:
            others.append(f"error-correction level {weaker[-1]} at version {version}")
    elif weaker := [e for e in LEVELS if fitting_version(data, e) is not None]:
        others.append(f"error-correction level {weaker[-1]}")
    hint = (
        f"It fits into {' or '.join(others)}."
        if others
        else f"No QR code holds more than {byte_capacity(40, 'L')} arbitrary bytes: divide it."
    )
    return PayloadTooLong(
        f"The payload of {len(data)} bytes is too long for version {asked}-{error} "
        f"by {-(-missing // 8)} bytes ({missing} bits). {hint}",
        missing,
    )
