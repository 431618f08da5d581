"""The description on every sheet: plain text that fits, and says what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.archive import header, layout
from napari_nanoqr.archive.control import control_text
from napari_nanoqr.archive.description import (
    description,
    format_text,
    short_decoder,
)
from napari_nanoqr.archive.header import Role, TileHeader
from napari_nanoqr.archive.tile import encode_tile
from napari_nanoqr.codes.crc import CHECK
from napari_nanoqr.codes.ldpc import tile_code


def test_the_description_takes_one_tile_at_the_usual_rate() -> None:
    assert len(description()) <= layout.capacity("4/5")
    assert description().isascii()


def test_the_program_can_be_cut_out_and_reads_the_tile_it_stands_in(tmp_path: Path) -> None:
    payload = description().encode()
    levels = encode_tile(TileHeader(Role.DESCRIPTION, bytes(8)), payload)
    text = description()
    program = text[text.index('"""Read one tile') :]
    assert program == short_decoder()
    (tmp_path / "short_decoder.py").write_text(program)
    (tmp_path / "tile.pbm").write_bytes(b"P4\n512 512\n" + np.packbits(levels, axis=1).tobytes())
    words = [sys.executable, "-I", "short_decoder.py", "tile.pbm"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout == payload


@pytest.mark.parametrize("text", [format_text(), control_text(49.0, 2, 4, "4/5", 1)])
def test_the_numbers_that_are_described_are_those_of_the_program(text: str) -> None:
    words = re.sub(r"\s+", " ", text).replace(",", "")
    assert f"{layout.SEED:023b}" in words
    assert "124" in words
    assert str(2 * layout.SIDE**2) in words
    for name in ("columns 16-64", "columns 447-495", "10320 bits", "0x11D"):
        assert name in words


def test_the_formats_numbers_of_bytes_and_bits_are_right() -> None:
    words = format_text()
    sizes = ", ".join(str(layout.WORD_BYTES[rate]) for rate in layout.RATES[:3])
    assert f"{sizes} or {layout.WORD_BYTES['0.88']}" in words
    assert ", ".join(str(tile_code(rate).k) for rate in layout.RATES) in words
    assert f"{CHECK:X}" in words
    rows = re.findall(r"^\| (\d+) \|", words[words.index("## The header") :], re.MULTILINE)
    assert sum(map(int, rows)) == header.HEADER_BYTES
    for role in Role:
        assert f"{role.value} {role.name.lower()}" in words
