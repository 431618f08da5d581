"""Whole files to sheets of pattern files: what is written is all there, and as it was planned."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.archive.bag import list_sources, make_bag
from napari_nanoqr.archive.events import Event, log_events, read_events
from napari_nanoqr.archive.fields import read_field, write_field
from napari_nanoqr.archive.header import Role
from napari_nanoqr.archive.index import BadIndex, IndexedArchive
from napari_nanoqr.archive.layout import SIDE
from napari_nanoqr.archive.manifest import ArchiveManifest, BadManifest
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.archive.tile import decode_tile
from napari_nanoqr.archive.unpack import unpack_stream
from napari_nanoqr.archive.write import write_archive
from napari_nanoqr.codes.cauchy import recover
from napari_nanoqr.files import file_hash
from napari_nanoqr.progress import Cancelled

CONTENT = {
    "in/zebra.txt": b"Dear reader,\n" * 900,
    "in/sub/noise.bin": np.random.default_rng(0).bytes(30_000),
}
SMALL = ArchiveSettings(
    rate="0.88", tiles_per_field=1, tile_loss=0.05, failure=1e-2, suffix=".bmp"
)  # fmt: skip


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("source")
    for name, content in CONTENT.items():
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_bytes(content)
    return base / "in"


@pytest.fixture(scope="module")
def written(source: Path, tmp_path_factory: pytest.TempPathFactory) -> ArchiveManifest:
    folder = tmp_path_factory.mktemp("archive") / "new"
    return write_archive([source], folder, replace(SMALL, suffix=".oas"))


@pytest.fixture(scope="module")
def written_tiles(written: ArchiveManifest) -> dict:
    return decoded(written)


def decoded(manifest: ArchiveManifest) -> dict[tuple[int, int], object]:
    """All tiles with a header, by sheet and number, from the pattern files."""
    found = {}
    across = manifest.plan.settings.tiles_per_field
    for field in manifest.fields():
        path = manifest.field_path(field.sheet, field.number)
        levels, pitch = read_field(path, doses=manifest.doses)
        assert pitch == pytest.approx(manifest.plan.settings.pitch_nm)
        for place in range(across**2):
            tile = field.number * across**2 + place
            content = manifest.plan.content(field.sheet, tile)
            assert content is not None
            if content.kind in ("title", "control"):
                assert levels.any()
                continue
            row, column = (SIDE * at for at in divmod(place, across))
            modules = levels[row : row + SIDE, column : column + SIDE]
            planes = [modules >= 2, (modules == 1) | (modules == 2)]
            if manifest.plan.settings.bits_per_module == 1:
                planes = [modules == 1]
            soft = np.where(np.stack(planes), -127, 127).astype(np.int8)
            found[field.sheet, tile] = decode_tile(soft)
    return found


def stream_of(manifest: ArchiveManifest, tiles: dict) -> bytes:
    data = {each.header.part: each.payload for each in tiles.values() if each.header.role == 0}
    return b"".join(data[part] for part in sorted(data))


def test_the_files_come_back_from_the_pattern_files(
    written: ArchiveManifest, written_tiles: dict, source: Path, tmp_path: Path
) -> None:
    tiles = written_tiles
    assert all(each.header.tile == tile for (_, tile), each in tiles.items())
    assert {each.header.tiles for each in tiles.values()} == {written.plan.all_tiles}
    (tmp_path / "s").write_bytes(stream_of(written, tiles))
    facts = written.index.facts
    assert file_hash(tmp_path / "s") == facts.sha256
    verdicts = unpack_stream(tmp_path / "s", tmp_path / "out", facts=facts)
    assert {each.state for each in verdicts} == {"exact"}
    for name, content in CONTENT.items():
        assert (tmp_path / "out/in/data" / name).read_bytes() == content
        assert (source.parent / name).read_bytes() == content


def test_the_index_on_the_sheet_tells_all_that_is_in_the_manifest(
    written: ArchiveManifest, written_tiles: dict
) -> None:
    tiles = written_tiles
    roles = Counter(each.header.role for each in tiles.values())
    assert roles[Role.INDEX] >= 3 * written.plan.index_tiles
    assert roles[Role.DESCRIPTION] == 3 * written.plan.description_tiles
    index = [each for each in tiles.values() if each.header.role == Role.INDEX]
    parts = {each.header.part: each.payload for each in index}
    values = json.loads(b"".join(parts[part] for part in sorted(parts)))
    assert IndexedArchive.from_dict(values) == written.index
    assert {file["name"] for file in values["stream"]["files"]} >= {
        f"in/data/{name}" for name in CONTENT
    }


def test_parity_gives_lost_tiles_back(written: ArchiveManifest, written_tiles: dict) -> None:
    groups = written.plan.groups
    assert groups.groups == 1
    size = written.plan.settings.tile_bytes
    members = {}
    for each in written_tiles.values():
        if each.header.role in (Role.DATA, Role.PARITY):
            payload = np.frombuffer(each.payload.ljust(size, b"\0"), np.uint8)
            members[each.header.member] = payload.reshape(25, -1)
    whole = recover(members, groups.data_tiles, groups.parity)
    for lost in range(groups.parity):
        del members[lost]
    assert np.array_equal(recover(members, groups.data_tiles, groups.parity), whole)


def test_the_folder_holds_what_its_manifest_says(written: ArchiveManifest) -> None:
    folder = written.folder
    assert {path.name for path in folder.iterdir()} == {
        "manifest.json", "events.json", "plan.json", "README.txt", "sheet-01"
    }  # fmt: skip
    assert ArchiveManifest.load(folder) == written
    rows = written.stage_rows(0)
    assert len(rows) == written.plan.all_fields
    for row, field in zip(rows, written.fields(), strict=True):
        path = written.field_path(0, field.number)
        assert row["file"] == path.name
        assert row["sha256"] == file_hash(path)
        assert float(row["y_um"]) == pytest.approx(field.centre_nm[0] / 1000, abs=1e-4)
    assert written.pattern_bytes == sum(
        path.stat().st_size for path in (folder / "sheet-01").glob("field-*")
    )
    seconds = sum(float(row["beam_on_time_s"]) for row in rows)
    assert seconds == pytest.approx(written.beam_on_time_s, rel=1e-4)
    assert written.index.archive in (folder / "README.txt").read_text(encoding="utf-8")
    told = [event["event_type"] for event in read_events(folder)]
    assert told == ["ingestion", "message digest calculation", "packing", "replication"]


def test_several_processes_write_as_one(
    written: ArchiveManifest, source: Path, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    manifest = write_archive(
        [source], tmp_path / "new", SMALL, archive=bytes.fromhex(written.index.archive), jobs=2,
        progress=lambda done, planned, text: seen.append((done, planned)),
    )  # fmt: skip
    tiles = decoded(manifest)
    assert all(each.payload is not None for each in tiles.values())
    assert [each.header.tile for each in tiles.values()] == [tile for _, tile in tiles]
    assert len(tiles) == manifest.plan.all_tiles
    fields = manifest.plan.all_fields
    assert (fields, fields) in seen
    assert [row["file"] for row in manifest.stage_rows(0)] == [
        f"field-{number + 1:06}.bmp" for number in range(fields)
    ]


def test_two_bits_and_copies_and_several_sheets(source: Path, tmp_path: Path) -> None:
    settings = ArchiveSettings(
        bits_per_module=2, copies=2, tile_loss=0.05, failure=1e-2, suffix=".bmp",
        sheet_mm=(0.13, 0.21),
    )  # fmt: skip
    manifest = write_archive([source], tmp_path / "new", settings)
    assert manifest.plan.sheets == 2
    tiles = decoded(manifest)
    members = Counter(
        (each.header.group, each.header.member)
        for each in tiles.values()
        if each.header.role in (Role.DATA, Role.PARITY)
    )
    assert set(members.values()) == {2}
    assert len(members) == manifest.plan.groups.tiles
    assert {each.header.bits for each in tiles.values()} == {2}
    assert manifest.doses[0] == 0
    assert list(manifest.doses) == sorted(manifest.doses)


def test_a_bag_is_taken_as_it_is(source: Path, tmp_path: Path) -> None:
    make_bag(list_sources([source]), tmp_path / "a bag", "x")
    manifest = write_archive([tmp_path / "a bag"], tmp_path / "new", SMALL)
    (tmp_path / "s").write_bytes(stream_of(manifest, decoded(manifest)))
    unpack_stream(tmp_path / "s", tmp_path / "out")
    for path in (tmp_path / "a bag").rglob("*"):
        if path.is_file():
            copy = tmp_path / "out/a bag" / path.relative_to(tmp_path / "a bag")
            assert copy.read_bytes() == path.read_bytes()
    assert read_events(manifest.folder)[0]["event_type"] == "validation"
    (tmp_path / "a bag/data/in/zebra.txt").write_bytes(b"changed")
    with pytest.raises(ValueError, match="not a valid bag"):
        write_archive([tmp_path / "a bag"], tmp_path / "other", SMALL)
    assert not (tmp_path / "other").exists()


def test_an_encrypted_archive_tells_no_names(source: Path, tmp_path: Path) -> None:
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    settings = replace(SMALL, compress=True, recipients=(str(identity.to_public()),))
    manifest = write_archive([source], tmp_path / "new", settings)
    assert manifest.index.facts.kind == ".tar.zst.age"
    for path in (tmp_path / "new").glob("*.*"):
        text = path.read_text(encoding="utf-8")
        assert "zebra" not in text
        assert str(identity.to_public()) not in text
    tiles = decoded(manifest)
    assert all(b"zebra" not in each.payload for each in tiles.values())
    (tmp_path / "s").write_bytes(stream_of(manifest, tiles))
    verdicts = unpack_stream(tmp_path / "s", tmp_path / "out", identities=[str(identity)])
    assert {each.state for each in verdicts} == {"exact"}


def test_nothing_is_overwritten_and_nothing_is_left_behind(source: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/note.txt").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=r"note\.txt"):
        write_archive([source], tmp_path / "mine", SMALL, replace=True)
    new = tmp_path / "new"
    first = write_archive([source], new, SMALL)
    with pytest.raises(FileExistsError, match="--replace"):
        write_archive([source], new, SMALL)
    second = write_archive([source / "zebra.txt"], new, SMALL, replace=True)
    assert second.index.archive != first.index.archive
    assert second.file_count == 1
    (new / "note.txt").write_bytes(b"mine too")
    with pytest.raises(FileExistsError, match=r"note\.txt"):
        write_archive([source], new, SMALL, replace=True)
    with pytest.raises(FileNotFoundError):
        write_archive([tmp_path / "none"], tmp_path / "other", SMALL)
    with pytest.raises(ValueError, match="too small"):
        write_archive([source], tmp_path / "other", ArchiveSettings(sheet_mm=(0.1, 0.1)))
    with pytest.raises(ValueError, match="no file"):
        write_archive([], tmp_path / "other", SMALL)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "new"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_cancelled_archive_leaves_nothing(source: Path, tmp_path: Path, jobs: int) -> None:
    told: list[str] = []

    def stop() -> bool:
        return any(text.startswith("Writing field") for text in told)

    with pytest.raises(Cancelled):
        write_archive(
            [source], tmp_path / "new", SMALL, jobs=jobs, cancelled=stop,
            progress=lambda done, planned, text: told.append(text),
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_what_is_no_archive_is_told(written: ArchiveManifest, tmp_path: Path) -> None:
    with pytest.raises(BadManifest, match="holds no archive"):
        ArchiveManifest.load(tmp_path)
    values = written.to_dict()
    for change in ({"format": "other"}, {"format_version": 2}, {"doses": None}, {"index": {}}):
        (tmp_path / "manifest.json").write_text(json.dumps(values | change), encoding="utf-8")
        with pytest.raises(BadManifest, match=r"manifest\.json"):
            ArchiveManifest.load(tmp_path)
    index = written.index.to_dict()
    for change in ({"format_version": 9}, {"groups": 3}, {"settings": {}}, {"stream": None}):
        with pytest.raises(BadIndex):
            IndexedArchive.from_dict(index | change)


def test_events_are_added_and_a_damaged_log_stays(tmp_path: Path) -> None:
    log_events(tmp_path, [Event("fixity check", "All tiles were read.", "warning", "2 weak")])
    log_events(tmp_path, [Event("recovery", "Two tiles were written again.")])
    events = read_events(tmp_path)
    assert [event["event_type"] for event in events] == ["fixity check", "recovery"]
    assert [event["event_outcome"] for event in events] == ["warning", "success"]
    assert len({event["event_identifier"] for event in events}) == 2
    assert all(event["linking_agent"].startswith("napari-nanoqr ") for event in events)
    (tmp_path / "events.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="no log"):
        log_events(tmp_path, [Event("recovery", "x")])
    assert (tmp_path / "events.json").read_text(encoding="utf-8") == "{}"


def test_a_field_that_was_not_written_right_is_noticed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(levels, path, pitch_nm, **options):  # type: ignore[no-untyped-def]
        levels = levels.copy()
        levels[5, 5] ^= 1
        write_field(levels, path, pitch_nm, **options)

    monkeypatch.setattr("napari_nanoqr.archive.field_files.write_field", wrong)
    with pytest.raises(OSError, match="does not hold"):
        write_archive([source], tmp_path / "new", SMALL)
    assert not list(tmp_path.iterdir())
