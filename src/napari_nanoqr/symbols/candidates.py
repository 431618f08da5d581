"""All symbols that hold a payload, told from the length of its bit stream alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from napari_nanoqr.symbols.micro import VERSIONS, micro_blocks, micro_side, micro_syntax
from napari_nanoqr.symbols.rectangular import SIZES, rectangular_blocks, rectangular_syntax
from napari_nanoqr.symbols.segments import (
    NoMode,
    least_bits,
    shortest_segments,
    stream_length,
)
from napari_nanoqr.symbols.syntax import Syntax, qr_syntax
from napari_nanoqr.symbols.tables import LEVELS, BlockStructure, block_structure, side_modules

SYMBOLOGIES = ("QR", "Micro QR", "rMQR")
"""Kinds of symbols."""

SMALLEST = "smallest"
"""Stands for all kinds where the smallest symbol is asked for."""


class Candidate(NamedTuple):
    """A symbol that would hold a payload.

    Parameters
    ----------
    symbology : {"QR", "Micro QR", "rMQR"}
        Kind of symbol.
    version : int or str
        1 to 40, ``"M1"`` to ``"M4"``, or e.g. ``"R13x43"``.
    error : {"L", "M", "Q", "H"}
        Error-correction level; of M1, which has none and corrects nothing, L.
    rows, columns : int
        Modules, without the quiet zone.
    """

    symbology: str
    version: int | str
    error: str
    rows: int
    columns: int

    @property
    def modules(self) -> int:
        """Modules of the whole symbol."""
        return self.rows * self.columns


class _Version(NamedTuple):
    """What the choice of a version needs to know; cheaper than its layout."""

    version: int | str
    rows: int
    columns: int
    blocks: Callable[[], Mapping[str, BlockStructure]]


def candidates(
    payload: bytes | str, symbologies: Sequence[str] = SYMBOLOGIES, eci: bool = False
) -> list[Candidate]:
    """Return all symbols that hold a payload, smallest first.

    Parameters
    ----------
    payload : bytes or str
        What to store; text is stored as :func:`~napari_nanoqr.symbols.encode.encode` does.
    symbologies : sequence of {"QR", "Micro QR", "rMQR"}
        Kinds to choose from.
    eci : bool
        Text may be stored in another character set than UTF-8.

    Returns
    -------
    list of Candidate
        By their modules, of equal ones those of the stronger level first. None of them is
        built: no more than the lengths of bit streams are compared.

    Raises
    ------
    ValueError
        Where the payload is empty, or a kind does not exist.
    """
    if not payload:
        raise ValueError("There is nothing to encode: the payload is empty.")
    found = []
    least = least_bits(payload)
    for symbology in symbologies:
        if symbology not in SYMBOLOGIES:
            raise ValueError(
                f"Symbology {symbology!r} does not exist: use {', '.join(SYMBOLOGIES)}."
            )
        for syntax, versions in _families(symbology):
            sizes = [
                (Candidate(symbology, v.version, error, v.rows, v.columns), structure.data_bits)
                for v in versions
                for error, structure in v.blocks().items()
            ]
            # to divide a long payload takes longer than all the rest
            if least > max(bits for _, bits in sizes):
                continue
            try:
                needed = stream_length(shortest_segments(payload, syntax, eci), syntax)
            except NoMode:
                continue
            found += [candidate for candidate, bits in sizes if needed <= bits]
    return sorted(found, key=lambda c: (c.modules, -LEVELS.index(c.error), c.rows))


def levels_of(symbology: str) -> list[str]:
    """Return the error-correction levels of a kind, weakest first."""
    versions = [v for _, versions in _families(symbology) for v in versions]
    return sorted({error for v in versions for error in v.blocks()}, key=LEVELS.index)


def _families(symbology: str) -> Iterator[tuple[Syntax, list[_Version]]]:
    """Yield the versions of a kind together with the way in which they write their streams."""
    if symbology == "QR":
        for numbers in (range(1, 10), range(10, 27), range(27, 41)):
            yield qr_syntax(numbers[0]), [_qr_version(number) for number in numbers]
    elif symbology == "Micro QR":
        for name in VERSIONS:
            side = micro_side(name)
            yield micro_syntax(name), [_Version(name, side, side, partial(micro_blocks, name))]
    else:
        for rows, columns in SIZES:
            blocks = partial(rectangular_blocks, rows, columns)
            version = _Version(f"R{rows}x{columns}", rows, columns, blocks)
            yield rectangular_syntax(rows, columns), [version]


def _qr_version(number: int) -> _Version:
    side = side_modules(number)
    return _Version(
        number, side, side, lambda: {error: block_structure(number, error) for error in LEVELS}
    )
