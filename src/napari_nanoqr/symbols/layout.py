"""Where everything stands in a symbol of any kind, and how it is to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.syntax import Syntax
from napari_nanoqr.symbols.tables import BlockStructure

Modules = NDArray[np.bool_]
"""``(rows, columns)`` modules, True = dark, row 0 at the top."""

Places = tuple[NDArray[np.int_], NDArray[np.int_]]
"""Rows and columns of some modules, two ``(n,)`` int arrays."""


@dataclass(frozen=True, eq=False)
class Layout:
    """What all symbols of one kind and version have in common.

    Parameters
    ----------
    symbology : {"QR", "Micro QR", "rMQR"}
        Kind of symbol.
    version : int or str
        1 to 40, ``"M1"`` to ``"M4"``, or e.g. ``"R13x43"``.
    dark : (rows, columns) bool array
        Modules that are dark in every symbol; False elsewhere.
    certain : (rows, columns) bool array
        Modules that are the same in every symbol, as `dark` says.
    finders : (rows, columns) bool array
        Those of the finder patterns and their separators.
    codeword_places : (rows, columns)
        Modules of the codewords, in the order of placement; remainder bits at the end.
    masks : (n, rows, columns) bool array
        Data masks, False outside of the codewords' modules.
    format_places : (rows, columns)
        Modules of the format information, all copies one after the other.
    formats : tuple of (str, int)
        Error-correction levels and masks that a symbol of this version may have.
    format_words : (formats, n) bool array
        The format information of each, as it stands in these modules, True = dark.
    blocks : mapping of str to BlockStructure
        How codewords are divided into blocks, by error-correction level.
    syntax : Syntax
        How the bit stream is written.
    """

    symbology: str
    version: int | str
    dark: Modules
    certain: Modules
    finders: Modules
    codeword_places: Places
    masks: NDArray[np.bool_]
    format_places: Places
    formats: tuple[tuple[str, int], ...]
    format_words: NDArray[np.bool_]
    blocks: Mapping[str, BlockStructure]
    syntax: Syntax

    def __post_init__(self) -> None:
        for array in (self.dark, self.certain, self.finders, self.masks, self.format_words):
            array.setflags(write=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Modules, rows and columns."""
        return self.dark.shape[0], self.dark.shape[1]

    @property
    def name(self) -> str:
        """The version in words."""
        return f"version {self.version}" if self.symbology == "QR" else str(self.version)

    def put_format(self, modules: Modules, error: str, mask: int) -> None:
        """Write all copies of the format information into a symbol, in place."""
        modules[self.format_places] = self.format_words[self.formats.index((error, mask))]

    def nearest_format(self, modules: Modules) -> tuple[str, int, int]:
        """Find the format information that fits all of its copies best.

        Parameters
        ----------
        modules : (rows, columns) bool array
            A sampled symbol.

        Returns
        -------
        error : str
            Error-correction level.
        mask : int
            Data mask.
        distance : int
            In how many of its modules the format information differs.
        """
        distances = (self.format_words != modules[self.format_places]).sum(axis=1)
        best = int(distances.argmin())
        return (*self.formats[best], int(distances[best]))


def finder_pattern() -> Modules:
    """Return the 7 x 7 modules of a finder pattern."""
    ring = np.abs(np.arange(-3, 4))
    return np.asarray(np.maximum.outer(ring, ring) != 2)


def finder_corner(shape: tuple[int, int]) -> Modules:
    """Return which modules are those of a finder pattern top left and its separator."""
    corner = np.zeros(shape, dtype=bool)
    corner[:8, :8] = True
    return corner


def bit_table(words: Sequence[int], bits: int) -> NDArray[np.bool_]:
    """Return the bits of some words, the least first, as ``(words, bits)`` bool array."""
    return np.asarray(np.array(words)[:, None] >> np.arange(bits) & 1 == 1)


def zigzag(reserved: Modules, rights: Sequence[int]) -> Places:
    """Return the free modules in the order in which codewords are placed.

    Parameters
    ----------
    reserved : (rows, columns) bool array
        Modules where no codeword stands.
    rights : sequence of int
        The right one of each pair of columns, in their order: the first pair is followed
        upwards, the next one downwards, and so on (ISO/IEC 18004:2015, 7.7.3).

    Returns
    -------
    rows, columns : (n,) int arrays
        The modules.
    """
    up = np.arange(reserved.shape[0] - 1, -1, -1)
    rows, columns = [], []
    for number, right in enumerate(rights):
        order = up if number % 2 == 0 else up[::-1]
        rows.append(np.repeat(order, 2))
        columns.append(np.tile([right, right - 1], up.size))
    all_rows, all_columns = np.concatenate(rows), np.concatenate(columns)
    free = ~reserved[all_rows, all_columns]
    return all_rows[free], all_columns[free]
