"""From a payload to a symbol."""

from __future__ import annotations

from napari_nanoqr.symbols.candidates import SMALLEST, SYMBOLOGIES, candidates, levels_of
from napari_nanoqr.symbols.kinds import layout_named
from napari_nanoqr.symbols.layout import Layout
from napari_nanoqr.symbols.penalty import best_mask
from napari_nanoqr.symbols.placement import place_codewords, with_parity
from napari_nanoqr.symbols.segments import (
    Bits,
    pad,
    shortest_segments,
    stream_length,
    write_stream,
)
from napari_nanoqr.symbols.symbol import Symbol
from napari_nanoqr.symbols.tables import LEVELS


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
    payload: bytes | str,
    error: str = "M",
    version: int | str | None = None,
    mask: int | None = None,
    *,
    symbology: str | None = None,
    eci: bool = False,
) -> Symbol:
    """Encode a payload as a QR code (ISO/IEC 18004:2015), Micro QR code or rMQR code.

    Parameters
    ----------
    payload : bytes or str
        What to store, at least one byte. It is divided into numeric, alphanumeric, byte and,
        where it is text, Kanji segments so that the symbol is smallest. Characters of text in
        byte segments are stored as UTF-8.
    error : {"L", "M", "Q", "H"}
        Error-correction level; never raised silently.
    version : int or str, optional
        1 to 40 for QR codes, ``"M1"`` to ``"M4"`` for Micro QR codes, e.g. ``"R13x43"`` for rMQR
        codes; by default the smallest that holds the payload.
    mask : int, optional
        Data mask, 0 to 7, of Micro QR codes 0 to 3; by default the one that tells the symbol best
        from its surroundings (7.8.3).
    symbology : {"QR", "Micro QR", "rMQR", "smallest"}, optional
        Kind of symbol to choose a version of, ``"smallest"`` for the smallest of all; by default
        that of the version, or QR. M1, which corrects nothing, is only taken where it is named.
    eci : bool
        Text may be stored in another character set than UTF-8 where that makes it shorter; an ECI
        names it, which not all readers understand.

    Returns
    -------
    Symbol
        The symbol; decoding it gives the same payload: the bytes, or the text as UTF-8.

    Raises
    ------
    PayloadTooLong
        Where the payload does not fit; says by how much and what would hold it.
    ValueError
        Where the payload is empty, or the level, version, kind or mask does not exist.

    Examples
    --------
    >>> symbol = encode("https://example.org", error="L")
    >>> symbol.version, symbol.modules
    (2, 25)
    """
    data = payload.encode("utf-8") if isinstance(payload, str) else bytes(payload)
    if not data:
        raise ValueError("There is nothing to encode: the payload is empty.")
    if not isinstance(payload, str):
        payload = data
    _check_kind(error, version, symbology)
    chosen = version
    if chosen is None:
        chosen = fitting_version(payload, error, symbology or "QR", eci)
    if chosen is None or missing_bits(payload, error, chosen, eci) > 0:
        raise _too_long(payload, error, version, symbology, eci)
    layout = layout_named(chosen)
    if mask is not None and mask not in range(masks := len(layout.masks)):
        raise ValueError(f"Mask {mask} does not exist: use 0 to {masks - 1}.")
    bits = write_stream(shortest_segments(payload, layout.syntax, eci), layout.syntax)
    return symbol_of(bits, data, layout, error, mask)


def symbol_of(
    bits: Bits, payload: bytes, layout: Layout, error: str, mask: int | None = None
) -> Symbol:
    """Return the symbol that holds a bit stream.

    Parameters
    ----------
    bits : (n,) uint8 array
        The stream without terminator and padding; it fits.
    payload : bytes
        What it says.
    layout : Layout
        Kind and version of the symbol.
    error : str
        Error-correction level.
    mask : int, optional
        By default the best one.
    """
    structure = layout.blocks[error]
    codewords = with_parity(pad(bits, structure.data_bits, layout.syntax), structure)
    masked = place_codewords(codewords, layout, error)[None] ^ layout.masks
    for number in range(len(masked)):
        layout.put_format(masked[number], error, number)
    best = best_mask(masked, layout.symbology) if mask is None else mask
    return Symbol(payload, masked[best].copy(), layout.version, error, best)


def missing_bits(payload: bytes | str, error: str, version: int | str, eci: bool = False) -> int:
    """Return by how many bits a payload is too long for a symbol; 0 where it fits."""
    layout = layout_named(version)
    needed = stream_length(shortest_segments(payload, layout.syntax, eci), layout.syntax)
    return max(0, needed - layout.blocks[error].data_bits)


def fitting_version(
    payload: bytes | str, error: str, symbology: str = "QR", eci: bool = False
) -> int | str | None:
    """Return the version of the smallest symbol that holds a payload, None where none does.

    Of one of the :data:`~napari_nanoqr.symbols.candidates.SYMBOLOGIES`, or of all of them with
    ``"smallest"``; not M1.
    """
    kinds = SYMBOLOGIES if symbology == SMALLEST else (symbology,)
    for candidate in candidates(payload, kinds, eci):
        if candidate.error == error and candidate.version != "M1":
            return candidate.version
    return None


def byte_capacity(version: int | str, error: str) -> int:
    """Return how many arbitrary bytes a symbol holds (byte mode, one segment)."""
    layout = layout_named(version)
    if "byte" not in layout.syntax.count_bits:
        return 0
    return (layout.blocks[error].data_bits - layout.syntax.head_bits("byte")) // 8


def _check_kind(error: str, version: int | str | None, symbology: str | None) -> None:
    if error not in LEVELS:
        raise ValueError(f"Error-correction level {error!r} does not exist: use L, M, Q or H.")
    if symbology not in (None, SMALLEST, *SYMBOLOGIES):
        kinds = ", ".join((*SYMBOLOGIES, SMALLEST))
        raise ValueError(f"Symbology {symbology!r} does not exist: use {kinds}.")
    if version is not None:
        layout = layout_named(version)
        name, levels = layout.name, list(layout.blocks)
        if symbology not in (None, SMALLEST, layout.symbology):
            raise ValueError(f"{name} is no {symbology} code: leave one of them out.")
    elif symbology is None or symbology == SMALLEST:
        return
    else:
        name, levels = symbology, levels_of(symbology)
    if error not in levels:
        raise ValueError(f"{name} has no level {error}: use {' or '.join(levels)}.")


def _too_long(
    payload: bytes | str, error: str, version: int | str | None, symbology: str | None, eci: bool
) -> PayloadTooLong:
    """Say by how much a payload is too long, and what would hold it."""
    largest = {"Micro QR": "M4", "rMQR": "R17x139"}
    asked = largest.get(symbology or "QR", 40) if version is None else version
    layout = layout_named(asked)
    missing = missing_bits(payload, error, asked, eci)
    others = []
    for kind in dict.fromkeys((layout.symbology, "QR")):
        larger = fitting_version(payload, error, kind, eci)
        if larger is not None:
            found = layout_named(larger)
            rows, columns = found.shape
            others.append(f"{found.name}-{error} ({rows} x {columns} modules)")
            break
    if version is not None:
        weaker = [e for e in layout.blocks if missing_bits(payload, e, version, eci) == 0]
        if weaker:
            others.append(f"error-correction level {weaker[-1]} at {layout.name}")
    elif weaker := [e for e in LEVELS if fitting_version(payload, e, layout.symbology, eci)]:
        others.append(f"error-correction level {weaker[-1]}")
    hint = (
        f"It fits into {' or '.join(others)}."
        if others
        else f"No QR code holds more than {byte_capacity(40, 'L')} arbitrary bytes: divide it."
    )
    size = len(payload.encode("utf-8") if isinstance(payload, str) else payload)
    return PayloadTooLong(
        f"The payload of {size} bytes is too long for {layout.name}-{error} "
        f"by {-(-missing // 8)} bytes ({missing} bits). {hint}",
        missing,
    )
