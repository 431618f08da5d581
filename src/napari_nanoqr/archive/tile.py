"""Tiles: a payload and its header become modules, and soft bits become both again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.decoded import (
    DecodedTile,
    DecodedWords,
    decoded_tile,
    weigh_words,
)
from napari_nanoqr.archive.header import HEADER_BYTES, NotAHeader, TileHeader
from napari_nanoqr.archive.layout import (
    HEADER_BITS,
    SIDE,
    WORD_BITS,
    WORD_BYTES,
    WORDS,
    data_cells,
    header_cells,
    marks,
    scrambler,
    word_cells,
)
from napari_nanoqr.codes.crc import crc64
from napari_nanoqr.codes.ldpc import header_code, tile_code

CERTAIN = 127
"""The soft bit of a bit that is known to be 0."""


@cache
def _signs(bits: int) -> NDArray[np.int8]:
    """Return what undoes the scrambler in soft bits: 1 or -1 for each bit of the codewords."""
    return (1 - 2 * scrambler().reshape(-1)[word_cells(bits)].astype(np.int8)).astype(np.int8)


@cache
def _blank(bits: int) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Return a tile of nothing, and which bit of header and data each module adds.

    Both are ``(bits, 512, 512)``. The bits are counted in a row of one zero bit, the header's
    codeword, and all codewords of data.
    """
    modules = scrambler()[:bits].copy()
    for mark in marks():
        here = np.s_[mark.row : mark.row + mark.side, mark.column : mark.column + mark.side]
        modules[0][here] = mark.bits
    sources = np.zeros((bits, SIDE, SIDE), np.intp)
    sources.reshape(-1)[header_cells()[:, :HEADER_BITS]] = 1 + np.arange(HEADER_BITS)
    words = word_cells(bits)
    sources.reshape(-1)[words] = 1 + HEADER_BITS + np.arange(words.size).reshape(words.shape)
    if bits == 2:
        # all that is no data uses the two extreme levels, whose low bit is 0
        idle = np.ones((SIDE, SIDE), bool)
        idle.flat[data_cells()[: WORDS * WORD_BITS]] = False
        modules[1][idle] = 0
    return modules, sources


def _words_of(payload: bytes, rate: str, bits: int) -> NDArray[np.uint8]:
    """Return the information of the codewords, packed: payload, CRC, zero bits."""
    count, size = WORDS * bits, WORD_BYTES[rate]
    data = np.zeros((count, -(-tile_code(rate).k // 8)), np.uint8)
    padded = np.frombuffer(payload.ljust(count * size, b"\0"), np.uint8)
    data[:, :size] = padded.reshape(count, size)
    sums = crc64(data[:, :size], np.arange(count, dtype=np.uint8))
    data[:, size : size + 8] = sums.astype(">u8").view(np.uint8).reshape(count, 8)
    return data


def encode_tile(header: TileHeader, payload: bytes) -> NDArray[np.uint8]:
    """Draw a tile.

    Parameters
    ----------
    header : TileHeader
        What the tile says of itself; its length and digest are those of ``payload`` whatever
        they were.
    payload : bytes
        At most ``header.capacity`` bytes.

    Returns
    -------
    (512, 512) uint8 array
        Level of each module: 0 stays as it is, 1 is milled; with two bits a module 0 to 3 of
        rising depth.

    Raises
    ------
    ValueError
        Where the payload does not fit.
    """
    header = header.holding(payload)
    said = np.zeros((1, -(-header_code().k // 8)), np.uint8)
    said[0, :HEADER_BYTES] = np.frombuffer(header.to_bytes(), np.uint8)
    words = tile_code(header.rate).encode_packed(_words_of(payload, header.rate, header.bits))
    carried = [
        np.zeros(1, np.uint8),
        np.unpackbits(header_code().encode_packed(said), count=HEADER_BITS),
        np.unpackbits(words),
    ]
    blank, sources = _blank(header.bits)
    planes = blank ^ np.concatenate(carried).take(sources)
    if header.bits == 2:
        planes[0] = 2 * planes[0] + (planes[0] ^ planes[1])
    return np.asarray(planes[0])


def combine(sightings: Sequence[NDArray[np.int8]]) -> NDArray[np.int8]:
    """Add what several images tell of one tile.

    Parameters
    ----------
    sightings : sequence of (planes, 512, 512) int8 arrays
        Soft bits of the same tile from images with independent noise, at least one.

    Returns
    -------
    (planes, 512, 512) int8 array
        Their sum, clipped to +-127.
    """
    total = np.zeros(sightings[0].shape, np.int32)
    for soft in sightings:
        total += soft
    return np.clip(total, -CERTAIN, CERTAIN).astype(np.int8)


def read_headers(softs: Sequence[NDArray[np.int8]]) -> list[TileHeader | None]:
    """Read the headers of many tiles, each from both copies together or from either.

    Parameters
    ----------
    softs : sequence of (planes, 512, 512) or (512, 512) int8 arrays
        Soft bits of the tiles, positive where a module's bit is more likely 0 (not milled).

    Returns
    -------
    list of (TileHeader or None)
        None where no copy can be read.
    """
    if not softs:
        return []
    cells = header_cells()[:, :HEADER_BITS]
    signs = 1 - 2 * scrambler()[0].reshape(-1)[cells].astype(np.int16)
    copies = np.stack([soft.reshape(-1)[cells] * signs for soft in softs])
    together = np.clip(copies.sum(axis=1, keepdims=True), -CERTAIN, CERTAIN)
    words = np.concatenate((together, copies), axis=1).astype(np.int8)
    words[..., 8 * HEADER_BYTES : header_code().k] = CERTAIN
    decoded = header_code().decode(words.reshape(-1, HEADER_BITS))
    data = np.packbits(decoded.bits[:, : 8 * HEADER_BYTES], axis=1)
    headers: list[TileHeader | None] = []
    for candidates in data.reshape(len(softs), 3, HEADER_BYTES):
        headers.append(None)
        for candidate in candidates:
            try:
                headers[-1] = TileHeader.from_bytes(candidate.tobytes())
                break
            except NotAHeader:
                continue
    return headers


def read_header(soft: NDArray[np.int8]) -> TileHeader | None:
    """Read the header of one tile, see :func:`read_headers`."""
    return read_headers([soft])[0]


def decode_tile(
    soft: NDArray[np.int8], header: TileHeader | None = None, iterations: int = 50
) -> DecodedTile:
    """Read one tile, see :func:`decode_tiles`."""
    return decode_tiles([soft], [header], iterations)[0]


def decode_tiles(
    softs: Sequence[NDArray[np.int8]],
    headers: Sequence[TileHeader | None] | None = None,
    iterations: int = 50,
) -> list[DecodedTile]:
    """Read many tiles; the codewords of all of one rate are decoded together.

    Parameters
    ----------
    softs : sequence of (planes, 512, 512) or (512, 512) int8 arrays
        Soft bits, 8 steps a nat, positive where a module's bit is more likely 0, 0 where nothing
        is known. The first plane is the high bit of the modules, or their only one.
    headers : sequence of (TileHeader or None), optional
        Headers that are known already; the others are read.
    iterations : int
        Rounds that the decoder tries at most.

    Returns
    -------
    list of DecodedTile
        In the order of ``softs``.
    """
    known: list[TileHeader | None]
    known = list(headers) if headers is not None else [None] * len(softs)
    unknown = [number for number, header in enumerate(known) if header is None]
    for number, header in zip(unknown, read_headers([softs[n] for n in unknown]), strict=True):
        known[number] = header
    tiles = [DecodedTile(header) for header in known]
    kinds = {(header.rate, header.bits) for header in known if header is not None}
    for rate, bits in sorted(kinds):
        these = [
            (number, header)
            for number, header in enumerate(known)
            if header is not None and (header.rate, header.bits) == (rate, bits)
        ]
        words = np.concatenate([_soft_words(softs[number], rate, bits) for number, _ in these])
        decoded = _decode_words(words, rate, bits, iterations)
        for place, (number, header) in enumerate(these):
            tiles[number] = decoded_tile(header, decoded.part(place, WORDS * bits))
    return tiles


def _soft_words(soft: NDArray[np.int8], rate: str, bits: int) -> NDArray[np.int8]:
    """Soft bits of a tile's codewords, ``(25 * bits, 10320)``, the known zeros certain."""
    planes = np.zeros((bits, SIDE, SIDE), np.int8)
    seen = soft.reshape(-1, SIDE, SIDE)[:bits]
    # -128 has no opposite
    np.maximum(seen, -CERTAIN, out=planes[: len(seen)])
    words = planes.reshape(-1)[word_cells(bits)] * _signs(bits)
    words[:, 8 * (WORD_BYTES[rate] + 8) : tile_code(rate).k] = CERTAIN
    return words


def _decode_words(words: NDArray[np.int8], rate: str, bits: int, iterations: int) -> DecodedWords:
    """Decode the codewords of several tiles, and hold each against its CRC."""
    code, size = tile_code(rate), WORD_BYTES[rate]
    # what tells of fewer bits than a codeword has of information cannot tell which it is
    able = np.count_nonzero(words, axis=1) >= code.k
    found = code.decode(words[able], iterations)
    data = np.zeros((len(words), size + 8), np.uint8)
    data[able] = np.packbits(found.bits[:, : 8 * (size + 8)], axis=1)
    converged, rounds = np.zeros(len(words), bool), np.zeros(len(words), np.int32)
    converged[able], rounds[able] = found.converged, found.iterations
    places = np.arange(len(words)) % (WORDS * bits)
    sums = crc64(data[:, :size], places.astype(np.uint8)).astype(">u8").view(np.uint8)
    good = able & (data[:, size:] == sums.reshape(-1, 8)).all(axis=1)
    sent = np.zeros(words.shape, np.uint8)
    if good.any():
        sent[good] = code.encode(found.bits[good[able]])
    return DecodedWords(
        data[:, :size], good, converged, rounds, *weigh_words(words, sent, good, rate)
    )
