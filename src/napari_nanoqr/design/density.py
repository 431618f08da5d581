"""How much fits: density of a design, and how it compares with the record."""

from __future__ import annotations

from dataclasses import dataclass

from napari_nanoqr.design.design import Design
from napari_nanoqr.symbols.encode import byte_capacity
from napari_nanoqr.symbols.kinds import layout_named

A4_AREA_UM2 = 210e3 * 297e3
"""Area of an A4 sheet (ISO 216) in um^2."""

RECORD_AREA_UM2 = 1.977
"""Area in um^2 of the smallest QR code on record (Guinness World Records, December 2025)."""


@dataclass(frozen=True)
class Density:
    """What a design holds in which area.

    Parameters
    ----------
    size_um : tuple of float
        Height and width of the symbol without its quiet zone.
    area_um2 : float
        The symbol without its quiet zone.
    field_size_um : tuple of float
        Height and width with the quiet zone.
    capacity_bytes : int
        Arbitrary bytes that version and level hold.
    bits_per_um2 : float
        Net user bits per um^2, symbols edge to edge.
    terabytes_on_a4 : float
        Net user data (10^12 bytes) on one side of an A4 sheet, symbols edge to edge.
    terabytes_on_a4_with_quiet_zone : float
        The same with the quiet zone of the design around each symbol.
    times_record_area : float
        Area in units of the record's.
    correctable_codewords, codewords : int
        Wrong codewords that can be corrected when they spread evenly, of how many.
    correctable_per_block, blocks : int
        Wrong codewords that each block can correct, and the number of blocks.
    """

    size_um: tuple[float, float]
    area_um2: float
    field_size_um: tuple[float, float]
    capacity_bytes: int
    bits_per_um2: float
    terabytes_on_a4: float
    terabytes_on_a4_with_quiet_zone: float
    times_record_area: float
    correctable_codewords: int
    codewords: int
    correctable_per_block: int
    blocks: int


def density(design: Design) -> Density:
    """Work out what a design holds in which area.

    Parameters
    ----------
    design : Design
        A symbol on a film.

    Returns
    -------
    Density
        All numbers, with the largest byte payload of the symbol rather than the one in it.
    """
    symbol = design.symbol
    structure = layout_named(symbol.version).blocks[symbol.error]
    capacity = byte_capacity(symbol.version, symbol.error)
    bits_per_um2 = 8 * capacity / design.area_um2
    size_um = design.size_nm[0] / 1000, design.size_nm[1] / 1000
    field_um = design.field_size_nm[0] / 1000, design.field_size_nm[1] / 1000
    return Density(
        size_um=size_um,
        area_um2=design.area_um2,
        field_size_um=field_um,
        capacity_bytes=capacity,
        bits_per_um2=bits_per_um2,
        terabytes_on_a4=capacity / design.area_um2 * A4_AREA_UM2 / 1e12,
        terabytes_on_a4_with_quiet_zone=capacity / (field_um[0] * field_um[1]) * A4_AREA_UM2 / 1e12,
        times_record_area=design.area_um2 / RECORD_AREA_UM2,
        correctable_codewords=symbol.correctable_codewords,
        codewords=symbol.codewords,
        correctable_per_block=structure.correctable,
        blocks=len(structure.data),
    )
