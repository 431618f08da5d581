"""Archives come back from images in any order, and from what is left of them.

The images of most tests have one pixel a module, and what looks for tiles in them cuts them into
tiles: all that comes after is the program's own. The last tests take real micrographs.
"""

from __future__ import annotations

import csv
import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_nanoqr.archive import tasks
from napari_nanoqr.archive.bag import check_bag, list_sources, make_bag
from napari_nanoqr.archive.events import read_events
from napari_nanoqr.archive.fields import read_field
from napari_nanoqr.archive.header import Role
from napari_nanoqr.archive.manifest import ArchiveManifest
from napari_nanoqr.archive.read import read_archive
from napari_nanoqr.archive.seeing import SeenTile
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.archive.simulate import Imaging
from napari_nanoqr.archive.simulate_archive import SimulatedArchive, simulate_archive
from napari_nanoqr.archive.sources import ImageSource
from napari_nanoqr.archive.tasks import ReadingOptions, SeenImage, UnreadImage
from napari_nanoqr.archive.tile import read_header
from napari_nanoqr.archive.unpack import RECORDS
from napari_nanoqr.archive.verify import verify_archive
from napari_nanoqr.archive.write import write_archive
from napari_nanoqr.cli import main
from napari_nanoqr.progress import Cancelled

SETTINGS = ArchiveSettings(tile_loss=0.05, failure=1e-4, suffix=".bmp")
"""Bitmaps are written and read in a fraction of the time of layouts, and hold the same modules."""


def cut_into_tiles(
    source: ImageSource, digest: str, options: ReadingOptions
) -> SeenImage | UnreadImage:
    """Stand in for the search: pixels are modules, and tiles lie edge to edge."""
    try:
        image, _ = source.load()
    except OSError as problem:
        return UnreadImage(source.name, str(problem))
    tiles = []
    for top in range(0, image.shape[0], 512):
        for left in range(0, image.shape[1], 512):
            part = image[top : top + 512, left : left + 512].astype(int)
            # 0 is milled, 255 is film, 128 is not seen
            soft = np.clip((part - 128) // 2, -60, 60).astype(np.int8)[None]
            corners = np.array([(0, 0), (0, 512), (512, 512), (512, 0)]) + np.array((top, left))
            seen = float(np.count_nonzero(soft)) / soft.size
            header = read_header(soft)
            tiles.append(SeenTile(soft, header, corners, False, True, 1.0, seen, 9.0, 0.0))
    return SeenImage(digest, source.name, tuple(tiles))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files") / "stored"
    (folder / "inner").mkdir(parents=True)
    (folder / "numbers.bin").write_bytes(np.random.default_rng(0).bytes(60_000))
    (folder / "inner" / "words.txt").write_text("what is to last\n" * 300, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def archive(files: Path, tmp_path_factory: pytest.TempPathFactory) -> ArchiveManifest:
    folder = tmp_path_factory.mktemp("archive") / "written"
    return write_archive([files], folder, SETTINGS, archive=b"8 bytes.")


@pytest.fixture(scope="module")
def pictures(archive: ArchiveManifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One picture a tile, one pixel a module, named by kind, part, member and number."""
    folder = tmp_path_factory.mktemp("pictures")
    draw_tiles(archive, folder)
    return folder


def draw_tiles(archive: ArchiveManifest, folder: Path) -> None:
    plan = archive.plan
    for number in range(plan.fields(0)):
        levels, _ = read_field(archive.field_path(0, number))
        for place in range(4):
            content = plan.content(0, 4 * number + place)
            if content is None or content.kind in ("title", "control"):
                continue
            name = f"{content.kind}-{content.part}-{content.member}-{4 * number + place:03}.png"
            top, left = (512 * n for n in divmod(place, 2))
            part = levels[top : top + 512, left : left + 512]
            Image.fromarray((255 * (1 - part)).astype(np.uint8)).save(folder / name)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "see_image", cut_into_tiles)


def same_files(files: Path, out: Path) -> bool:
    """Whether a folder holds what was stored, and a folder of reports, and nothing else."""
    if {path.name for path in out.iterdir()} != {files.name, RECORDS}:
        return False
    inner = [path.relative_to(files) for path in files.rglob("*") if path.is_file()]
    return all((out / files.name / i).read_bytes() == (files / i).read_bytes() for i in inner)


@pytest.mark.usefixtures("cut")
class TestReading:
    def test_files_come_back_from_images_in_any_order(
        self, files: Path, pictures: Path, tmp_path: Path
    ) -> None:
        images = sorted(pictures.iterdir())
        random.Random(3).shuffle(images)
        reading = read_archive(images, tmp_path / "out")
        assert reading.exact
        assert same_files(files, tmp_path / "out")
        assert reading.states == {"whole": len(images), "weak": 0, "missing": 0}
        assert {each.state for each in reading.files} <= {"exact", "unchecked"}
        assert "are exact" in reading.to_text()

    def test_what_it_tells_is_written_down(
        self, archive: ArchiveManifest, pictures: Path, tmp_path: Path
    ) -> None:
        reading = read_archive([pictures], tmp_path)
        records = tmp_path / RECORDS
        told = json.loads((records / "report.json").read_text(encoding="utf-8"))
        assert told == json.loads(json.dumps(reading.to_dict()))
        assert told["archive"] == archive.index.archive
        assert (records / "report.txt").read_text(encoding="utf-8") == reading.to_text() + "\n"
        assert Image.open(records / "map_sheet_1.png").size[0] > 20
        assert (records / "rewrite.csv").read_text(encoding="utf-8").count("\n") == 1
        assert not list(tmp_path.rglob(".*"))

    def test_as_many_tiles_as_there_is_parity_may_be_missing(
        self, archive: ArchiveManifest, files: Path, pictures: Path, tmp_path: Path
    ) -> None:
        members = sorted(pictures.glob("member-*"))
        gone = set(members[: archive.plan.groups.parity])
        kept = [each for each in pictures.iterdir() if each not in gone]
        reading = read_archive(kept, tmp_path)
        assert reading.exact
        assert same_files(files, tmp_path)
        assert reading.states["missing"] == len(gone)
        assert reading.groups[0].spare == 0
        with (tmp_path / RECORDS / "rewrite.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert {int(row["tile"]) for row in rows} == {int(each.stem[-3:]) for each in gone}
        assert {row["reason"] for row in rows} == {"missing"}

    def test_one_more_and_it_is_told_what_is_lost_until_the_image_comes(
        self, archive: ArchiveManifest, files: Path, pictures: Path, tmp_path: Path
    ) -> None:
        members = sorted(pictures.glob("member-*"), key=lambda path: int(path.stem.split("-")[2]))
        gone = members[: archive.plan.groups.parity + 1]
        kept = [each for each in pictures.iterdir() if each not in gone]
        reading = read_archive(kept, tmp_path)
        assert not reading.exact
        assert reading.lost_bytes > 0
        assert reading.groups[0].spare == -1
        assert "too many" in reading.to_text()
        damaged = [each for each in reading.files if each.state in ("damaged", "lost")]
        assert damaged
        bag = tmp_path / files.name
        for each in damaged:
            assert not (tmp_path / each.name).exists()
        for each in reading.files:
            if each.state == "damaged":
                left = (tmp_path / RECORDS / "damaged" / each.path).read_bytes()
                assert len(left) == each.size
        again = read_archive([*kept, gone[0]], tmp_path)
        assert again.exact
        assert (again.images_new, again.images_read) == (1, len(kept) + 1)
        assert same_files(files, tmp_path)
        assert bag.is_dir()

    def test_what_was_read_is_not_read_again(
        self, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert read_archive([pictures], tmp_path / "out").exact
        shutil.copytree(pictures, tmp_path / "copy")

        def not_again(*_: object) -> None:
            raise AssertionError("read again")

        monkeypatch.setattr(tasks, "see_image", not_again)
        reading = read_archive([pictures, tmp_path / "copy"], tmp_path / "out")
        assert reading.exact
        assert reading.images_new == 0

    def test_it_goes_on_where_it_was_cancelled(
        self, pictures: Path, files: Path, tmp_path: Path
    ) -> None:
        done: list[str] = []
        with pytest.raises(Cancelled):
            read_archive(
                [pictures], tmp_path, jobs=1,
                progress=lambda _done, _planned, sentence: done.append(sentence),
                cancelled=lambda: len(done) >= 4,
            )  # fmt: skip
        reading = read_archive([pictures], tmp_path)
        assert reading.exact
        assert reading.images_new == reading.images_read - 4

    def test_two_halves_of_a_tile_make_a_whole(
        self, files: Path, pictures: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "halves").mkdir()
        for path in pictures.iterdir():
            for half in range(2):
                image = np.array(Image.open(path))
                image[:, 300:] = 128 if half == 0 else image[:, 300:]
                image[:, :200] = 128 if half == 1 else image[:, :200]
                Image.fromarray(image).save(tmp_path / "halves" / f"{half}-{path.name}")
        halves = sorted((tmp_path / "halves").iterdir())
        first = read_archive([each for each in halves if each.name[0] == "0"], tmp_path / "out")
        assert not first.files
        reading = read_archive(halves, tmp_path / "out")
        assert reading.exact
        assert same_files(files, tmp_path / "out")

    def test_the_files_come_back_without_an_index(
        self, files: Path, pictures: Path, tmp_path: Path
    ) -> None:
        members = [each for each in pictures.iterdir() if each.name.startswith("member")]
        reading = read_archive(members, tmp_path)
        assert not reading.index_known
        assert same_files(files, tmp_path)
        assert reading.exact
        assert any("index" in note for note in reading.notes)

    def test_what_cannot_be_opened_takes_no_other_with_it(
        self, pictures: Path, tmp_path: Path
    ) -> None:
        def fails(source: ImageSource, digest: str, options: ReadingOptions) -> object:
            if source.name.startswith("index"):
                raise MemoryError("too large")
            return cut_into_tiles(source, digest, options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tasks, "see_image", fails)
            reading = read_archive([pictures], tmp_path)
        assert {each.reason for each in reading.unread} == {"MemoryError: too large"}
        assert reading.exact
        # and they are tried again
        assert read_archive([pictures], tmp_path).index_known

    def test_images_without_tiles_say_nothing(self, tmp_path: Path) -> None:
        Image.fromarray(np.full((512, 512), 200, np.uint8)).save(tmp_path / "empty.png")
        reading = read_archive([tmp_path / "empty.png"], tmp_path / "out")
        assert not reading.exact
        assert reading.to_text().startswith("No tile")
        with pytest.raises(ValueError, match="there are: none"):
            read_archive([tmp_path / "empty.png"], tmp_path / "out", archive="00" * 8)

    def test_two_archives_are_told_apart(self, files: Path, pictures: Path, tmp_path: Path) -> None:
        other = write_archive([files / "inner"], tmp_path / "other", SETTINGS)
        (tmp_path / "more").mkdir()
        draw_tiles(other, tmp_path / "more")
        reading = read_archive([pictures, tmp_path / "more"], tmp_path / "a")
        assert reading.exact
        assert any(other.index.archive in note for note in reading.notes)
        second = read_archive(
            [pictures, tmp_path / "more"], tmp_path / "b", archive=other.index.archive
        )
        assert second.exact
        assert (tmp_path / "b" / "inner" / "words.txt").is_file()

    def test_a_bag_of_the_user_comes_back_as_that_bag(self, files: Path, tmp_path: Path) -> None:
        make_bag(list_sources([files]), tmp_path / "my bag", "what I call it")
        manifest = write_archive([tmp_path / "my bag"], tmp_path / "sheets", SETTINGS)
        (tmp_path / "shots").mkdir()
        draw_tiles(manifest, tmp_path / "shots")
        assert read_archive([tmp_path / "shots"], tmp_path / "out").exact
        check_bag(tmp_path / "out" / "my bag")

    def test_workers_of_a_cluster_read_too(
        self, files: Path, pictures: Path, tmp_path: Path
    ) -> None:
        from distributed import LocalCluster

        with LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, protocol="tcp",
            dashboard_address=None,
        ) as cluster:  # fmt: skip
            reading = read_archive([pictures], tmp_path, scheduler=cluster.scheduler_address)
        assert reading.exact
        assert same_files(files, tmp_path)

    def test_bad_use_is_told(self, pictures: Path, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="jobs"):
            read_archive([pictures], tmp_path, jobs=0)
        with pytest.raises(FileNotFoundError, match="no file"):
            read_archive([tmp_path / "none"], tmp_path / "out")


@pytest.mark.usefixtures("cut")
class TestVerifying:
    def test_all_tiles_as_written(self, archive: ArchiveManifest, pictures: Path) -> None:
        result = verify_archive(archive, [pictures])
        assert result.good
        assert not result.rewrite
        event = read_events(archive.folder)[-1]
        assert (event["event_type"], event["event_outcome"]) == ("fixity check", "success")

    def test_a_tile_of_another_place_is_not_as_written(
        self, archive: ArchiveManifest, pictures: Path, tmp_path: Path
    ) -> None:
        from dataclasses import replace

        from napari_nanoqr.archive.tile import encode_tile

        path = next(pictures.glob("member-*"))
        image = np.array(Image.open(path)).astype(int)
        header = read_header(np.clip((image - 128) // 2, -60, 60).astype(np.int8)[None])
        assert header is not None
        forged = encode_tile(replace(header, role=Role.DATA), b"something else")
        shutil.copytree(pictures, tmp_path / "forged")
        Image.fromarray((255 * (1 - forged)).astype(np.uint8)).save(tmp_path / "forged" / path.name)
        result = verify_archive(archive, [tmp_path / "forged"], log=False)
        assert result.wrong == ((0, header.tile),)
        assert not result.good
        assert "not as written" in result.rewrite_csv

    def test_a_sample_is_held_against_its_own_fields(
        self, archive: ArchiveManifest, pictures: Path
    ) -> None:
        some = [each for each in pictures.iterdir() if int(each.stem[-3:]) // 4 == 3]
        whole = verify_archive(archive, some, log=False)
        assert not whole.good
        sample = verify_archive(archive, some, sample=True, log=False)
        assert sample.good
        assert len(sample.tiles) == len(some) == 4


@pytest.mark.usefixtures("cut")
class TestCommands:
    def test_exit_status_tells_whether_all_files_are_exact(
        self, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        members = sorted(pictures.glob("member-*"))
        few = [str(each) for each in members[:1]]
        assert main(["archive", "read", *few, "-o", str(tmp_path), "--json"]) == 1
        assert json.loads(capsys.readouterr().out)["exact"] is False
        assert main(["archive", "read", str(pictures), "-o", str(tmp_path)]) == 0
        assert "are exact" in capsys.readouterr().out
        assert main(["archive", "read", str(tmp_path / "none"), "-o", str(tmp_path)]) == 2

    def test_verify_writes_what_is_worth_writing_again(
        self, archive: ArchiveManifest, pictures: Path, tmp_path: Path
    ) -> None:
        words = ["archive", "verify", str(archive.folder)]
        some = [str(each) for each in sorted(pictures.iterdir())[1:]]
        csv_file = tmp_path / "again.csv"
        assert main([*words, *some, "--rewrite", str(csv_file)]) == 1
        assert csv_file.read_text(encoding="utf-8").count("missing") == 1
        assert main([*words, *some, "--rewrite", str(csv_file)]) == 2
        assert main([*words, str(pictures)]) == 0


@pytest.fixture(scope="module")
def taken(archive: ArchiveManifest, tmp_path_factory: pytest.TempPathFactory) -> SimulatedArchive:
    """Micrographs of the archive in one mosaic."""
    imaging = Imaging(px_per_module=3.0, margin_modules=12.0, seed=1)
    return simulate_archive(
        archive, tmp_path_factory.mktemp("images"), imaging, jobs=2, mosaic=True, missing=0.08,
        scratches=1,
    )  # fmt: skip


@pytest.mark.usefixtures("cut")
class TestAuditing:
    def test_an_audit_names_a_sample_and_then_checks_it(
        self, archive: ArchiveManifest, pictures: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ["archive", "audit", str(archive.folder)]
        assert main([*words, "--fields", "2", "--seed", "5", "--json"]) == 0
        named = json.loads(capsys.readouterr().out)["fields"]
        assert len({each["field"] for each in named}) == 2
        some = [each for each in pictures.iterdir() if int(each.stem[-3:]) // 4 == 3]
        images = [str(each) for each in some]
        assert main([*words, *images, "--date", "2031-05-04", "--json"]) == 0
        assert main([*words, *images[:3], "--date", "2032-05-04", "--json"]) == 1
        capsys.readouterr()
        assert main([*words, "--json"]) == 0
        first, second = json.loads(capsys.readouterr().out)["audits"]
        assert (first["date"], first["tiles"], first["missing"]) == ("2031-05-04", 4, 0)
        assert (second["tiles"], second["missing"]) == (4, 1)
        assert main([*words, "--fields", "0"]) == 2
        assert main([*words, *images, "--fields", "1"]) == 2


class TestRealMicrographs:
    def test_files_come_back_from_a_mosaic_of_a_damaged_sheet(
        self, archive: ArchiveManifest, taken: SimulatedArchive, files: Path, tmp_path: Path
    ) -> None:
        (mosaic,) = taken.places
        reading = read_archive([mosaic], tmp_path)
        assert reading.exact
        assert same_files(files, tmp_path)
        gone = {4 * field + place for _, field, place in taken.missing}
        missing = {each.tile for each in reading.tiles if each.state == "missing"}
        headed = {each.tile for each in reading.tiles}
        assert missing >= gone & headed
        # a scratch takes a tile or two more at most
        assert len(missing - gone) <= 2

    def test_images_are_not_taken_over_others(
        self, archive: ArchiveManifest, taken: SimulatedArchive
    ) -> None:
        with pytest.raises(FileExistsError, match="exists"):
            simulate_archive(archive, taken.places[0].parent, mosaic=True)
