"""Designs: the true size, the density, and files that come back equal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.design.density import density
from napari_nanoqr.design.design import BadDesign, Design
from napari_nanoqr.design.film import Film, Layer, parse_layers
from napari_nanoqr.fib.pattern_files import write_pattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.tables import LEVELS

RECORD = Design(encode("https://www.tuwien.at/", "L", 3), name="record")


def test_the_record_has_the_size_that_was_published() -> None:
    # 29 x 29 modules at 49 nm; 1.977 um^2 was measured at 48.5 nm
    assert RECORD.size_nm == (29 * 49, 29 * 49)
    assert RECORD.area_um2 == pytest.approx(2.019, abs=1e-3)
    measured = density(Design(RECORD.symbol, pitch_nm=48.5))
    assert measured.times_record_area == pytest.approx(1, abs=1e-3)


def test_the_records_code_tiled_edge_to_edge_holds_1_64_terabytes_on_a4() -> None:
    numbers = density(RECORD)
    assert numbers.terabytes_on_a4 == pytest.approx(1.64, abs=0.005)
    assert numbers.terabytes_on_a4_with_quiet_zone == pytest.approx(1.01, abs=0.005)
    assert numbers.bits_per_um2 == pytest.approx(8 * 53 / 2.019, rel=1e-3)
    assert (numbers.correctable_codewords, numbers.codewords) == (7, 70)


@settings(max_examples=25)
@given(
    payload=st.binary(min_size=1, max_size=60),
    error=st.sampled_from(LEVELS),
    pitch=st.floats(1, 1e4),
    mill=st.sampled_from(["dark", "light"]),
    quiet_zone=st.integers(0, 4),
    thickness=st.floats(0.1, 1000),
)
def test_a_design_comes_back_equal(payload, error, pitch, mill, quiet_zone, thickness) -> None:  # type: ignore[no-untyped-def]
    film = Film("TiN", thickness, "Si")
    design = Design(encode(payload, error), pitch, mill, quiet_zone, film, "a · name")
    assert Design.from_dict(json.loads(json.dumps(design.to_dict()))) == design


def test_a_design_file_comes_back_equal(tmp_path: Path) -> None:
    RECORD.save(tmp_path / "record.json")
    assert Design.load(tmp_path / "record.json") == RECORD
    assert [p.name for p in tmp_path.iterdir()] == ["record.json"]


@pytest.mark.parametrize("kind", ["QR", "Micro QR", "rMQR"])
def test_a_design_with_text_in_kanji_comes_back_equal(kind: str) -> None:
    # as UTF-8 the same payload would need a larger symbol
    design = Design(encode("日本語です", symbology=kind))
    assert Design.from_dict(json.loads(json.dumps(design.to_dict()))) == design
    assert design.to_dict()["text"] == "日本語です"


def test_a_micro_qr_code_can_be_designed_and_milled(tmp_path: Path) -> None:
    design = Design(encode("nanoqr", "Q", "M4"), quiet_zone=2)
    design.save(tmp_path / "mark.json")
    assert Design.load(tmp_path / "mark.json") == design
    assert density(design).codewords == 24
    assert write_pattern(plan_milling(design), tmp_path / "mark.str").matches


@pytest.mark.parametrize("suffix", [".str", ".bmp", ".gds"])
@pytest.mark.parametrize("mill", ["dark", "light"])
def test_a_rectangular_code_can_be_designed_and_milled(
    tmp_path: Path, suffix: str, mill: Literal["dark", "light"]
) -> None:
    design = Design(encode("mark", "M", "R7x43"), mill=mill, quiet_zone=2)
    assert design.size_nm == (7 * 49, 43 * 49)
    assert design.field_size_nm == (11 * 49, 47 * 49)
    assert design.area_um2 == pytest.approx(7 * 43 * 0.049**2)
    design.save(tmp_path / "mark.json")
    assert Design.load(tmp_path / "mark.json") == design
    assert write_pattern(plan_milling(design), tmp_path / f"mark{suffix}").matches


def test_dark_and_light_milling_are_each_others_opposite() -> None:
    light = Design(RECORD.symbol, mill="light", quiet_zone=2)
    dark = Design(RECORD.symbol, mill="dark", quiet_zone=2)
    assert light.milled.shape == (33, 33)
    assert (light.milled == ~dark.milled).all()
    assert light.milled[0].all()


@pytest.mark.parametrize(
    "change",
    [
        {"format": "something else"},
        {"payload_hex": "zz"},
        {"payload_hex": None},
        {"version": 50},
        {"quiet_zone": 9},
        {"pitch_nm": -1},
        {"mill": "blue"},
        {"film": {"material": "CrN", "thickness_nm": 0, "substrate": "glass"}},
        {"film": {"thickness": 3}},
        {"modules": ["#"]},
        {"payload_hex": b"another payload".hex()},
        {"mask": RECORD.symbol.mask ^ 1},
        {"error": "H"},
        {"version": "M5"},
        {"version": "R11x43"},
    ],
)
def test_a_design_that_makes_no_sense_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadDesign):
        Design.from_dict(RECORD.to_dict() | change)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe\x00", b'{"format": 3}'])
def test_a_file_that_is_no_design_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(BadDesign):
        Design.load(path)


def test_a_failed_save_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "design.json"
    RECORD.save(path)
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="space"):
        Design(RECORD.symbol, pitch_nm=60).save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["design.json"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not exist"):
        RECORD.save(tmp_path / "nowhere" / "design.json")


def test_modules_drawn_by_another_encoder_are_kept() -> None:
    values = RECORD.to_dict()
    other = encode(RECORD.symbol.payload, "L", 3, mask=(RECORD.symbol.mask + 1) % 8)
    values["mask"] = other.mask
    values["modules"] = ["".join("#" if m else "." for m in row) for row in other.matrix]
    assert np.array_equal(Design.from_dict(values).symbol.matrix, other.matrix)


@pytest.mark.parametrize(
    ("text", "layers"),
    [("", ()), ("5 nm Cr", (Layer("Cr", 5),)), ("5nm Cr", (Layer("Cr", 5),)),
     ("5 nm Cr, 100.5 nm SiO2", (Layer("Cr", 5), Layer("SiO2", 100.5))),
     ("5 nm Cr on 100 nm SiO2", (Layer("Cr", 5), Layer("SiO2", 100)))],
)  # fmt: skip
def test_layers_are_read_as_people_write_them(text: str, layers: tuple[Layer, ...]) -> None:
    assert parse_layers(text) == layers
    assert parse_layers(" on ".join(map(str, layers))) == layers


@pytest.mark.parametrize("text", ["Cr", "5 Cr", "nm Cr", "5 nm", "5 nm Cr, SiO2", "0 nm Cr"])
def test_what_is_no_layer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no layer|cannot be"):
        parse_layers(text)


def test_layers_below_the_film_come_back_from_the_file(tmp_path: Path) -> None:
    film = Film("CrN", 15, "Si", (Layer("Cr", 5), Layer("SiO2", 100)))
    design = Design(encode("A"), film=film)
    design.save(tmp_path / "a.json")
    assert Design.load(tmp_path / "a.json") == design
    assert str(film) == "15 nm CrN on 5 nm Cr on 100 nm SiO2 on Si"
