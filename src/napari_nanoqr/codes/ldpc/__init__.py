"""Quasi-cyclic low-density parity-check codes: the inner code of tiles and of their headers."""

from napari_nanoqr.codes.ldpc.code import (
    RATES,
    Decoded,
    LdpcCode,
    header_code,
    tile_code,
)

__all__ = ["RATES", "Decoded", "LdpcCode", "header_code", "tile_code"]
