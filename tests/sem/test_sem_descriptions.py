"""Pixel sizes that programs write into descriptions: OpenFIBSEM, Phenom, OME, ImageJ."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_nanoqr.sem.read import read_micrograph, recognises

FIBSEM = {
    "image": {"hfw": 1.5e-4, "dwell_time": 1e-6, "beam_type": "ELECTRON", "resolution": [32, 24]},
    "version": "v3",
    "pixel_size": {"x": 9.765625e-8, "y": 9.765625e-8},
    "microscope_state": {
        "electron_beam": {"beam_current": 5e-11, "voltage": 2000},
        "electron_detector": {"type": "ETD", "mode": "SecondaryElectrons"},
        "stage_position": {"x": 0, "y": 0, "z": 0, "r": 0, "t": 0.9075712110370514},
    },
    "system": {"info": {"manufacturer": "Thermo"}},
}
PHENOM = (
    '<?xml version="1.0"?><FeiImage><databarHeight>4</databarHeight>'
    '<pixelWidth unit="um">0.694952</pixelWidth><pixelHeight unit="um">0.694952</pixelHeight>'
    '<acquisition><scan><dwellTime unit="ns">200</dwellTime><detector>BSD</detector>'
    '<highVoltage unit="kV">-15</highVoltage><integrations>8</integrations></scan></acquisition>'
    "</FeiImage>"
)


class TestOpenFIBSEM:
    def test_it_writes_json(self, sem_tiff):
        path = sem_tiff(None, description=json.dumps(FIBSEM))
        micrograph = read_micrograph(path)
        assert micrograph.pixel_size_nm == (97.65625, 97.65625)
        assert micrograph.pixel_size_source == "OpenFIBSEM ImageDescription"
        assert micrograph.metadata["vendor"] == "Thermo"
        assert micrograph.metadata["tilt_deg"] == pytest.approx(52)
        assert micrograph.metadata["beam_current_a"] == 5e-11
        assert micrograph.metadata["landing_energy_ev"] == 2000
        assert micrograph.metadata["detector"] == "ETD"
        assert recognises(path)

    def test_older_versions_have_the_settings_on_the_first_level(self, sem_tiff):
        old = {**FIBSEM["image"], "beam_type": "ION", "pixel_size": FIBSEM["pixel_size"]}
        old["microscope_state"] = {"ib_settings": {"beam_current": 2e-11, "voltage": 30000}}
        micrograph = read_micrograph(sem_tiff(None, description=json.dumps(old)))
        assert micrograph.pixel_size_nm == (97.65625, 97.65625)
        assert micrograph.metadata["beam"] == "ion"
        assert micrograph.metadata["beam_current_a"] == 2e-11

    @pytest.mark.parametrize(
        "text",
        ['{"shape": [24, 32]}', '{"pixel_size": 5}', '{"pixel_size": {"x": 1e-9}, "a": 1}', "[]"],
    )
    def test_other_json_is_not_its(self, sem_tiff, text):
        path = sem_tiff(None, description=text)
        assert not recognises(path)
        assert read_micrograph(path).pixel_size_nm is None

    def test_cut_json_is_noted(self, sem_tiff, image):
        path = sem_tiff(image, description=json.dumps(FIBSEM)[:-30])
        micrograph = read_micrograph(path)
        assert np.array_equal(micrograph.image, image)
        assert any("OpenFIBSEM" in note for note in micrograph.metadata["notes"])


class TestPhenom:
    def test_its_tag(self, sem_tiff, image):
        micrograph = read_micrograph(sem_tiff(image, {34683: PHENOM}))
        assert micrograph.pixel_size_nm == (694.952, 694.952)
        assert micrograph.pixel_size_source == "Phenom tag 34683"
        assert np.array_equal(micrograph.databar, image[20:])
        assert micrograph.metadata["vendor"] == "Phenom"
        assert micrograph.metadata["landing_energy_ev"] == 15000
        assert micrograph.metadata["dwell_s"] == 2e-7
        assert micrograph.metadata["averaged"] == 8
        assert micrograph.metadata["detector"] == "BSD"

    def test_behind_a_jpeg(self, tmp_path, image):
        path = tmp_path / "image.jpg"
        Image.fromarray(image).save(path)
        assert not recognises(path)
        with path.open("ab") as file:
            file.write(PHENOM.encode())
        assert recognises(path)
        assert read_micrograph(path).pixel_size_nm == (694.952, 694.952)

    def test_a_pixel_size_without_a_unit_is_unknown(self, sem_tiff):
        text = PHENOM.replace(' unit="um"', "")
        assert read_micrograph(sem_tiff(None, {34683: text})).pixel_size_nm is None


def ome_tiff(path, shape, axes, **metadata):
    data = np.zeros(shape, np.uint8)
    tifffile.imwrite(path, data, ome=True, metadata={"axes": axes, **metadata})
    return path


class TestOME:
    def test_physical_size_in_any_unit(self, tmp_path):
        for unit, factor in [("nm", 1), ("µm", 1000), ("pm", 0.001), ("mm", 1e6)]:
            path = ome_tiff(
                tmp_path / "image.ome.tif",
                (24, 32),
                "YX",
                PhysicalSizeX=6.125 / factor,
                PhysicalSizeXUnit=unit,
                PhysicalSizeY=5.0 / factor,
                PhysicalSizeYUnit=unit,
            )
            micrograph = read_micrograph(path)
            assert micrograph.pixel_size_nm == pytest.approx((5.0, 6.125))
            assert micrograph.pixel_size_source == "OME-TIFF PhysicalSizeX"
            assert recognises(path)

    def test_without_a_unit_it_is_micrometres(self, tmp_path):
        path = ome_tiff(tmp_path / "a.ome.tif", (24, 32), "YX", PhysicalSizeX=0.5)
        assert read_micrograph(path).pixel_size_nm == (500.0, 500.0)

    def test_frames_are_claimed_channels_and_slices_are_left_to_napari(self, tmp_path):
        for axes, claimed in [("TYX", True), ("CYX", False), ("ZYX", False)]:
            path = ome_tiff(tmp_path / f"{axes}.ome.tif", (3, 24, 32), axes, PhysicalSizeX=0.5)
            assert recognises(path) is claimed
            assert read_micrograph(path).image.shape == (3, 24, 32)

    def test_without_a_pixel_size_it_is_left_to_napari(self, tmp_path):
        assert not recognises(ome_tiff(tmp_path / "a.ome.tif", (24, 32), "YX"))

    def test_pixels_are_not_a_length(self, tmp_path):
        path = ome_tiff(
            tmp_path / "a.ome.tif", (24, 32), "YX", PhysicalSizeX=1.0, PhysicalSizeXUnit="pixel"
        )
        assert read_micrograph(path).pixel_size_nm is None
        assert not recognises(path)


class TestImageJ:
    @pytest.mark.parametrize(
        ("unit", "per_unit"), [("nm", 0.2), ("um", 200), ("\\u00B5m", 200), ("micron", 200)]
    )
    def test_resolution_and_unit(self, tmp_path, image, unit, per_unit):
        path = tmp_path / "image.tif"
        tifffile.imwrite(
            path, image, imagej=True, resolution=(per_unit, per_unit), metadata={"unit": unit}
        )
        micrograph = read_micrograph(path)
        assert micrograph.pixel_size_nm == pytest.approx((5.0, 5.0), rel=1e-6)
        assert micrograph.pixel_size_source.startswith("ImageJ resolution")
        assert recognises(path)

    @pytest.mark.parametrize("unit", ["inch", "cm", "pixel", "", "s"])
    def test_what_is_no_microscopic_length_is_unknown(self, tmp_path, image, unit):
        path = tmp_path / "image.tif"
        tifffile.imwrite(path, image, imagej=True, resolution=(300, 300), metadata={"unit": unit})
        assert read_micrograph(path).pixel_size_nm is None
        assert not recognises(path)

    def test_frames_are_claimed_channels_and_slices_are_left_to_napari(self, tmp_path):
        for axes, claimed in [("TYX", True), ("CYX", False), ("ZYX", False)]:
            path = tmp_path / f"{axes}.tif"
            tifffile.imwrite(
                path,
                np.zeros((3, 24, 32), np.uint8),
                imagej=True,
                resolution=(0.2, 0.2),
                metadata={"unit": "nm", "axes": axes},
            )
            assert recognises(path) is claimed
            assert read_micrograph(path).image.shape == (3, 24, 32)

    def test_one_header_for_a_whole_stack(self, tmp_path, image):
        stack = np.stack([image, image + 1, image + 2])
        path = tmp_path / "image.tif"
        tifffile.imwrite(
            path,
            stack,
            imagej=True,
            resolution=(0.2, 0.2),
            metadata={"unit": "nm", "axes": "TYX"},
            truncate=True,
        )
        with tifffile.TiffFile(path) as tiff:
            assert len(tiff.pages) == 1
        assert np.array_equal(read_micrograph(path).image, stack)


def test_the_instruments_tag_goes_before_a_description(sem_tiff):
    text = "[Scan]\r\nPixelWidth=6.125e-09\r\nPixelHeight=6.125e-09\r\n"
    path = sem_tiff(None, {34682: text}, description=json.dumps(FIBSEM))
    assert read_micrograph(path).pixel_size_nm == (6.125, 6.125)
