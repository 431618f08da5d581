"""The case of the smallest QR code on record, for samples and demonstrations."""

from __future__ import annotations

from functools import lru_cache

from napari_nanoqr.design.design import Design
from napari_nanoqr.symbols.encode import encode

RECORD_PAYLOAD = "https://www.tuwien.at/en/tu-wien/news/smallest-qr"
"""A URL of a length that needs version 3-L. The record's own payload is not published in full;
it links to a page of TU Wien."""


@lru_cache(maxsize=1)
def record_design() -> Design:
    """Return a design of the record's kind.

    Returns
    -------
    Design
        29 x 29 modules (version 3) of 49 nm in 15 nm of CrN on glass (TU Wien and Cerabyte,
        December 2025). Level L is an assumption: the level was not published.
    """
    return Design(encode(RECORD_PAYLOAD, "L", 3), name="record")
