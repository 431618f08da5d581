"""What is known of tiles survives anything, and becomes the stream, or what is lost is told."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_nanoqr.archive.assemble import assemble_stream, read_index, read_part_stream
from napari_nanoqr.archive.header import Role, TileHeader
from napari_nanoqr.archive.layout import WORD_BYTES, WORDS
from napari_nanoqr.archive.sightings import (
    ImageSighting,
    KnownTile,
    TileSighting,
    pack_soft,
    unpack_soft,
)
from napari_nanoqr.archive.state import NotThisState, ReadingState
from napari_nanoqr.archive.tasks import merge_sightings
from napari_nanoqr.archive.tile import encode_tile
from napari_nanoqr.codes.cauchy import encode

ARCHIVE = b"8 bytes."
RATE = "4/5"
SIZE = WORD_BYTES[RATE]
CAPACITY = WORDS * SIZE
GROUPS, MEMBERS, PARITY = 2, 3, 2
STREAM = np.random.default_rng(0).integers(0, 256, 4 * CAPACITY + 777, dtype=np.uint8).tobytes()


def header(**values: object) -> TileHeader:
    return replace(TileHeader(Role.DATA, ARCHIVE, groups=GROUPS), **values)


def sighting(told: TileHeader, payload: bytes, lost: tuple[int, ...] = ()) -> TileSighting:
    told = told.holding(payload)
    data = np.frombuffer(payload.ljust(CAPACITY, b"\0"), np.uint8).reshape(WORDS, SIZE).copy()
    good = np.ones(WORDS, bool)
    good[list(lost)] = False
    data[~good] = 0
    soft = None if good.all() else pack_soft(np.zeros((1, 512, 512), np.int8))
    return TileSighting(told, good, data, soft, 1.0, 5.0, 0.001)


def members() -> dict[tuple[int, int], tuple[TileHeader, bytes]]:
    """Headers and payloads of a stream of five tiles: groups of three and of two of data."""
    found = {}
    for group in range(GROUPS):
        parts = [
            STREAM[start * CAPACITY : (start + 1) * CAPACITY] for start in range(group, 5, GROUPS)
        ]
        data = np.stack(
            [np.frombuffer(part.ljust(CAPACITY, b"\0"), np.uint8) for part in parts]
        ).reshape(len(parts), WORDS, SIZE)
        counts = {"data_count": len(parts), "parity_count": PARITY}
        for member, part in enumerate(parts):
            found[group, member] = (header(group=group, member=member, **counts), part)
        for row, parity in enumerate(encode(data, PARITY)):
            told = header(role=Role.PARITY, group=group, member=len(parts) + row, **counts)
            found[group, len(parts) + row] = (told, parity.tobytes())
    return {
        place: (replace(told, tile=number), payload)
        for number, (place, (told, payload)) in enumerate(found.items())
    }


ALL = members()


def known(folder: Path, tiles: list[TileSighting]) -> ReadingState:
    state = ReadingState(folder)
    for number, tile in enumerate(tiles):
        state.add(ImageSighting(f"{number}", f"{number}.tif", (tile,)), merge_sightings)
    return state


class TestAssembling:
    def test_parity_members_are_there_too(self) -> None:
        assert len(ALL) == 5 + GROUPS * PARITY

    @settings(max_examples=25, deadline=None)
    @given(st.data())
    def test_what_is_not_lost_comes_back_and_what_is_lost_is_told(
        self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
    ) -> None:
        missing = data.draw(st.sets(st.sampled_from(sorted(ALL)), max_size=5), label="missing")
        weak = data.draw(
            st.dictionaries(
                st.sampled_from(sorted(ALL)), st.sets(st.integers(0, WORDS - 1), max_size=4)
            ),
            label="weak",
        )
        tiles = [
            sighting(*ALL[place], tuple(weak.get(place, ())))
            for place in sorted(ALL)
            if place not in missing
        ]
        folder = tmp_path_factory.mktemp("state")
        with known(folder, tiles) as state:
            stream = assemble_stream(
                state, ARCHIVE, folder / "stream", length=len(STREAM), data_tiles=5
            )
        expected_lost = set()
        for group, count in ((0, 3), (1, 2)):
            for slot in range(WORDS):
                gone = [
                    member
                    for member in range(count + PARITY)
                    if (group, member) in missing or slot in weak.get((group, member), ())
                ]
                if len(gone) > PARITY:
                    expected_lost |= {
                        (group + GROUPS * member, slot) for member in gone if member < count
                    }
        read = (folder / "stream").read_bytes()
        assert stream.length == len(read) == len(STREAM)
        told = np.zeros(len(STREAM), bool)
        for start, stop in stream.lost:
            told[start:stop] = True
        for part in range(5):
            for slot in range(WORDS):
                first = part * CAPACITY + slot * SIZE
                piece = slice(first, min(first + SIZE, len(STREAM)))
                if first >= len(STREAM):
                    continue
                if (part, slot) in expected_lost:
                    assert told[piece].all()
                else:
                    assert not told[piece].any()
                    assert read[piece] == STREAM[piece]

    def test_the_last_tile_tells_the_length_where_there_is_no_index(self, tmp_path: Path) -> None:
        with known(tmp_path, [sighting(*each) for each in ALL.values()]) as state:
            assert read_index(state, ARCHIVE) is None
            stream = assemble_stream(state, ARCHIVE, tmp_path / "stream")
        assert (stream.length, stream.lost, stream.complete) == (len(STREAM), (), True)
        assert (tmp_path / "stream").read_bytes() == STREAM

    def test_a_lost_length_is_told(self, tmp_path: Path) -> None:
        tiles = [sighting(*ALL[place]) for place in ALL if place != (0, 2)]
        with known(tmp_path, tiles) as state:
            stream = assemble_stream(state, ARCHIVE, tmp_path / "stream")
        assert not stream.complete
        assert (tmp_path / "stream").read_bytes().rstrip(b"\0") == STREAM.rstrip(b"\0")

    def test_copies_of_a_tile_help_each_other(self, tmp_path: Path) -> None:
        told, payload = ALL[0, 0]
        tiles = [
            sighting(told, payload, (1, 2, 3)),
            sighting(replace(told, sheet=1), payload, (3, 4)),
        ]
        with known(tmp_path, tiles) as state:
            stream = assemble_stream(
                state, ARCHIVE, tmp_path / "stream", length=len(STREAM), data_tiles=5
            )
        assert (3 * SIZE, 4 * SIZE) in stream.lost
        assert (tmp_path / "stream").read_bytes()[: 3 * SIZE] == STREAM[: 3 * SIZE]

    def test_a_tile_that_is_not_what_its_header_says_counts_as_lost(self, tmp_path: Path) -> None:
        wrong = sighting(*ALL[0, 0])
        wrong.data[0, 0] ^= 1
        tiles = [wrong, *(sighting(*ALL[place]) for place in ALL if place != (0, 0))]
        with known(tmp_path, tiles) as state:
            assemble_stream(state, ARCHIVE, tmp_path / "stream")
        assert (tmp_path / "stream").read_bytes() == STREAM

    def test_the_index_comes_from_any_copies_of_its_parts(self, tmp_path: Path) -> None:
        text = b'{"files": 1}'.ljust(CAPACITY) + b" "
        parts = [text[:CAPACITY], text[CAPACITY:]]
        told = header(role=Role.INDEX, groups=1, data_count=2)
        tiles = [
            sighting(replace(told, member=0, tile=100), parts[0], (0, 1)),
            sighting(replace(told, member=0, tile=200), parts[0], (1, 2)),
            sighting(replace(told, member=1, tile=201), parts[1]),
        ]
        with known(tmp_path / "a", tiles) as state:
            assert read_index(state, ARCHIVE) is None
        third = sighting(replace(told, member=0, tile=300), parts[0], (2, 3))
        with known(tmp_path / "b", [*tiles, third]) as state:
            assert read_index(state, ARCHIVE) == {"files": 1}
            assert read_part_stream(state, ARCHIVE, Role.DESCRIPTION) is None

    def test_without_data_there_is_no_stream(self, tmp_path: Path) -> None:
        with (
            ReadingState(tmp_path) as state,
            pytest.raises(ValueError, match="Not one tile"),
        ):
            assemble_stream(state, ARCHIVE, tmp_path / "stream")


class TestState:
    def test_an_image_counts_once(self, tmp_path: Path) -> None:
        tile = sighting(*ALL[0, 0])
        with ReadingState(tmp_path) as state:
            for name in ("a.tif", "b.tif"):
                state.add(ImageSighting("same", name, (tile,)), merge_sightings)
            assert state.images == {"same": "a.tif"}
            assert len(state.sightings(ARCHIVE)) == 1

    def test_it_is_still_known_after_the_program_ended(self, tmp_path: Path) -> None:
        image = ImageSighting("x", "x.tif", (sighting(*ALL[1, 0], (4,)),), 2, ("a note",))
        with ReadingState(tmp_path) as state:
            state.add(image, merge_sightings)
        with ReadingState(tmp_path) as again:
            assert again.has("x")
            assert again.notes == ["a note"]
            assert again.archives == {ARCHIVE: 1}
            ((told, lost, margin, _),) = again.summary(ARCHIVE)
            assert (told, lost, margin) == (image.tiles[0].header, 1, 5.0)

    def test_an_image_is_added_as_a_whole_or_not_at_all(self, tmp_path: Path) -> None:
        def fails(*_: object) -> None:
            raise RuntimeError("the power went")

        first = ImageSighting("1", "1.tif", (sighting(*ALL[0, 0], (1,)),))
        second = ImageSighting("2", "2.tif", (sighting(*ALL[0, 1]), sighting(*ALL[0, 0], (1,))))
        with ReadingState(tmp_path) as state:
            state.add(first, merge_sightings)
            with pytest.raises(RuntimeError):
                state.add(second, fails)
            assert not state.has("2")
            assert len(state.summary(ARCHIVE)) == 1

    def test_a_file_of_something_else_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "reading.sqlite").write_bytes(b"my own notes" * 100)
        with pytest.raises(NotThisState, match="another folder"):
            ReadingState(tmp_path)
        assert (tmp_path / "reading.sqlite").read_bytes() == b"my own notes" * 100

    def test_a_later_version_is_refused(self, tmp_path: Path) -> None:
        with ReadingState(tmp_path):
            pass
        base = sqlite3.connect(tmp_path / "reading.sqlite")
        base.execute("UPDATE about SET value = '2'")
        base.commit()
        base.close()
        with pytest.raises(NotThisState, match="another version"):
            ReadingState(tmp_path)


def noisy(soft_bits: NDArray[np.uint8], strength: float, seed: int) -> NDArray[np.int8]:
    noise = np.random.default_rng(seed).normal(size=soft_bits.shape)
    llr = 2 * strength * (strength * (1.0 - 2.0 * soft_bits) + noise)
    return np.clip(np.rint(8 * llr), -127, 127).astype(np.int8)[None]


def test_two_poor_images_of_a_tile_are_as_good_as_one_better() -> None:
    from napari_nanoqr.archive.tile import decode_tile

    payload = STREAM[:CAPACITY]
    told = header(groups=1, parity_count=0).holding(payload)
    levels = encode_tile(told, payload)
    # 7 % of the modules are wrong in each: more than the code of rate 4/5 bears
    softs = [noisy(levels, 1.45, seed) for seed in (1, 2)]
    images = []
    for soft in softs:
        decoded = decode_tile(soft, told)
        assert not decoded.good.any()
        images.append(
            TileSighting(
                told, decoded.good, np.zeros((WORDS, SIZE), np.uint8), pack_soft(soft),
                1.0, decoded.margin, 0.07,
            )
        )  # fmt: skip
    assert np.array_equal(unpack_soft(images[0].soft), softs[0])
    first = images[0]
    merged = merge_sightings(
        KnownTile(told, first.good, first.data, first.soft, first.margin_db, first.error_rate),
        images[1],
    )
    assert merged.whole
    assert merged.soft is None
    assert merged.data.tobytes() == payload
    assert merged.margin_db > max(each.margin_db for each in images)
