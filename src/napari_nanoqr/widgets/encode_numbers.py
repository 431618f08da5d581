"""What a design will be, in numbers for people."""

from __future__ import annotations

import numpy as np

from napari_nanoqr.design.density import density
from napari_nanoqr.design.design import Design
from napari_nanoqr.symbols.kinds import layout_named
from napari_nanoqr.widgets.layers import size_text

ROWS = ("Symbol", "Side", "Area", "Record", "Holds", "Density", "A4 sheet", "Errors")


def headline(design: Design) -> tuple[str, bool]:
    """Return size and area in one line, and whether it is smaller than the record."""
    n = density(design)
    said = (
        f"{_modules(design)} · {name_of(design)} · {size_text(*n.size_um)} · "
        f"{n.area_um2:.3g} µm² ({n.times_record_area:.2f} x the record)"
    )
    return said, n.times_record_area < 1


def numbers(design: Design) -> dict[str, str]:
    """Return the text of each of the `ROWS`."""
    symbol, n = design.symbol, density(design)
    zone = ""
    if design.quiet_zone:
        zone = f" ({size_text(*n.field_size_um)} with quiet zone)"
    record = f"{n.times_record_area:.3g} x the area of the smallest QR code on record"
    if n.times_record_area < 1:
        record += ": smaller than it"
    milled = f"{np.count_nonzero(design.milled):,} of {design.milled.size:,} modules milled"
    most = f"at most {n.capacity_bytes:,} arbitrary"
    if not n.capacity_bytes:
        most = "all of them digits or capitals: no arbitrary ones"
    return {
        "Symbol": f"{name_of(design)}, mask {symbol.mask}, {_modules(design)} modules; {milled}",
        "Side": f"{size_text(*n.size_um)}{zone}",
        "Area": f"{n.area_um2:.4g} µm²",
        "Record": record,
        "Holds": f"{len(symbol.payload):,} bytes now, {most}",
        "Density": f"{n.bits_per_um2:.4g} bits/µm², net",
        "A4 sheet": f"{_bytes(n.terabytes_on_a4)} edge to edge"
        + (f", {_bytes(n.terabytes_on_a4_with_quiet_zone)} with quiet zone" if zone else ""),
        "Errors": f"carries {n.correctable_codewords} wrong codewords of {n.codewords}"
        + (f" ({n.correctable_per_block} in each of {n.blocks})" if n.blocks > 1 else ""),
    }  # fmt: skip


def name_of(design: Design) -> str:
    """Return version and level; of a Micro QR or rMQR code the version names the kind, too."""
    return f"{layout_named(design.symbol.version).name}-{design.symbol.error}"


def _modules(design: Design) -> str:
    rows, columns = design.symbol.matrix.shape
    return f"{rows} x {columns}"


def _bytes(terabytes: float) -> str:
    for unit, size in (("TB", 1.0), ("GB", 1e-3), ("MB", 1e-6)):
        if terabytes >= size:
            return f"{terabytes / size:.3g} {unit}"
    return f"{terabytes * 1e9:.3g} kB"
