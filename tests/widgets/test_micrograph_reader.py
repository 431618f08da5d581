"""File > Open on micrographs."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers import Layer

from napari_nanoqr.sem.errors import UnreadableImage
from napari_nanoqr.sem.files import lazy, tiff
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.widgets.image_source import ImageSource
from napari_nanoqr.widgets.readers import get_micrograph_reader, micrograph_layer

IMAGE = (np.arange(24 * 32) % 251).astype(np.uint8).reshape(24, 32)


def thermo(path, data=IMAGE, pixel="6.125e-09", rows=20):
    text = (
        f"[Scan]\r\nPixelWidth={pixel}\r\nPixelHeight={pixel}\r\nDwelltime=1e-06\r\n"
        f"[Image]\r\nResolutionX=32\r\nResolutionY={rows}\r\n"
    )
    tifffile.imwrite(
        path, data, metadata=None, extratags=[(34682, 2, 0, text, True)], photometric="minisblack"
    )
    return path


def opened(path) -> list[Layer]:
    reader = get_micrograph_reader(path)
    assert reader is not None
    viewer = ViewerModel()
    for layer_data in reader(path):
        viewer.add_layer(Layer.create(*layer_data))
    return list(viewer.layers)


def test_a_micrograph_opens_in_nm_with_its_story(tmp_path):
    path = thermo(tmp_path / "Image_012.tif")
    (layer,) = opened(str(path))
    assert layer.name == "Image_012"
    assert layer.data.shape == (20, 32)
    assert tuple(layer.scale) == (6.125, 6.125)
    assert [str(unit) for unit in layer.units] == ["nanometer", "nanometer"]
    assert layer.axis_labels == ("y", "x")
    facts = layer.metadata["nanoqr"]
    assert facts["pixel_size_nm"] == [6.125, 6.125]
    assert facts["pixel_size_source"] == "Thermo/FEI tag 34682"
    assert facts["dwell_s"] == 1e-6
    assert facts["path"] == str(path)
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert np.array_equal(layer.metadata["databar"], IMAGE[20:])


def test_a_stack_opens_as_frames_that_have_no_length(tmp_path):
    path = thermo(tmp_path / "stack.tif", np.stack([IMAGE] * 3), rows=24)
    (layer,) = opened(path)
    assert layer.data.shape == (3, 24, 32)
    assert tuple(layer.scale) == (1, 6.125, 6.125)
    assert [str(unit) for unit in layer.units] == ["pixel", "nanometer", "nanometer"]
    assert layer.axis_labels == ("frame", "y", "x")
    assert "databar" not in layer.metadata


def test_a_known_file_without_a_pixel_size_opens_in_pixels_and_says_so(tmp_path):
    (layer,) = opened(thermo(tmp_path / "a.tif", pixel="nan"))
    assert tuple(layer.scale) == (1, 1)
    assert {str(unit) for unit in layer.units} == {"pixel"}
    facts = layer.metadata["nanoqr"]
    assert facts["pixel_size_nm"] is None
    assert any("enter it" in note for note in facts["notes"])


def test_files_that_tell_nothing_are_left_to_napari(tmp_path):
    plain = tmp_path / "plain.tif"
    tifffile.imwrite(plain, IMAGE)
    assert get_micrograph_reader(str(plain)) is None
    assert get_micrograph_reader(str(tmp_path / "none.tif")) is None
    assert get_micrograph_reader(str(tmp_path)) is None
    assert get_micrograph_reader([]) is None
    assert get_micrograph_reader([str(thermo(tmp_path / "a.tif")), str(plain)]) is None


def test_several_files_of_one_kind_become_a_stack_others_layers_of_their_own(tmp_path):
    first, second = thermo(tmp_path / "a.tif"), thermo(tmp_path / "b.tif", IMAGE[::-1].copy())
    (layer,) = opened([str(first), str(second)])
    assert layer.data.shape == (2, 20, 32)
    assert layer.axis_labels == ("frame", "y", "x")
    assert layer.metadata["nanoqr"]["files"] == [str(first), str(second)]
    third = thermo(tmp_path / "c.tif", pixel="5e-09")
    layers = opened([str(first), str(third)])
    assert [layer.name for layer in layers] == ["a", "c"]
    assert [tuple(layer.scale) for layer in layers] == [(6.125, 6.125), (5.0, 5.0)]


def test_a_file_cut_off_after_its_headers_says_so(tmp_path):
    path = thermo(tmp_path / "a.tif")
    path.write_bytes(path.read_bytes()[:-200])
    reader = get_micrograph_reader(str(path))
    assert reader is not None
    with pytest.raises(UnreadableImage, match="cut off"):
        reader(str(path))


def test_a_micrograph_that_is_in_no_file_becomes_a_layer_too():
    data, options, kind = micrograph_layer(Micrograph(IMAGE, (5.0, 4.0), "simulated"))
    layer = Layer.create(data, options, kind)
    assert layer.name == "micrograph"
    assert tuple(layer.scale) == (5.0, 4.0)
    assert layer.metadata["nanoqr"]["path"] is None


def test_a_large_file_is_a_layer_of_levels_of_which_a_region_is_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff, "LARGE", 1000)
    monkeypatch.setattr(lazy, "SCREEN", 32)
    pixels = np.random.default_rng(1).integers(0, 255, (100, 120)).astype(np.uint8)
    path = tmp_path / "large.tif"
    description = '<OME><Image><Pixels PhysicalSizeX="0.004" PhysicalSizeY="0.004"/></Image></OME>'
    tifffile.imwrite(path, pixels, description=description, metadata=None, tile=(32, 32))
    (data,) = get_micrograph_reader(str(path))(str(path))
    layer = Layer.create(*data)
    assert layer.multiscale
    assert [level.shape for level in layer.data] == [(100, 120), (50, 60), (25, 30)]
    assert not isinstance(layer.data[0], np.ndarray)
    viewer = ViewerModel()
    viewer.add_layer(layer)
    source = ImageSource.of(viewer, layer)
    assert source.shape == (100, 120)
    assert source.pixel_size.nm == (4.0, 4.0)
    region = source.micrograph((10, 40, 50, 90))
    assert isinstance(region.image, np.ndarray)
    assert np.array_equal(region.image, pixels[10:40, 50:90])
