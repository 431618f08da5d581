"""How large stream, index and pattern files of an archive will be, from sizes alone."""

from __future__ import annotations

import math

FILE_BYTES = {
    1: {".oas": 0.236, ".gds": 14.7, ".bmp": 3.0},
    2: {".oas": 0.490, ".gds": 31.9, ".bmp": 3.0},
}
"""Bytes of a pattern file for each module, by the bits of a module; measured on fields of 1024 x
1024 modules of tiles."""

TAG_FILES, TAG_BYTES = 6, 1200
"""Of a bag, beside a line for each file in its four manifests."""

MANIFEST_LINES, INDEX_LINE, INDEX_HEAD = 210, 170, 1500
"""Bytes that a file takes in the manifests and in the index, names of 20 letters assumed, and
bytes of the index beside them."""


def stream_size(size: int, file_count: int) -> int:
    """Return about how large the tar of a bag is: a header and half a block for each file."""
    blocks = (file_count + TAG_FILES) * 768 + TAG_BYTES + MANIFEST_LINES * file_count
    return math.ceil((size + blocks) / 10240) * 10240


def index_size(file_count: int) -> int:
    """Return about how large the index is; with no file that of an encrypted archive."""
    return INDEX_HEAD + (INDEX_LINE * (file_count + TAG_FILES) if file_count else 0)
