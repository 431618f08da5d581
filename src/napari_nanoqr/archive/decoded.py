"""What was read of a tile: its codewords with their margins, and its payload where it is whole."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.header import TileHeader
from napari_nanoqr.archive.margin import expected, margin_db, told


@dataclass(frozen=True, eq=False)
class DecodedWords:
    """Codewords of one or several tiles after decoding, one row or entry each.

    Attributes
    ----------
    data : (w, size) uint8 array
        Payload bytes; only those of good codewords mean anything.
    good, converged, iterations, wrong, error_rate, information, margin_db : (w,) arrays
        See :class:`DecodedTile`.
    """

    data: NDArray[np.uint8]
    good: NDArray[np.bool_]
    converged: NDArray[np.bool_]
    iterations: NDArray[np.int32]
    wrong: NDArray[np.int64]
    error_rate: NDArray[np.float64]
    information: NDArray[np.float64]
    margin_db: NDArray[np.float64]

    def part(self, number: int, count: int) -> DecodedWords:
        """Return the codewords of the ``number``-th tile of ``count`` codewords each."""
        own = slice(number * count, (number + 1) * count)
        return DecodedWords(*(getattr(self, item.name)[own] for item in fields(self)))


def weigh_words(
    soft: NDArray[np.int8], sent: NDArray[np.uint8], good: NDArray[np.bool_], rate: str
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return how well codewords were read.

    Parameters
    ----------
    soft : (w, n) int8 array
        Their soft bits as received.
    sent : (w, n) uint8 array
        The codewords, where they are known.
    good : (w,) bool array
        Which are known.
    rate : str
        Of their code.

    Returns
    -------
    wrong, error_rate, information, margin_db : (w,) arrays
        See :class:`DecodedTile`.
    """
    information, error_rate = expected(soft)
    wrong = np.full(len(soft), -1, np.int64)
    if good.any():
        information[good], wrong[good] = told(soft[good], sent[good])
        seen = np.maximum(np.count_nonzero(soft[good], axis=1), 1)
        error_rate[good] = wrong[good] / seen
    return wrong, error_rate, information, margin_db(information, rate)


@dataclass(frozen=True, eq=False)
class DecodedTile:
    """What was read of a tile; arrays have one entry for each codeword.

    Attributes
    ----------
    header : TileHeader or None
        None where neither copy could be read; nothing else is known then.
    blocks : tuple of (bytes or None)
        Payload of each codeword, None where it is lost.
    good : bool array
        Whether the CRC agrees: only these codewords count.
    converged : bool array
        Whether the decoder found a codeword at all.
    iterations : int array
        Rounds of the decoder.
    wrong : int array
        Bits that were read wrongly, -1 where the codeword is lost.
    error_rate : float array
        Share of wrong bits among those seen; where the codeword is lost, the share that the
        soft bits expect.
    information : float array
        What a soft bit told, in bits; where the codeword is lost, what the soft bits claim.
    margin_db : float array
        Distance to the threshold of the code, see :mod:`napari_nanoqr.archive.margin`.
    payload : bytes or None
        All of it, where every codeword is good and the header's digest agrees.
    """

    header: TileHeader | None
    blocks: tuple[bytes | None, ...] = ()
    good: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    converged: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    iterations: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    wrong: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    error_rate: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    information: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    margin_db: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    payload: bytes | None = None

    @property
    def lost(self) -> int:
        """Codewords that are lost."""
        return int((~self.good).sum())

    @property
    def contradictory(self) -> bool:
        """Whether all codewords are good but the digest disagrees: this is not the payload."""
        return self.header is not None and self.lost == 0 and self.payload is None

    @property
    def margin(self) -> float:
        """The least margin of a codeword in dB, NaN without a header."""
        return float(self.margin_db.min()) if self.margin_db.size else float("nan")


def decoded_tile(header: TileHeader, words: DecodedWords) -> DecodedTile:
    """Put the codewords of a tile together.

    Parameters
    ----------
    header : TileHeader
        Of the tile.
    words : DecodedWords
        All its codewords, in their order.

    Returns
    -------
    DecodedTile
        With its payload only where all codewords are good and the digest agrees.
    """
    payload = None
    if words.good.all():
        whole = words.data.tobytes()[: header.length]
        payload = whole if hashlib.sha256(whole).digest()[:4] == header.digest else None
    return DecodedTile(
        header,
        tuple(
            block.tobytes() if good else None
            for block, good in zip(words.data, words.good, strict=True)
        ),
        **{item.name: getattr(words, item.name) for item in fields(words) if item.name != "data"},
        payload=payload,
    )
