"""From a payload to a symbol."""

from __future__ import annotations

from napari_nanoqr.symbols.kinds import layout_named
from napari_nanoqr.symbols.penalty import best_mask
from napari_nanoqr.symbols.placement import place_codewords, with_parity
from napari_nanoqr.symbols.segments import pad, shortest_segments, stream_length, write_stream
from napari_nanoqr.symbols.symbol import Symbol
from napari_nanoqr.symbols.syntax import qr_syntax
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
    payload: bytes | str,
    error: str = "M",
    version: int | str | None = None,
    mask: int | None = None,
) -> Symbol:
    """Encode a payload as a QR code (Model 2, ISO/IEC 18004:2015), or as a smaller kind.

    Parameters
    ----------
    payload : bytes or str
        What to store, at least one byte; text is stored as UTF-8. The bytes are divided into
        numeric, alphanumeric and byte segments so that the symbol is smallest.
    error : {"L", "M", "Q", "H"}
        Error-correction level; never raised silently.
    version : int or str, optional
        1 to 40; by default the smallest that holds the payload.
    mask : int, optional
        Data mask, 0 to 7; by default the one that tells the symbol best from its surroundings
        (7.8.3).

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
    if not data:
        raise ValueError("There is nothing to encode: the payload is empty.")
    _check(error, version, mask)
    chosen = fitting_version(data, error) if version is None else version
    if chosen is None or missing_bits(data, error, chosen) > 0:
        raise _too_long(data, error, version)
    layout = layout_named(chosen)
    structure = layout.blocks[error]
    bits = write_stream(shortest_segments(data, layout.syntax), layout.syntax)
    codewords = with_parity(pad(bits, structure.data_bits, layout.syntax), structure)
    masked = place_codewords(codewords, layout, error)[None] ^ layout.masks
    for number in range(len(masked)):
        layout.put_format(masked[number], error, number)
    best = best_mask(masked, layout.symbology) if mask is None else mask
    return Symbol(data, masked[best].copy(), chosen, error, best)


def missing_bits(payload: bytes | str, error: str, version: int | str) -> int:
    """Return by how many bits a payload is too long for a symbol; 0 where it fits."""
    layout = layout_named(version)
    needed = stream_length(shortest_segments(payload, layout.syntax), layout.syntax)
    return max(0, needed - layout.blocks[error].data_bits)


def fitting_version(payload: bytes, error: str) -> int | None:
    """Return the smallest version of QR code that holds a payload, None where none does."""
    for versions in (range(1, 10), range(10, 27), range(27, 41)):
        syntax = qr_syntax(versions[0])
        needed = stream_length(shortest_segments(payload, syntax), syntax)
        for version in versions:
            if needed <= block_structure(version, error).data_bits:
                return version
    return None


def byte_capacity(version: int | str, error: str) -> int:
    """Return how many arbitrary bytes a symbol holds (byte mode, one segment)."""
    layout = layout_named(version)
    if "byte" not in layout.syntax.count_bits:
        return 0
    return (layout.blocks[error].data_bits - layout.syntax.head_bits("byte")) // 8


def _check(error: str, version: int | str | None, mask: int | None) -> None:
    if error not in LEVELS:
        raise ValueError(f"Error-correction level {error!r} does not exist: use L, M, Q or H.")
    layout = layout_named(1 if version is None else version)
    levels = list(layout.blocks)
    if error not in levels:
        raise ValueError(f"{layout.name} has no level {error}: use {' or '.join(levels)}.")
    if mask is not None and mask not in range(masks := len(layout.masks)):
        raise ValueError(f"Mask {mask} does not exist: use 0 to {masks - 1}.")


def _too_long(data: bytes, error: str, version: int | str | None) -> PayloadTooLong:
    asked = 40 if version is None else version
    layout = layout_named(asked)
    missing = missing_bits(data, error, asked)
    others = []
    larger = fitting_version(data, error)
    if larger is not None:
        side = side_modules(larger)
        others.append(f"version {larger}-{error} ({side} x {side} modules)")
    if version is not None:
        weaker = [e for e in layout.blocks if missing_bits(data, e, version) == 0]
        if weaker:
            others.append(f"error-correction level {weaker[-1]} at {layout.name}")
    elif weaker := [e for e in LEVELS if fitting_version(data, e) is not None]:
        others.append(f"error-correction level {weaker[-1]}")
    hint = (
        f"It fits into {' or '.join(others)}."
        if others
        else f"No QR code holds more than {byte_capacity(40, 'L')} arbitrary bytes: divide it."
    )
    return PayloadTooLong(
        f"The payload of {len(data)} bytes is too long for {layout.name}-{error} "
        f"by {-(-missing // 8)} bytes ({missing} bits). {hint}",
        missing,
    )
