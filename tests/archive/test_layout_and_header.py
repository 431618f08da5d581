"""The frame of a tile: its cells, its sequence, its marks and its header."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanoqr.archive import layout
from napari_nanoqr.archive.header import NotAHeader, Role, TileHeader

HEADER = TileHeader(
    Role.DATA, b"\x01\x02\x03\x04\x05\x06\x07\x08", sheet=3, tile=99_000_000, tiles=2**40 - 1,
    group=7, groups=1_000_000, member=254, data_count=230, parity_count=25,
    root=b"root",
).holding(b"payload")  # fmt: skip


def test_marks_headers_and_data_share_the_tile_without_overlap() -> None:
    taken = np.zeros((512, 512), int)
    for mark in layout.marks():
        taken[mark.row : mark.row + mark.side, mark.column : mark.column + mark.side] += 1
    np.add.at(taken.reshape(-1), layout.header_cells().ravel(), 1)
    np.add.at(taken.reshape(-1), layout.data_cells(), 1)
    assert (taken == 1).all()
    assert layout.data_cells().size == 258_208
    assert layout.header_cells().shape == (2, 784)


def test_the_second_header_ends_beside_the_last_corner_mark() -> None:
    rows, columns = np.divmod(layout.header_cells()[1], 512)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (496, 511, 447, 495)


@pytest.mark.parametrize("bits", [1, 2])
def test_every_bit_of_every_codeword_has_a_cell_of_its_own(bits: int) -> None:
    cells = layout.word_cells(bits)
    assert cells.shape == (25 * bits, 10_320)
    assert np.unique(cells).size == cells.size
    assert set(np.unique(cells % 512**2)) == set(layout.data_cells()[:258_000].tolist())


def test_cells_and_bits_of_codewords_go_together_as_the_format_says() -> None:
    words = layout.word_cells()
    for q in (0, 1, 24, 25, 26, 51_234, 257_999):
        assert words[q % 25, 6379 * (q // 25) % 10_320] == layout.data_cells()[q]


def test_with_two_bits_a_module_each_cell_holds_a_bit_of_two_codewords() -> None:
    one, two = layout.word_cells(), layout.word_cells(2)
    assert (two % 512**2 == np.concatenate((one, one))).all()
    planes = two // 512**2
    assert planes[0, :4].tolist() == [0, 1, 0, 1]
    assert planes[25, :4].tolist() == [1, 0, 1, 0]


def test_the_sequence_obeys_its_rule_from_its_seed_on() -> None:
    sequence = layout.scrambler().ravel()
    assert int("".join(map(str, sequence[:23])), 2) == layout.SEED
    assert (sequence[23:] == (sequence[5:-18] ^ sequence[:-23])).all()


def test_a_tile_of_nothing_is_still_half_milled() -> None:
    for plane in layout.scrambler():
        share = plane.reshape(16, 32, 16, 32).mean((1, 3))
        assert abs(plane.mean() - 0.5) < 0.002
        assert np.abs(share - 0.5).max() < 0.1


def test_no_corner_mark_looks_like_another_or_like_itself_turned() -> None:
    corners = [mark.bits * 2.0 - 1 for mark in layout.marks()[:4]]
    looks = [
        (number, np.rot90(mark, turn)[:: 1 - 2 * mirror])
        for number, mark in enumerate(corners)
        for turn in range(4)
        for mirror in range(2)
    ]
    for (_, a), (_, b) in combinations(looks, 2):
        assert abs((a * b).sum()) < 64


def test_the_known_modules_are_marks_and_fill() -> None:
    known, bits = layout.known_modules()
    assert known.sum() == 4 * 256 + 21 * 64 + 208 + 8
    mark = layout.marks()[5]
    assert (bits[mark.row : mark.row + 8, mark.column : mark.column + 8] == mark.bits).all()


def test_what_all_share_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        layout.scrambler()[0, 0, 0] = 1


def test_a_header_comes_back_as_it_was() -> None:
    assert len(HEADER.to_bytes()) == 48
    assert TileHeader.from_bytes(HEADER.to_bytes()) == HEADER


@given(
    role=st.sampled_from(Role),
    rate=st.sampled_from(layout.RATES),
    bits=st.integers(1, 2),
    group=st.integers(0, 2**32 - 2),
    member=st.integers(0, 2),
)
def test_any_header_comes_back(role: Role, rate: str, bits: int, group: int, member: int) -> None:
    header = TileHeader(
        role, bytes(8), rate, bits, group=group, groups=group + 1, member=member, data_count=3
    )
    assert TileHeader.from_bytes(header.to_bytes()) == header
    assert header.part == group + (group + 1) * member


@given(place=st.integers(0, 47), change=st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, change: int) -> None:
    data = bytearray(HEADER.to_bytes())
    data[place] ^= change
    with pytest.raises(NotAHeader, match="checksum"):
        TileHeader.from_bytes(bytes(data))


def test_what_is_no_header_is_refused_with_the_reason() -> None:
    import zlib

    def signed(data: bytes) -> bytes:
        return data + zlib.crc32(data).to_bytes(4)

    good = HEADER.to_bytes()[:-4]
    with pytest.raises(NotAHeader, match="48 bytes, not 47"):
        TileHeader.from_bytes(bytes(47))
    with pytest.raises(NotAHeader, match="starts with"):
        TileHeader.from_bytes(signed(b"XY" + good[2:]))
    with pytest.raises(NotAHeader, match="version 2"):
        TileHeader.from_bytes(signed(good[:2] + b"\x02" + good[3:]))
    with pytest.raises(NotAHeader, match="makes no sense: 15 is not a valid Role"):
        TileHeader.from_bytes(signed(good[:3] + b"\xf2" + good[4:]))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"rate": "3/4"}, "no rate '3/4'"),
        ({"bits": 3}, "1 or 2 bits, it cannot hold 3"),
        ({"archive": b"short"}, "archive takes 8 bytes, not 5"),
        ({"sheet": 65_536}, "sheet of a tile is 65536"),
        ({"length": 25_601}, "25601 bytes do not fit"),
        ({"data_count": 240, "parity_count": 17}, "at most 256 members"),
        ({"member": 255}, "Member 255 is not in a group of 230 [+] 25"),
        ({"group": 1_000_000}, "Group 1000000 is not one of 1000000"),
    ],
)
def test_a_header_that_cannot_be_is_refused(wrong: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        replace(HEADER, **wrong)  # type: ignore[arg-type]
