"""Hitachi and JEOL: the pixel size stands in a text file beside the image."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from napari_nanoqr.sem.read import read_micrograph, recognises


def hitachi(**changes):
    entries = {
        "InstructName": "S-4800",
        "DataSize": "32x24",
        "PixelSize": "9.921875",
        "SignalName": "SE(U)",
        "AcceleratingVoltage": "5000 Volt",
        "DecelerationVoltage": "0 Volt",
        "Magnification": "400000",
        "WorkingDistance": "8100 um",
        "StagePositionT": "0",
    } | changes
    lines = [f"{key}={value}" for key, value in entries.items() if value is not None]
    return "\r\n".join(["[SemImageFile]", *lines, ""])


def jeol(*lines):
    return "\r\n".join(
        ("$SEM_DATA_VERSION 1", "$CM_ACCEL_VOLT 5.00", "$CM_DETECTOR_NAME LED", *lines, "")
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp932"])
@pytest.mark.parametrize("ending", ["txt", "TXT"])
def test_hitachi_in_any_of_its_encodings(sem_tiff, encoding, ending):
    path = sem_tiff()
    path.with_suffix(f".{ending}").write_bytes(hitachi().encode(encoding))
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_nm == (9.921875, 9.921875)
    assert micrograph.pixel_size_source == f"Hitachi sidecar image.{ending}"
    assert micrograph.metadata["vendor"] == "Hitachi"
    assert micrograph.metadata["landing_energy_ev"] == 5000
    assert micrograph.metadata["detector"] == "SE(U)"
    assert micrograph.metadata["tilt_deg"] == 0
    assert "pixel_size_nm" not in micrograph.metadata.get("conflicts", {})
    assert recognises(path)


def test_a_decelerated_hitachi_beam_lands_slower(sem_tiff):
    path = sem_tiff()
    path.with_suffix(".txt").write_text(hitachi(DecelerationVoltage="-4500 Volt"))
    assert read_micrograph(path).metadata["landing_energy_ev"] == 500


def test_hitachis_magnification_is_the_fallback(sem_tiff):
    path = sem_tiff()
    path.with_suffix(".txt").write_text(hitachi(PixelSize=None))
    micrograph = read_micrograph(path)
    # 127 mm / 400000 / 32
    assert micrograph.pixel_size_nm == (9.921875, 9.921875)
    assert "magnification" in micrograph.pixel_size_source


def test_hitachis_pixel_size_goes_before_a_magnification_that_disagrees(sem_tiff):
    path = sem_tiff()
    path.with_suffix(".txt").write_text(hitachi(PixelSize="5"))
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_nm == (5.0, 5.0)
    assert "magnification gives 9.92" in micrograph.metadata["conflicts"]["pixel_size_nm"]


def test_rows_below_hitachis_data_are_the_data_bar(sem_tiff, image):
    path = sem_tiff(image)
    path.with_suffix(".txt").write_text(hitachi(DataSize="32x20"))
    micrograph = read_micrograph(path)
    assert np.array_equal(micrograph.image, image[:20])
    assert micrograph.metadata["databar_rows"] == 4


def test_the_tm4000_repeats_it_in_a_comment(sem_tiff):
    comment = "InstructName=TM4000\r\nPixelSize=165.36\r\nAcceleratingVoltage=15000 Volt\r\n"
    path = sem_tiff(None, {40092: comment.encode("utf-16-le") + b"\x00\x00"})
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_nm == (165.36, 165.36)
    assert micrograph.pixel_size_source == "Hitachi tag 40092"
    assert micrograph.metadata["landing_energy_ev"] == 15000


def test_jeols_scale_bar_goes_first(sem_tiff):
    path = sem_tiff()
    text = jeol("$CM_MAG 50", "$$SM_MICRON_BAR 80", "$$SM_MICRON_MARKER 10um")
    path.with_suffix(".txt").write_text(text)
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_nm == (125.0, 125.0)
    assert micrograph.pixel_size_source == "JEOL sidecar image.txt, SM_MICRON_BAR"
    assert micrograph.metadata["vendor"] == "JEOL"
    assert micrograph.metadata["landing_energy_ev"] == 5000
    assert micrograph.metadata["detector"] == "LED"
    # 128 mm / 50 / 32
    assert "CM_MAG gives 80000 nm" in micrograph.metadata["conflicts"]["pixel_size_nm"]


@pytest.mark.parametrize(
    ("lines", "nm", "source"),
    [
        (["$CM_FIELD_OF_VIEW 3.2 2.4", "$CM_MAG 40000"], 100, "CM_FIELD_OF_VIEW"),
        (["$CM_MAG 40000"], 100, "CM_MAG"),
        (["$$SM_MICRON_MARKER 500um", "$CM_MAG 40000"], 100, "CM_MAG"),
        (["$$SM_MICRON_BAR 0", "$$SM_MICRON_MARKER 1um", "$CM_MAG 40000"], 100, "CM_MAG"),
    ],
)
def test_jeols_fallbacks(sem_tiff, lines, nm, source):
    path = sem_tiff()
    path.with_suffix(".txt").write_text(jeol(*lines))
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_nm == (nm, nm)
    assert micrograph.pixel_size_source.endswith(source)
    assert "pixel_size_nm" not in micrograph.metadata.get("conflicts", {})


def test_jeols_full_size_tells_the_data_bar(sem_tiff, image):
    path = sem_tiff(image)
    path.with_suffix(".txt").write_text(jeol("$CM_MAG 40000", "$CM_FULL_SIZE 32 20"))
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_nm == (100.0, 100.0)
    assert np.array_equal(micrograph.databar, image[20:])


def test_a_jeol_image_of_another_width_than_its_sidecar_says_so(sem_tiff):
    path = sem_tiff()
    path.with_suffix(".txt").write_text(jeol("$CM_MAG 50", "$CM_FULL_SIZE 1280 960"))
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_nm == (2000.0, 2000.0)
    assert "1280 columns" in micrograph.metadata["conflicts"]["pixel_size_nm"]
    assert micrograph.databar is None


def test_a_bitmap_with_a_sidecar_is_a_micrograph_too(tmp_path, image):
    path = tmp_path / "image.bmp"
    Image.fromarray(image).save(path)
    assert not recognises(path)
    path.with_suffix(".txt").write_text(hitachi())
    assert recognises(path)
    assert read_micrograph(path).pixel_size_nm == (9.921875, 9.921875)


@pytest.mark.parametrize("text", ["notes of mine\nPixelSize=5\n", "", "\x00\x01", "$5 for lunch"])
def test_another_text_file_of_the_same_name_is_left_alone(sem_tiff, text):
    path = sem_tiff()
    path.with_suffix(".txt").write_text(text)
    assert not recognises(path)
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_nm is None
    assert micrograph.metadata == {}


def test_an_empty_sidecar_of_a_microscope_costs_nothing_but_the_pixel_size(sem_tiff, image):
    path = sem_tiff(image)
    path.with_suffix(".txt").write_text("[SemImageFile]\r\n")
    micrograph = read_micrograph(path)
    assert np.array_equal(micrograph.image, image)
    assert micrograph.pixel_size_nm is None
    assert any("Hitachi" in note for note in micrograph.metadata["notes"])


def test_a_micro_sign_as_japanese_windows_writes_it_is_one(sem_tiff):
    path = sem_tiff()
    path.with_suffix(".txt").write_bytes(
        "$CM_MAG 10000\r\n$$SM_MICRON_BAR 107\r\n$$SM_MICRON_MARKER 1μm\r\n".encode("cp932")
    )
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_nm[1] == pytest.approx(1000 / 107)
    assert micrograph.pixel_size_source.endswith("SM_MICRON_BAR")


@pytest.mark.parametrize(("picture_mm", "disagree"), [(128, False), (120, False), (100, True)])
def test_the_magnification_of_older_and_newer_jeols_agrees_with_their_bar(
    sem_tiff, picture_mm, disagree
):
    path = sem_tiff()
    bar = 1000 / (picture_mm * 1e6 / 10000 / 32)
    path.with_suffix(".txt").write_text(
        f"$CM_MAG 10000\n$$SM_MICRON_BAR {bar}\n$$SM_MICRON_MARKER 1um\n"
    )
    assert ("conflicts" in read_micrograph(path).metadata) == disagree


@pytest.mark.parametrize(("bias", "energy"), [("0.0", 1000), ("4.0", 1000), ("2.0", None)])
def test_a_jeol_gun_with_a_bias_has_an_energy_where_its_voltages_agree(sem_tiff, bias, energy):
    path = sem_tiff()
    path.with_suffix(".txt").write_text(
        f"$CM_MAG 50\n$CM_ACCEL_VOLT 1.0\n$$SM_GB_GUN_VOLT 5.0\n$$SM_GB_BIAS_VOLT {bias}\n"
    )
    assert read_micrograph(path).metadata.get("landing_energy_ev") == energy


def test_transmitted_electrons_of_a_hitachi_have_a_section_of_another_name(sem_tiff):
    path = sem_tiff()
    path.with_suffix(".txt").write_text("[TemImageFile]\nPixelSize=4.961\n")
    assert read_micrograph(path).pixel_size_nm == (4.961, 4.961)
