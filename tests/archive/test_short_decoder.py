"""The short decoder needs nothing but Python, and reads what the real one reads."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_nanoqr.archive import short_decoder
from napari_nanoqr.archive.description import short_decoder as source
from napari_nanoqr.archive.description import with_tables
from napari_nanoqr.archive.header import Role, TileHeader
from napari_nanoqr.archive.layout import RATES, data_cells, header_cells, marks
from napari_nanoqr.archive.tile import decode_tile, encode_tile
from napari_nanoqr.codes.ldpc import header_code, tile_code

HEADER = TileHeader(Role.INDEX, b"\x01\x02\x03\x04\x05\x06\x07\x08", sheet=2, tile=77, tiles=900)
Modules = NDArray[np.uint8]


def payload_for(header: TileHeader) -> bytes:
    return np.random.default_rng(1).bytes(header.capacity - 7)


def as_text(levels: Modules) -> bytes:
    return b"\n".join(bytes(row + ord("0")) for row in levels)


def as_p4(levels: Modules) -> bytes:
    return b"P4\n# a tile\n512 512\n" + np.packbits(levels, axis=1).tobytes()


def read(picture: bytes, folder: Path) -> tuple[bytes, str, int]:
    """Payload, what is said beside it, and exit status of the program as people run it."""
    tile, program = folder / "tile", folder / "short_decoder.py"
    tile.write_bytes(picture)
    program.write_text(source(), encoding="utf-8")
    # isolated: neither this package nor any other can be imported
    done = subprocess.run([sys.executable, "-I", "-S", program, tile], capture_output=True)
    return done.stdout, done.stderr.decode(), done.returncode


def test_it_is_short_and_needs_nothing_but_python() -> None:
    assert len(source().splitlines()) < 300
    assert max(map(len, source().splitlines())) <= 100
    assert source().isascii()
    roots = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for node in ast.walk(ast.parse(source()))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert roots <= sys.stdlib_module_names


def test_its_tables_are_those_of_the_codes() -> None:
    # where the codes changed, write with_tables(short_decoder()) into short_decoder.py
    assert with_tables(source()) == source()


@pytest.mark.parametrize("rate", [*RATES, "header"])
def test_its_checks_are_those_of_the_codes(rate: str) -> None:
    code = header_code() if rate == "header" else tile_code(rate)
    table = short_decoder.HEADER if rate == "header" else short_decoder.TILE[RATES.index(rate)]
    checks: list[set[int]] = [set() for _ in range(code.n - code.k)]
    for row, column, shift in code.entries:
        for z in range(code.size):
            checks[row * code.size + z].add(column * code.size + (z + shift) % code.size)
    assert [set(check) for check in short_decoder.make_checks(table, code.size)] == checks


def test_it_finds_the_same_cells() -> None:
    def flat(cells: list[tuple[int, int]]) -> list[int]:
        return [512 * row + column for row, column in cells]

    assert flat(short_decoder.data_cells()) == data_cells().tolist()
    assert [flat(copy) for copy in short_decoder.header_cells()] == header_cells().tolist()


@pytest.mark.parametrize("rate", RATES)
def test_a_tile_of_any_rate_is_read_as_by_the_real_decoder(rate: str, tmp_path: Path) -> None:
    header = replace(HEADER, rate=rate)
    payload = payload_for(header)
    levels = encode_tile(header, payload)
    found, said, status = read(as_p4(levels), tmp_path)
    assert (found, status) == (payload, 0)
    assert found == decode_tile((40 - 80 * levels.astype(np.int8))[None]).payload
    assert "archive: 0102030405060708\n" in said
    assert "role: 2\n" in said
    assert f"bytes: {len(payload)}\n" in said


def test_a_tile_of_two_bits_a_module_is_read_from_its_levels(tmp_path: Path) -> None:
    header = replace(HEADER, bits=2)
    payload = payload_for(header)
    levels = encode_tile(header, payload)
    assert read(as_text(levels), tmp_path)[::2] == (payload, 0)
    said = read(as_text(levels // 2), tmp_path)[1]
    assert "four depths: give its levels as digits from 0 to 3" in said


def test_some_errors_and_unknown_modules_are_corrected(tmp_path: Path) -> None:
    payload = payload_for(HEADER)
    rng = np.random.default_rng(5)
    levels = encode_tile(HEADER, payload) ^ (rng.random((512, 512)) < 0.008).astype(np.uint8)
    lines = bytearray(as_text(levels))
    for place in rng.integers(0, 511 * 513, 2000):
        if lines[place] != ord("\n"):
            lines[place] = ord("?")
    assert read(bytes(lines), tmp_path)[::2] == (payload, 0)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("negative", [0, 1])
def test_a_tile_is_turned_right(turns: int, mirrored: bool, negative: int) -> None:
    levels = encode_tile(HEADER, b"whatever")
    seen = np.rot90(levels, turns)[:: -1 if mirrored else 1] ^ negative
    assert (np.array(short_decoder.turn_right(seen.tolist())) == levels).all()


def test_the_marks_are_those_that_turn_it_right() -> None:
    corners = np.concatenate([mark.bits.ravel() for mark in marks()[:4]])
    assert short_decoder.SEQUENCE[-1024:] == corners.tolist()


def test_plain_and_packed_pictures_and_lines_say_the_same() -> None:
    levels = encode_tile(HEADER, b"whatever")
    plain = b"P1 # a tile\n512\n#width and height\n512\n" + as_text(levels)
    for picture in (plain, as_p4(levels), as_text(levels), as_text(levels).replace(b"\n", b"")):
        assert short_decoder.read_picture(picture) == levels.tolist()


def test_codewords_that_are_lost_are_named_and_the_rest_is_written(tmp_path: Path) -> None:
    payload = payload_for(HEADER)
    levels = encode_tile(HEADER, payload)
    rows, columns = np.divmod(data_cells()[:258_000:25][:1500], 512)
    levels[rows, columns] ^= 1
    found, said, status = read(as_p4(levels), tmp_path)
    assert status == 1
    assert "codewords [0] of 1024 bytes" in said
    assert found == bytes(1024) + payload[1024:]


def test_what_is_no_tile_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 2, (512, 512), dtype=np.uint8)
    assert read(as_p4(noise), tmp_path)[1:] == (
        "No header can be read: this is no tile, or it is too damaged.\n",
        1,
    )
    assert "has 512 x 512 modules" in read(b"P4\n500 512\n", tmp_path)[1]
    assert "3 modules are given" in read(b"010\n", tmp_path)[1]
    assert "cannot be read" in read(b"P1\nwide", tmp_path)[1]
