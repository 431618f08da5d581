"""One quasi-cyclic code: its numbers, and how to encode and to decode with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.ldpc.tables import HEADER, HEADER_SIZE, TILE, TILE_BLOCKS, TILE_SIZE

RATES = tuple(TILE)
"""Names of the rates of tiles: information over all bits, ``"0.88"`` being 53/60."""

STEPS_PER_NAT = 8
"""Scale of soft bits: 8 is a log-likelihood ratio of 1."""

Entry = tuple[int, int, int]


@dataclass(frozen=True)
class Decoded:
    """What the decoder made of some words.

    Parameters
    ----------
    bits : (words, k) uint8 array
        Information bits, the best guess where a word did not converge.
    converged : (words,) bool array
        All parity checks hold and no bit is open. A check sum of the payload should still be
        held against the bits: another codeword may have been nearer.
    iterations : (words,) int32 array
        Rounds over all checks, of both tries where the first did not converge; 0 where the hard
        decisions already were a codeword.
    flipped : (words,) int32 array
        Hard decisions that were changed, of all ``n``; bits of soft value 0 are not counted.
    """

    bits: NDArray[np.uint8]
    converged: NDArray[np.bool_]
    iterations: NDArray[np.int32]
    flipped: NDArray[np.int32]


@dataclass(frozen=True)
class LdpcCode:
    """A systematic quasi-cyclic code whose parity part is an accumulator.

    The ``n`` bits are blocks of ``size`` bits: first the information, then one block for each
    row of checks. An entry ``(row, column, shift)`` says that check ``z`` of this row (0 to
    ``size - 1``) includes bit ``(z + shift) mod size`` of that block. A word is a codeword where
    all checks are even. With ``m`` rows the first parity block stands in row 0 with shift 1, in
    row ``m // 2`` with shift 0 and in row ``m - 1`` with shift 1; parity block ``j`` (1 to
    ``m - 1``) in rows ``j - 1`` and ``j`` with shift 0. So the sum of all rows gives the first
    parity block, and each row then gives the next.

    Parameters
    ----------
    size : int
        Bits of a block.
    rows : int
        Rows of checks, which is also the number of parity blocks.
    information : tuple of tuples of (row, shift)
        The entries of each block of information.
    """

    size: int
    rows: int
    information: tuple[tuple[tuple[int, int], ...], ...]

    @property
    def n(self) -> int:
        """Bits of a codeword."""
        return self.size * (len(self.information) + self.rows)

    @property
    def k(self) -> int:
        """Information bits of a codeword: its first ones."""
        return self.size * len(self.information)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """All ``(row, column, shift)``, row by row."""
        found = [
            (row, column, shift)
            for column, block in enumerate(self.information)
            for row, shift in block
        ]
        first, last = len(self.information), self.rows - 1
        found += [(0, first, 1), (self.rows // 2, first, 0), (last, first, 1)]
        for j in range(1, self.rows):
            found += [(j - 1, first + j, 0), (j, first + j, 0)]
        return tuple(sorted(found))

    def encode(self, bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Append the parity bits.

        Parameters
        ----------
        bits : (words, k) uint8 array
            0 or 1.

        Returns
        -------
        (words, n) uint8 array
            0 or 1; the first ``k`` of each word are the bits given.

        Raises
        ------
        ValueError
            Where the array has another shape or holds other numbers than 0 and 1.
        """
        given = _checked(bits, self.k, "information bits")
        if given.size and (given.dtype.kind not in "bui" or given.min() < 0 or given.max() > 1):
            raise ValueError("Bits to encode are whole numbers, 0 or 1.")
        packed = self.encode_packed(np.packbits(given.astype(np.uint8), axis=1))
        return np.unpackbits(packed, axis=1, count=self.n)

    def encode_packed(self, packed: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Append the parity bits to words whose bits stand in bytes, the high bit first.

        Parameters
        ----------
        packed : (words, ceil(k / 8)) uint8 array
            What is left of the last byte beyond ``k`` bits is not looked at.

        Returns
        -------
        (words, ceil(n / 8)) uint8 array
            The rest of the last byte is zero.

        Raises
        ------
        ValueError
            Where the array has another shape or type.
        """
        from napari_nanoqr.codes.ldpc.encoder import encode_words

        given = _checked(packed, -(-self.k // 8), "bytes of information")
        if given.dtype != np.uint8:
            raise ValueError(f"Packed information is uint8, not {given.dtype}.")
        out = np.zeros((len(given), -(-self.n // 8)), np.uint8)
        starts, columns, shifts = self._by_column
        encode_words(
            np.ascontiguousarray(given), self.size, self.rows, starts, columns, shifts, out
        )
        return out

    def decode(self, soft: NDArray[np.int8], iterations: int = 50) -> Decoded:
        """Find the codewords that soft bits most likely were.

        Parameters
        ----------
        soft : (words, n) int8 array
            Log-likelihood ratios, 8 steps a nat: positive where a 0 is more likely, 0 where
            nothing is known.
        iterations : int, optional
            Rounds over all checks after which a try is given up. Words are tried a second time
            with soft bits cut to 5 nats, in case some errors are surer than they should be.

        Returns
        -------
        Decoded
            Bits and how sure they are, word by word.

        Raises
        ------
        ValueError
            Where the array has another shape or type, or ``iterations`` is negative.
        """
        from napari_nanoqr.codes.ldpc.decoder import decode_words

        given = _checked(soft, self.n, "soft bits")
        if given.dtype != np.int8:
            raise ValueError(f"Soft bits are int8, not {given.dtype}.")
        if iterations < 0:
            raise ValueError(f"{iterations} iterations cannot be made.")
        words = len(given)
        bits = np.empty((words, self.k), np.uint8)
        converged = np.empty(words, np.bool_)
        used, flipped = np.empty(words, np.int32), np.empty(words, np.int32)
        starts, columns, shifts = self._by_row
        decode_words(
            np.ascontiguousarray(given), self.size, starts, columns, shifts, iterations,
            bits, converged, used, flipped,
        )  # fmt: skip
        return Decoded(bits, converged, used, flipped)

    @cached_property
    def _by_row(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Where each row starts, and column and shift of its entries."""
        table = np.array(self.entries, np.int64)
        starts = np.searchsorted(table[:, 0], np.arange(self.rows + 1))
        return starts.astype(np.int64), table[:, 1].copy(), table[:, 2].copy()

    @cached_property
    def _by_column(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Where each block of information starts, and row and shift of its entries."""
        starts = np.cumsum([0] + [len(block) for block in self.information])
        table = np.array([entry for block in self.information for entry in block], np.int64)
        return starts.astype(np.int64), table[:, 0].copy(), table[:, 1].copy()


@lru_cache(maxsize=len(RATES))
def tile_code(rate: str) -> LdpcCode:
    """Return the code of the codewords in a tile: 60 blocks of 172 bits.

    Parameters
    ----------
    rate : str
        ``"1/2"``, ``"2/3"``, ``"4/5"`` or ``"0.88"`` (53/60).

    Returns
    -------
    LdpcCode
        ``n`` is 10,320, ``k`` is 5160, 6880, 8256 or 9116.

    Raises
    ------
    ValueError
        Where there is no code of this rate.
    """
    if rate not in TILE:
        raise ValueError(f"Tiles have no code of rate {rate!r}; there are {', '.join(TILE)}.")
    information = _parsed(TILE[rate])
    return LdpcCode(TILE_SIZE, TILE_BLOCKS - len(information), information)


@lru_cache(maxsize=1)
def header_code() -> LdpcCode:
    """Return the code of a tile's header: rate 1/2, 60 blocks of 13 bits, n = 780, k = 390."""
    information = _parsed(HEADER)
    return LdpcCode(HEADER_SIZE, TILE_BLOCKS - len(information), information)


def _parsed(table: str) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Read a table: blocks parted by commas, in each ``row:shift`` parted by blanks."""
    return tuple(
        tuple((int(row), int(shift)) for row, _, shift in (e.partition(":") for e in block.split()))
        for block in table.split(",")
    )


def _checked(array: NDArray[np.generic], width: int, what: str) -> NDArray[np.generic]:
    """Hand an array on that has the right width."""
    given = np.asarray(array)
    if given.ndim != 2 or given.shape[1] != width:
        raise ValueError(
            f"Words of this code have {width} {what}: the array must be (words, {width}), "
            f"not {given.shape}."
        )
    return given
