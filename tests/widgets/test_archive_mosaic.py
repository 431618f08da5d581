"""Mosaics open as one layer, at their places, with the pixels that were stored."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Layer

from napari_nanoqr.archive.mosaic import write_mosaic
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.write import write_micrograph
from napari_nanoqr.widgets import mosaic
from napari_nanoqr.widgets.mosaic import get_mosaic_reader, read_mosaic_layers
from napari_nanoqr.widgets.mosaic_canvas import Canvas
from napari_nanoqr.widgets.mosaic_pieces import FilePiece, file_pieces, stored_pieces

SIZE_NM = 20.0
SHAPE = (700, 620)
PLACES = ((10_000.0, 8_000.0), (10_200.0, 20_900.0), (23_500.0, 8_100.0))
"""Of the stage, y and x in nm: the third overlaps the first."""


def micrographs() -> list[Micrograph]:
    made = []
    for number, (y, x) in enumerate(PLACES):
        pixels = np.random.default_rng(number).integers(1, 255, SHAPE, np.uint8)
        made.append(Micrograph(
            pixels, (SIZE_NM, SIZE_NM), metadata={"stage_y_nm": y, "stage_x_nm": x, "sheet": 0},
        ))  # fmt: skip
    return made


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mosaic(micrographs(), tmp_path_factory.mktemp("mosaic") / "sheet_01.zarr")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("fields")
    for number, image in enumerate(micrographs()):
        write_micrograph(image, made / f"{number}.tif")
    return made


def seen_at(layer: Any, y_nm: float, x_nm: float, level: int = 0) -> int:
    """Return the pixel of a level of a layer at a place of the stage."""
    at = np.array(layer.world_to_data((y_nm / 1000, x_nm / 1000)))
    row, column = np.floor((at + 0.5) / 2**level).astype(int)
    return int(np.asarray(layer.data[level][row : row + 1, column : column + 1])[0, 0])


@pytest.mark.parametrize("kind", ["store", "folder"])
def test_every_pixel_is_where_the_stage_was(kind: str, request: pytest.FixtureRequest) -> None:
    place = request.getfixturevalue(kind)
    assert get_mosaic_reader(str(place)) is read_mosaic_layers
    image, outlines = (Layer.create(*each) for each in read_mosaic_layers(str(place)))
    assert image.name == place.stem
    assert {str(unit) for unit in (*image.units, *outlines.units)} == {"micrometer"}
    assert len(outlines.data) == len(PLACES)
    random = np.random.default_rng(9)
    for number in (2, 1, 0):
        pixels, middle = micrographs()[number].image, np.array(PLACES[number])
        for row, column in random.integers(0, SHAPE, (20, 2)):
            if number == 0 and row >= 600:
                continue  # the third field lies there
            at = middle + (np.array((row, column)) - (np.array(SHAPE) - 1) / 2) * SIZE_NM
            assert seen_at(image, *at) == pixels[row, column]
    assert seen_at(image, 25_000, 25_000) == 0


def test_levels_are_those_that_were_stored(store: Path) -> None:
    (data, options, _), _ = read_mosaic_layers(store)
    assert options["multiscale"]
    pieces = stored_pieces(store)
    coarse = pieces[1].load(1, slice(None), slice(None))
    layer: Any = Layer.create(data, options, "image")
    y, x = PLACES[1]
    assert seen_at(layer, y + 10, x + 10, 1) in coarse[174:177, 154:157]


def test_nothing_is_read_before_it_is_looked_at(store: Path, tmp_path: Path) -> None:
    moved = tmp_path / "sheet.zarr"
    shutil.copytree(store, moved)
    pieces = stored_pieces(moved)
    fine = Canvas(pieces, np.uint8).arrays()[0]
    near = slice(0, 50), slice(0, 50)
    before = np.asarray(fine[near])
    shutil.rmtree(moved / "1")
    np.testing.assert_array_equal(fine[near], before)
    with pytest.raises((OSError, ValueError)):
        np.asarray(fine[:, 700:800])


def test_what_is_kept_of_a_file_is_small(folder: Path) -> None:
    (piece, *_) = file_pieces([folder / "0.tif"])
    kept = Canvas([piece], np.uint8).warm_up(0)
    assert max(kept.shape) <= 256
    assert kept.base is None or kept.base.nbytes == kept.nbytes


def test_thousands_of_fields_are_one_canvas_of_few_pieces() -> None:
    step = 40 * 4096
    pieces = [
        FilePiece(Path(f"{n}.tif"), (4096, 4096), 40.0, (row * step, column * step), 5)
        for n, (row, column) in enumerate(np.ndindex(60, 60))
    ]
    arrays = Canvas(pieces, np.uint8).arrays()
    assert arrays[0].shape >= (60 * 4096, 60 * 4096)
    assert max(arrays[-1].shape) <= 1024
    assert all(a.numblocks[0] * a.numblocks[1] <= 16_384 for a in arrays)


@settings(max_examples=25, deadline=None)
@given(
    level=st.integers(0, 2), top=st.integers(0, 900), left=st.integers(0, 900),
    height=st.integers(1, 300), width=st.integers(1, 300),
)  # fmt: skip
def test_a_part_is_a_part_of_the_whole(
    store: Path, level: int, top: int, left: int, height: int, width: int
) -> None:
    canvas = Canvas(stored_pieces(store), np.uint8)
    whole = canvas.region(level, slice(0, canvas.shape[0] >> level),
                          slice(0, canvas.shape[1] >> level))  # fmt: skip
    part = canvas.region(level, slice(top, top + height), slice(left, left + width))
    inside = whole[top : top + height, left : left + width]
    np.testing.assert_array_equal(part[: inside.shape[0], : inside.shape[1]], inside)


def test_other_folders_are_left_to_others(tmp_path: Path, folder: Path) -> None:
    assert get_mosaic_reader(str(tmp_path)) is None
    assert get_mosaic_reader(str(folder / "0.tif")) is None
    assert get_mosaic_reader([str(folder), str(tmp_path)]) is None
    (tmp_path / "zarr.json").write_text('{"attributes": {}}', encoding="utf-8")
    assert get_mosaic_reader(str(tmp_path)) is None
    (tmp_path / "zarr.json").write_text("{", encoding="utf-8")
    assert get_mosaic_reader(str(tmp_path)) is None
    plain = tmp_path / "plain"
    plain.mkdir()
    write_micrograph(Micrograph(np.zeros((9, 9), np.uint8), (1.0, 1.0)), plain / "a.tif")
    assert get_mosaic_reader(str(plain)) is None


def test_many_fields_are_added_when_they_can_be_shown(
    store: Path, qtbot: Any, make_napari_viewer: Any, installed_plugin: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(mosaic, "AT_ONCE", 2)
    viewer = make_napari_viewer()
    assert viewer.open(str(store), plugin="napari-nanoqr") == []
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=60_000)
    assert viewer.layers[0].name == "sheet_01"
    assert viewer.layers[0].visible
