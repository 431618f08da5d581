"""Tiles that are QR codes: any reader of QR codes gets the bytes, and nanoqr all of the archive."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_nanoqr.archive.description import format_text, qr_description, short_joiner
from napari_nanoqr.archive.fields import read_field
from napari_nanoqr.archive.header import NotAHeader, Role, TileHeader
from napari_nanoqr.archive.manifest import ArchiveManifest
from napari_nanoqr.archive.outer import Groups
from napari_nanoqr.archive.plan import plan_archive
from napari_nanoqr.archive.qr_control import qr_control_text
from napari_nanoqr.archive.qr_seeing import pitch_px, read_symbols, symbol_margin_db
from napari_nanoqr.archive.qr_tile import QrTiles, split_content
from napari_nanoqr.archive.seeing import see_modules
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.archive.sheet import SheetPlan
from napari_nanoqr.archive.sightings import TileSighting
from napari_nanoqr.archive.tile_kind import capacity, tile_kind
from napari_nanoqr.archive.write import write_archive
from napari_nanoqr.cli import main
from napari_nanoqr.symbols.decode import decode_modules

CONTENT = np.random.default_rng(3).bytes(1_500) + b"The end.\n"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> ArchiveManifest:
    folder = tmp_path_factory.mktemp("qr")
    (folder / "noise.bin").write_bytes(CONTENT)
    said = ArchiveSettings(
        "QR 40-L", tile_loss=0.05, failure=1e-4, tiles_per_field=6, suffix=".bmp"
    )
    return write_archive([folder / "noise.bin"], folder / "written", said, archive=b"8 bytes.")


def symbols_of(archive: ArchiveManifest, number: int) -> list[NDArray[np.uint8]]:
    levels, _ = read_field(archive.field_path(0, number))
    starts = range(0, len(levels), 181)
    every = [levels[y : y + 177, x : x + 177] for y in starts for x in starts]
    return [each for each in every if each.any()]


@pytest.fixture(scope="module")
def scanned(archive: ArchiveManifest) -> list[bytes]:
    """What zxing-cpp, which knows nothing of archives, says of each symbol of all fields."""
    found = []
    for number in range(2, archive.plan.fields(0)):
        for modules in symbols_of(archive, number):
            picture = np.kron(255 * (1 - np.pad(modules, 4)), np.ones((3, 3))).astype(np.uint8)
            (code,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
            found.append(code.bytes)
    return found


class TestWithoutNanoqr:
    def test_a_header_parser_of_a_few_lines_gets_the_files(self, scanned: list[bytes]) -> None:
        parts = {}
        for content in scanned:
            assert content[:2] == b"NQ"
            assert zlib.crc32(content[:44]) == int.from_bytes(content[44:48])
            role = content[3] >> 4
            group, groups, member = (
                int.from_bytes(content[at : at + size]) for at, size in ((23, 4), (27, 4), (31, 1))
            )
            if role == 0:
                parts[group + groups * member] = content[48:]
        stream = b"".join(parts[part] for part in sorted(parts))
        with tarfile.open(fileobj=io.BytesIO(stream)) as tar:
            file = tar.extractfile("noise.bin/data/noise.bin")
            assert file is not None
            assert file.read() == CONTENT

    @pytest.mark.parametrize("seed", [1, 2])
    def test_the_program_on_the_sheet_joins_what_scanners_say(
        self, archive: ArchiveManifest, scanned: list[bytes], tmp_path: Path, seed: int
    ) -> None:
        """With as many symbols lost as there are parity tiles, in any order, in two files."""
        program = tmp_path / "joiner.py"
        program.write_text(short_joiner(), encoding="utf-8")
        members = [each for each in scanned if each[3] >> 4 < 2]
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(members))[archive.plan.groups.parity :]
        kept = [members[number] for number in order]
        kept += [each for each in scanned if each[3] >> 4 == 2][:1]
        (tmp_path / "one").write_bytes(kept[0])
        (tmp_path / "set").write_bytes(b"".join(kept[1:]))
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(program), "out", "one", "set"],
            cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "lost" not in done.stdout.splitlines()[0]
        assert "out.description: nothing of it was read" in done.stdout
        size = archive.index.facts.size
        stream = (tmp_path / "out").read_bytes()
        with tarfile.open(fileobj=io.BytesIO(stream[:size])) as tar:
            file = tar.extractfile("noise.bin/data/noise.bin")
            assert file is not None
            assert file.read() == CONTENT
        assert b'"files":' in (tmp_path / "out.index").read_bytes()

    def test_the_program_says_what_is_lost(
        self, archive: ArchiveManifest, scanned: list[bytes], tmp_path: Path
    ) -> None:
        data = [each for each in scanned if each[3] >> 4 == 0 and each[31] not in (1, 2)]
        (tmp_path / "set").write_bytes(b"".join(data))
        (tmp_path / "joiner.py").write_text(short_joiner(), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-I", "joiner.py", "out", "set"],
            cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        size = archive.plan.settings.tile_bytes
        assert f"lost, and zero: {size} bytes at each of [{size}, {2 * size}]" in done.stdout
        stream = (tmp_path / "out").read_bytes()
        assert not any(stream[size : 3 * size])
        assert any(stream[:size])

    def test_the_description_is_on_the_sheet(self, scanned: list[bytes]) -> None:
        parts = {each[26]: each[48:] for each in scanned if each[3] >> 4 == 3}
        assert b"".join(parts[part] for part in sorted(parts)).decode() == qr_description()
        assert qr_description().isascii()

    def test_the_format_says_how_much_a_code_holds(self) -> None:
        assert f"{capacity(QrTiles(40, 'L'))} in version 40-L" in " ".join(format_text().split())

    def test_symbols_of_a_field_are_sets_of_structured_append(
        self, archive: ArchiveManifest
    ) -> None:
        told = []
        for modules in symbols_of(archive, 2):
            content = decode_modules(modules > 0).content
            assert content.structured_append is not None
            told.append((*content.structured_append, content.payload))
        assert [(index, count) for index, count, *_ in told] == [(n, 12) for n in range(12)] * 3
        for first in (0, 12, 24):
            parity = np.bitwise_xor.reduce(
                np.frombuffer(b"".join(each[3] for each in told[first : first + 12]), np.uint8)
            )
            assert {each[2] for each in told[first : first + 12]} == {parity}

    @pytest.mark.parametrize(("version", "error"), [(10, "L"), (27, "Q"), (40, "L"), (40, "H")])
    def test_control_pages_tell_how_to_read_a_clean_symbol(self, version: int, error: str) -> None:
        kind = QrTiles(version, error)
        text = qr_control_text(version, error, 1234.567, 16, 1000)
        assert text.isascii()
        assert len(text) <= 4 * 15 * 119
        payload = np.random.default_rng(version).bytes(capacity(kind))
        header = TileHeader(Role.DATA, b"archive.", f"QR {version}-{error}", tiles=7)
        (drawn,) = kind.draw([(header, payload)])
        assert drawn is not None
        assert follow(text, drawn) == header.holding(payload).to_bytes() + payload


def follow(text: str, modules: NDArray[np.uint8]) -> bytes:
    """Read a symbol as the control pages say, with what they say alone."""

    def after(words: str, end: str) -> str:
        start = text.index(words) + len(words)
        return text[start : text.index(end, start)]

    side = len(modules)
    patterns = np.zeros((side, side), bool)
    patterns[:8, :8] = patterns[:8, -8:] = patterns[-8:, :8] = True
    finders = patterns.copy()
    patterns[6] = patterns[:, 6] = True
    crossings = [int(each) for each in after("rows and columns ", ", but").split(",")]
    for row in crossings:
        for column in crossings:
            if not finders[row, column]:
                patterns[row - 2 : row + 3, column - 2 : column + 3] = True
    first, last = map(int, after("Version: rows 0-5, columns ", ",").split("-"))
    patterns[:6, first : last + 1] = patterns[first : last + 1, :6] = True
    first, last = map(int, after("Format: row 8, columns 0-8 and ", ";").split("-"))
    for line in (patterns[8], patterns[:, 8]):
        line[:9] = line[first : last + 1] = True
    said = [*modules[8, [0, 1, 2, 3, 4, 5, 7, 8]], *modules[[7, 5, 4, 3, 2, 1, 0], 8]]
    mark = [int(bit) for bit in after("are 15 bits, each XOR ", ".")]
    bits = "".join(str(int(a) ^ b) for a, b in zip(said, mark, strict=True))
    level = after("TILE: a QR code, version ", ",").split("-")[1]
    assert f"{bits[:2]} {level}" in after("first 2 are the level (", ")")
    rule = after(f"mask {int(bits[2:5], 2)}: ", ";" if bits[2:5] != "111" else ".")
    rule = rule.replace("r c", "r*c").replace("div", "//").replace("mod", "%")
    stream = []
    up = True
    for right in [c for c in range(side - 1, 0, -2) if c > 6] + [5, 3, 1]:
        for row in range(side - 1, -1, -1) if up else range(side):
            for column in (right, right - 1):
                if not patterns[row, column]:
                    turned = eval(rule, {"r": row, "c": column}) == 0
                    stream.append(int(modules[row, column]) ^ turned)
        up = not up
    found = np.packbits(stream[: len(stream) // 8 * 8]).tolist()
    counts = after("blocks: ", ". First").split(", then ")
    blocks: list[list[int]] = []
    for each in counts:
        number, length = each.removesuffix(" bytes").split(" of ")
        blocks += [[-1] * int(length) for _ in range(int(number))]
    for place in range(len(blocks[-1])):
        for block in blocks:
            if place < len(block):
                block[place] = found.pop(0)
    data = "".join(f"{byte:08b}" for block in blocks for byte in block)
    assert data[:4] == "0011"
    assert data[20:24] == "0100"
    count = int(data[24:40], 2)
    return bytes(int(data[at : at + 8], 2) for at in range(40, 40 + 8 * count, 8))


class TestHeaders:
    @settings(max_examples=60, deadline=None)
    @given(
        version=st.integers(10, 40), error=st.sampled_from("LMQH"),
        tiles=st.integers(1, 2**32 - 1), role=st.sampled_from(list(Role)),
    )  # fmt: skip
    def test_what_a_symbol_is_comes_back(
        self, version: int, error: str, tiles: int, role: Role
    ) -> None:
        header = TileHeader(role, b"12345678", f"QR {version}-{error}", tiles=tiles)
        data = header.to_bytes()
        assert len(data) == 48
        assert TileHeader.from_bytes(data) == header
        assert header.capacity == capacity(QrTiles(version, error))
        assert header.capacity % 8 == 0

    @pytest.mark.parametrize("rate", ["QR 9-L", "QR 41-L", "QR 40-X", "QR 40", "qr 40-L"])
    def test_there_are_no_other_tiles(self, rate: str) -> None:
        with pytest.raises(ValueError, match=r"rate|version"):
            TileHeader(Role.DATA, b"12345678", rate)

    def test_two_bits_a_module_and_more_tiles_than_fit_are_refused(self) -> None:
        with pytest.raises(ValueError, match="one bit a module"):
            TileHeader(Role.DATA, b"12345678", "QR 40-L", bits=2)
        with pytest.raises(ValueError, match="tiles of a tile"):
            TileHeader(Role.DATA, b"12345678", "QR 40-L", tiles=2**32)

    def test_a_symbol_of_something_else_is_no_tile(self) -> None:
        header = TileHeader(Role.DATA, b"12345678", "QR 10-L").holding(b"payload")
        assert split_content(header.to_bytes() + b"payload") == (header, b"payload")
        for content in (b"", b"https://example.org", header.to_bytes() + b"paYload"):
            with pytest.raises(NotAHeader):
                split_content(content)


class TestPlans:
    def test_density_is_that_of_symbols_with_shared_borders_and_headers(self) -> None:
        plan = plan_archive(10**12, ArchiveSettings("QR 40-L", tiles_per_field=6))
        shares, density = plan.efficiency, plan.density
        modules = 8 * 2896 / 181**2
        own = ("marks_and_headers", "inner_code", "checksums", "gaps")
        assert np.prod([shares[key] for key in own]) == pytest.approx(modules, rel=1e-4)
        # 2.34 TB with shared borders and nothing else, of which headers and parity take theirs
        assert 2.0 < density["full_tb_per_a4"] < 2.34 * 0.93
        tiles = plan_archive(10**12, ArchiveSettings())
        assert tiles.density["full_tb_per_a4"] > density["full_tb_per_a4"]

    @pytest.mark.parametrize("rate", ["QR 40-L", "QR 20-M", "QR 10-L"])
    def test_a_sheet_has_whole_fields_of_control_pages(self, rate: str) -> None:
        across = tile_kind(rate).usual_across
        plan = SheetPlan(ArchiveSettings(rate, tiles_per_field=across), Groups(40, 1, 9))
        assert plan.drawn_tiles % plan.tiles_per_field == 0
        contents = [plan.content(0, tile) for tile in range(plan.tiles(0))]
        kinds = [content.kind for content in contents if content is not None]
        assert kinds[: plan.tiles_per_field] == ["title"] * plan.tiles_per_field
        assert kinds.count("member") == 49
        assert "control" not in kinds[plan.drawn_tiles :]

    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            ({"tiles_per_field": 2}, "cannot hold a control page: .* 6 for one of usual size"),
            ({"field_gap_modules": 3}, "use 4 to 1000"),
            ({"bits_per_module": 2}, "one bit"),
        ],
    )
    def test_settings_that_cannot_be_are_refused(self, wrong: dict[str, int], reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            ArchiveSettings("QR 40-L", **({"tiles_per_field": 6} | wrong))  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (["--tiles", "qr", "--rate", "0.8"], "--qr-error"),
            (["--qr-version", "20"], "--tiles qr"),
            (["--tiles", "qr", "--qr-version", "9"], "10 to 40"),
        ],
    )
    def test_options_that_do_not_go_together_are_refused(
        self, words: list[str], reason: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["archive", "plan", "--size", "1GB", *words]) != 0
        assert reason in capsys.readouterr().err


@pytest.fixture(scope="module")
def field() -> tuple[NDArray[np.uint8], dict[int, tuple[TileHeader, bytes]]]:
    """Symbols of version 10, 5 x 5 without one, and what they hold by number."""
    kind, rng = QrTiles(10, "M"), np.random.default_rng(8)
    filled: list[tuple[TileHeader, bytes] | None] = []
    for tile in range(25):
        payload = rng.bytes(capacity(kind) - (tile == 3))
        header = TileHeader(Role.DATA, b"archive.", "QR 10-M", tile=tile).holding(payload)
        filled.append(None if tile == 12 else (header, payload))
    modules = np.zeros((5 * 61 - 4,) * 2, np.uint8)
    for tile, drawn in enumerate(kind.draw(filled)):
        if drawn is not None:
            y, x = (61 * at for at in divmod(tile, 5))
            modules[y : y + 57, x : x + 57] = drawn
    return modules, {each[0].tile: each for each in filled if each is not None}


class TestReading:
    @staticmethod
    def read(
        modules: NDArray[np.uint8], dark: bool = True, noise: float = 25
    ) -> list[TileSighting]:
        picture = np.kron(np.pad(modules, 9).astype(float), np.ones((4, 4)))
        picture = (180 - 100 * picture) if dark else (80 + 100 * picture)
        picture += noise * np.random.default_rng(5).normal(size=picture.shape)
        lattices = see_modules(picture.astype(np.float32), 12.25, 49.0)
        return next((tiles for tiles in map(read_symbols, lattices) if tiles), [])

    @pytest.mark.parametrize("turned", range(8))
    def test_symbols_are_read_however_the_image_shows_them(
        self,
        field: tuple[NDArray[np.uint8], dict[int, tuple[TileHeader, bytes]]],
        turned: int,
    ) -> None:
        modules, filled = field
        shown = np.rot90(modules.T if turned >= 4 else modules, turned % 4)
        tiles = self.read(shown, dark=turned % 3 != 1)
        assert {tile.header.tile for tile in tiles} == set(filled)
        for tile in tiles:
            header, payload = filled[tile.header.tile]
            assert tile.header == header
            assert tile.data.tobytes()[: header.length] == payload
            assert tile.good.all()
            assert tile.mirrored == (turned >= 4)
            assert pitch_px(tile) == pytest.approx(4, rel=0.01)
            assert tile.margin_db > 1
        # the first corner is that of the symbol's first module: it looks away from the last
        corner = {tile.header.tile: np.array(tile.corners) for tile in tiles}
        across = corner[4][0] - corner[0][0]
        assert np.linalg.norm(across) == pytest.approx(4 * 61 * 4, rel=0.01)
        assert across @ (corner[0][1] - corner[0][0]) > 0.99 * 4 * 61 * 4 * 57 * 4
        assert np.linalg.norm(corner[1][0] - corner[0][1]) == pytest.approx(16, abs=1)

    def test_damage_and_noise_that_hard_decisions_do_not_bear(
        self, field: tuple[NDArray[np.uint8], dict[int, tuple[TileHeader, bytes]]]
    ) -> None:
        modules, filled = field
        clear = {tile.header.tile: tile for tile in self.read(modules, noise=50)}
        faint = {tile.header.tile: tile for tile in self.read(modules, noise=90)}
        assert set(clear) == set(filled)
        assert (
            min(t.margin_db for t in clear.values()) > 0 > min(t.margin_db for t in faint.values())
        )
        assert all(
            t.data.tobytes()[: t.header.length] == filled[number][1] for number, t in faint.items()
        )
        assert self.read(modules, noise=900) == []

    def test_symbols_at_the_edge_of_an_image_are_read_while_enough_is_seen(
        self, field: tuple[NDArray[np.uint8], dict[int, tuple[TileHeader, bytes]]]
    ) -> None:
        modules, filled = field
        cut = np.kron(modules[5:, : 4 * 61 + 25].astype(float), np.ones((4, 4)))
        cut += 0.2 * np.random.default_rng(6).normal(size=cut.shape)
        lattices = see_modules((-cut).astype(np.float32), 12.25, 49.0)
        tiles = next((tiles for tiles in map(read_symbols, lattices) if tiles), [])
        assert {tile.header.tile for tile in tiles} == {tile for tile in filled if tile % 5 < 4}
        for tile in tiles:
            assert tile.data.tobytes()[: tile.header.length] == filled[tile.header.tile][1]
            assert (tile.shown < 0.95) == (tile.header.tile < 5)

    def test_one_lost_finder_pattern_does_not_lose_the_symbol(
        self, field: tuple[NDArray[np.uint8], dict[int, tuple[TileHeader, bytes]]]
    ) -> None:
        modules, filled = field
        damaged = modules.copy()
        damaged[61:70, 61:70] = 0
        assert {tile.header.tile for tile in self.read(damaged)} == set(filled)

    def test_margins_fall_with_wrong_codewords_and_are_zero_at_the_limit(self) -> None:
        margins = [symbol_margin_db(40, "L", (worst, 0)) for worst in (0, 1, 7, 15, 20)]
        assert margins == sorted(margins, reverse=True)
        assert margins[3] == pytest.approx(0)
        assert 3 < margins[0] < 4
        assert margins[4] < 0


def test_archives_of_qr_codes_come_back_through_the_commands(
    archive: ArchiveManifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Micrographs, a tenth of the symbols missing: exact, and each is told to be missing."""
    folder, images, out = str(archive.folder), tmp_path / "images", tmp_path / "out"
    simulate = ["archive", "simulate", folder, "--px-per-module", "3", "--electrons", "1000"]
    assert main([*simulate, "-o", str(images), "--missing", "0.1", "--seed", "2"]) == 0
    taken = sorted(images.iterdir())
    assert main(["archive", "read", *map(str, taken[:2]), "-o", str(out)]) != 0
    assert "No tile" in capsys.readouterr().out
    assert main(["archive", "read", str(images), "-o", str(out)]) == 0
    (stored,) = (path for path in out.rglob("noise.bin") if path.is_file())
    assert stored.read_bytes() == CONTENT
    capsys.readouterr()
    assert main(["archive", "verify", folder, str(taken[2])]) != 0
    shown = capsys.readouterr().out
    assert "Weak: 0. Not as written: 0." in shown
    assert "Missing: 0." not in shown
