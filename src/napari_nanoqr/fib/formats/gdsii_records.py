"""Is a GDSII file whole? Checked before gdstk reads it, which crashes on some damage.

The grammar of records is that of the GDSII Stream Format Manual 6.0 (Calma, 1987).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

HEADER, LIBNAME, UNITS, ENDLIB = 0x00, 0x02, 0x03, 0x04
BGNSTR, STRNAME, ENDSTR, ENDEL = 0x05, 0x06, 0x07, 0x11
BOUNDARY, PATH, SREF, AREF, TEXT, NODE, BOX = 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x15, 0x2D
XY, SNAME, COLROW = 0x10, 0x12, 0x13

# how the content of each kind of record is coded: 0 nothing, 1 bits, 2 and 3 integers of 16 and
# 32 bits, 5 real numbers of 64 bits, 6 text
CODES = {
    0: (ENDLIB, ENDSTR, BOUNDARY, PATH, SREF, AREF, TEXT, NODE, BOX, ENDEL, 0x38),
    1: (0x17, 0x1A, 0x26),
    2: (HEADER, 0x01, BGNSTR, 0x0D, 0x0E, COLROW, 0x16, 0x21, 0x22, 0x2A, 0x2B, 0x2E, 0x36),
    3: (0x0F, XY, 0x2F, 0x30, 0x31),
    5: (UNITS, 0x1B, 0x1C),
    6: (LIBNAME, STRNAME, SNAME, 0x19, 0x1F, 0x20, 0x23, 0x2C, 0x37),
}
CODE = {kind: code for code, kinds in CODES.items() for kind in kinds}

LENGTHS = {
    UNITS: 20, 0x0D: 6, 0x0E: 6, 0x0F: 8, COLROW: 8, 0x16: 6, 0x17: 6, 0x1A: 6, 0x1B: 12,
    0x1C: 12, 0x21: 6, 0x22: 6, 0x26: 6, 0x2A: 6, 0x2B: 6, 0x2E: 6, 0x2F: 8, 0x30: 8, 0x31: 8,
    HEADER: 6, 0x01: 28, BGNSTR: 28, 0x36: 6,
}  # fmt: skip
"""Bytes of the records of fixed length, with their head of 4."""

_ELFLAGS = {0x26, 0x2F, 0x2B, 0x2C}
_STRANS = {0x1A, 0x1B, 0x1C}
ELEMENTS = {
    BOUNDARY: ({0x0D, 0x0E, XY} | _ELFLAGS, {0x0D, 0x0E}, 4, 8191),
    PATH: ({0x0D, 0x0E, 0x21, 0x0F, 0x30, 0x31, XY} | _ELFLAGS, {0x0D, 0x0E}, 2, 8191),
    SREF: ({SNAME, XY} | _STRANS | _ELFLAGS, {SNAME}, 1, 1),
    AREF: ({SNAME, COLROW, XY} | _STRANS | _ELFLAGS, {SNAME, COLROW}, 3, 3),
    TEXT: ({0x0D, 0x16, 0x17, 0x21, 0x0F, 0x19, XY} | _STRANS | _ELFLAGS, {0x0D, 0x16}, 1, 1),
    NODE: ({0x0D, 0x2A, XY} | _ELFLAGS, {0x0D, 0x2A}, 1, 8191),
    BOX: ({0x0D, 0x2E, XY} | _ELFLAGS, {0x0D, 0x2E}, 5, 5),
}
"""Records that each element may have and has to have, and its fewest and most points."""

BEFORE_CELLS = {0x01, LIBNAME, UNITS, 0x1F, 0x20, 0x22, 0x23, 0x36, 0x37, 0x38}

MOST_POLYGONS = 5_000_000
"""With all references resolved; more would not fit into memory."""


class BadRecords(ValueError):
    """The records are not those of a GDSII file."""


def check_gds(data: bytes) -> None:
    """Check that records, their order and the references between cells are right.

    Parameters
    ----------
    data : bytes
        The whole file.

    Raises
    ------
    BadRecords
        Where they are not; the message says at which byte, or in which cell.
    """
    records = _records(data)
    if next(records, (0, -1, b""))[1] != HEADER:
        raise BadRecords("it does not begin like one")
    polygons: Counter[str] = Counter()
    references: defaultdict[str, Counter[str]] = defaultdict(Counter)
    cell: str | None = None
    seen = {HEADER}
    for at, kind, body in records:
        if kind == BGNSTR and cell is None and UNITS in seen:
            at, kind, body = next(records, (at, -1, b""))
            cell = _name(body)
            if kind != STRNAME or cell in polygons or not cell:
                raise BadRecords(f"the cell at byte {at} has no name of its own")
            polygons[cell] = 0
        elif kind in ELEMENTS and cell is not None:
            name, copies = _element(at, kind, records)
            if name is not None:
                references[cell][name] += copies
            else:
                polygons[cell] += 1
        elif kind == ENDSTR and cell is not None:
            cell = None
        elif kind == ENDLIB and cell is None and UNITS in seen:
            _check_references(polygons, references)
            return
        elif cell is not None or kind not in BEFORE_CELLS:
            raise BadRecords(f"the record at byte {at} does not belong there")
        elif kind == UNITS and not 1e-14 < _real(body[8:]) < 1:
            raise BadRecords("its units make no sense")
        seen.add(kind)
    raise BadRecords(f"it ends at byte {len(data)} without the end of the library")


def _records(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Position, kind and content of each record."""
    at = 0
    while at + 4 <= len(data):
        length, kind = int.from_bytes(data[at : at + 2], "big"), data[at + 2]
        code = CODE.get(kind, -1)
        wrong = length < 4 or length % 2 or at + length > len(data) or data[at + 3] != code
        if wrong or length != (LENGTHS.get(kind, length) if code else 4):
            raise BadRecords(f"the record at byte {at} of {len(data)} is damaged or cut short")
        yield at, kind, data[at + 4 : at + length]
        at += length


def _element(
    start: int, element: int, records: Iterator[tuple[int, int, bytes]]
) -> tuple[str | None, int]:
    """Check one element up to its end; return the cell that it refers to, and how often."""
    allowed, needed, fewest, most = ELEMENTS[element]
    seen: set[int] = set()
    name, copies, points = None, 1, -1
    for _, kind, body in records:
        if kind == ENDEL:
            if needed <= seen and fewest <= points <= most:
                return name, copies
            break
        if kind not in allowed or (kind in seen and kind not in (0x2B, 0x2C)):
            break
        seen.add(kind)
        if kind == XY:
            points = len(body) // 8 if len(body) % 8 == 0 else -1
        elif kind == SNAME:
            name = _name(body)
        elif kind == COLROW:
            columns, rows = (int.from_bytes(body[i : i + 2], "big", signed=True) for i in (0, 2))
            copies = columns * rows if min(columns, rows) > 0 else MOST_POLYGONS + 1
    raise BadRecords(f"the element at byte {start} is damaged")


def _check_references(polygons: Counter[str], references: defaultdict[str, Counter[str]]) -> None:
    """Refuse references to nowhere, in circles, or to more polygons than can be held."""
    totals: dict[str, int] = {}
    open_cells: set[str] = set()
    stack = list(polygons)
    while stack:
        cell = stack[-1]
        if cell in totals:
            stack.pop()
            continue
        missing = [name for name in references[cell] if name not in totals]
        if cell in open_cells and missing:
            raise BadRecords(f"cell {cell!r} refers to itself")
        for name in missing:
            if name not in polygons:
                raise BadRecords(f"cell {cell!r} refers to {name!r}, which is not there")
            if name in open_cells:
                raise BadRecords(f"cell {name!r} refers to itself")
        open_cells.add(cell)
        stack += missing
        if not missing:
            totals[cell] = polygons[cell] + sum(
                copies * totals[name] for name, copies in references[cell].items()
            )
            open_cells.discard(cell)
            if totals[cell] > MOST_POLYGONS:
                raise BadRecords(f"cell {cell!r} holds more polygons than fit into memory")


def _name(body: bytes) -> str:
    return body.rstrip(b"\0").decode("latin-1")


def _real(body: bytes) -> float:
    """Read a real number of 8 bytes: sign, exponent of 16 plus 64, mantissa of 56 bits."""
    sign = -1 if body[0] & 0x80 else 1
    mantissa = int.from_bytes(body[1:], "big") / 2.0**56
    return float(sign * mantissa * 16.0 ** ((body[0] & 0x7F) - 64))
