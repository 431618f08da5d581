"""File > Open, File > Save and File > Open Sample, through napari's own doors."""

from __future__ import annotations

import json
from pathlib import Path

import npe2
import numpy as np
import pytest
from napari.components import ViewerModel
from PIL import Image

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.record import record_design
from napari_nanoqr.fib.pattern_files import READABLE, SUFFIXES, read_pattern, write_pattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.fib.verify import verify_pattern
from napari_nanoqr.widgets.layers import design_layers, design_of
from napari_nanoqr.widgets.readers import get_pattern_reader
from napari_nanoqr.widgets.writers import write_design_layer


@pytest.fixture
def viewer(installed_plugin: None) -> ViewerModel:
    return ViewerModel()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_pattern_file_opens_in_nm(viewer: ViewerModel, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_pattern(plan_milling(record_design()), path)
    layers = viewer.open(path, plugin="napari-nanoqr")
    assert len(layers) == 2
    for layer in layers:
        assert [str(unit) for unit in layer.units] == ["nanometer", "nanometer"]
        size = np.ptp(layer.extent.world, axis=0)
        assert size == pytest.approx(record_design().size_nm, rel=0.05)
    # the finder's centre is milled, the separator beside it is not
    exposure = layers[0]
    side, pitch = record_design().size_nm[0], record_design().pitch_nm
    for module, milled in ((3.5, True), (7.5, False)):
        world = np.array([module * pitch - side / 2] * 2)
        value = exposure.data[tuple(np.round(exposure.world_to_data(world)).astype(int))]
        assert (value > 0.5 * exposure.data.max()) == milled


def test_a_stream_without_a_scale_opens_in_steps(viewer: ViewerModel, tmp_path: Path) -> None:
    path = tmp_path / "other.str"
    path.write_text("s16\n1\n3\n10 100 100\n10 200 100\n10 300 100\n")
    (layer,) = viewer.open(path, plugin="napari-nanoqr")
    assert [str(unit) for unit in layer.units] == ["pixel", "pixel"]
    assert layer.data[0].tolist() == [[100, 100], [0, 200]]


def test_a_design_file_opens_as_a_design(viewer: ViewerModel, tmp_path: Path) -> None:
    record_design().save(tmp_path / "a.json")
    layers = viewer.open(tmp_path / "a.json", plugin="napari-nanoqr")
    assert design_of(layers[0]) == record_design()


def test_the_manifest_names_every_format(installed_plugin: None) -> None:
    contributions = npe2.PluginManager.instance().get_manifest("napari-nanoqr").contributions
    (reader,) = (r for r in contributions.readers if r.command == "napari-nanoqr.read_pattern")
    (writer,) = contributions.writers
    assert sorted(reader.filename_patterns) == sorted(f"*{s}" for s in (*READABLE, ".json"))
    assert sorted(writer.filename_extensions) == sorted((*SUFFIXES, ".json"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xml", b"<OME/>"), ("a.csv", b"index,axis-0,axis-1\n0,1,2\n"), ("a.txt", b"hello"),
        ("a.bmp", b"BM"), ("missing.xml", None),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_pattern_is_left_to_others(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert get_pattern_reader(tmp_path / name) is None


def test_pictures_are_no_patterns(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number, pixels in enumerate((rng.integers(0, 256, (9, 9, 3)), np.zeros((9, 9, 3)))):
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{number}.bmp")
        assert get_pattern_reader(tmp_path / f"{number}.bmp") is None


def test_other_json_files_are_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(json.dumps({"a": 1}))
    assert get_pattern_reader(str(tmp_path / "b.json")) is None
    assert get_pattern_reader(str(tmp_path / "missing.json")) is None
    assert get_pattern_reader([]) is None


def test_a_damaged_pattern_adds_no_layer(viewer: ViewerModel, tmp_path: Path) -> None:
    path = tmp_path / "bad.str"
    path.write_text("s16\n1\n5\n10 100 100\n")
    with pytest.raises(ValueError, match=r"bad\.str"):
        viewer.open(path, plugin="napari-nanoqr")
    assert len(viewer.layers) == 0


@pytest.mark.parametrize("suffix", [".str", ".bmp", ".gds", ".json"])
def test_a_design_layer_is_saved_by_napari(
    viewer: ViewerModel, tmp_path: Path, suffix: str
) -> None:
    layer = viewer.add_layer(design_layers(record_design(), "g")[0])
    path = tmp_path / f"saved{suffix}"
    assert layer.save(str(path), plugin="napari-nanoqr") == [str(path)]
    if suffix == ".json":
        assert Design.load(path) == record_design()
    else:
        assert verify_pattern(read_pattern(path), record_design()).matches


def test_a_layer_without_a_design_is_not_saved(viewer: ViewerModel, tmp_path: Path) -> None:
    layer = viewer.add_labels(np.zeros((5, 5), dtype=int))
    data, meta, _ = layer.as_layer_data_tuple()
    with pytest.raises(ValueError, match="Only a design"):
        write_design_layer(str(tmp_path / "x.str"), data, meta)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("key", "count", "ndim"),
    [("record", 2, 2), ("clean", 1, 2), ("low_dose", 1, 2), ("tilted", 1, 2), ("stack", 1, 3)],
)
def test_samples_open_in_nm(viewer: ViewerModel, key: str, count: int, ndim: int) -> None:
    layers = viewer.open_sample("napari-nanoqr", key)
    assert len(layers) == count
    for layer in layers:
        assert layer.ndim == ndim
        assert [str(unit) for unit in layer.units][-2:] == ["nanometer", "nanometer"]


def test_the_tilted_sample_tells_its_tilt(viewer: ViewerModel) -> None:
    (layer,) = viewer.open_sample("napari-nanoqr", "tilted")
    assert layer.metadata["nanoqr"]["tilt_deg"] == 52
