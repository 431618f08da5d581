"""Zeiss SmartSEM files."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_nanoqr.sem.read import read_micrograph, recognises

FIELDS = {
    "DP_DETECTOR_CHANNEL": "Signal A = InLens",
    "DP_DWELL_TIME": "Dwell Time = 50 ns",
    "DP_FIB_IMAGING": "FIB Imaging = SEM",
    "DP_TILT_CORRECTION": "Tilt Corrn. = No",
    "DP_NOISE_REDUCTION": "Noise Reduction = Line Avg",
    "AP_LINE_AVERAGE_COUNT": "Line Avg.Count = 4",
    "AP_LINE_TIME": "Line Time = 0.128 ms",
    "AP_TILT_ANGLE": "Tilt Angle = 45.0 °",
    "AP_STAGE_AT_T": "Stage at T = 2.0 °",
    "AP_IPROBE": "I Probe = 200 pA",
    "AP_ACTUALKV": "EHT = 5.00 kV",
    "AP_PIXEL_SIZE": "Pixel Size = 99.0 nm",
    "AP_TIME": "Time :11:41:13",
}


def header(pixel_m="5.0e-09", **changes):
    """A SmartSEM header: unnamed numbers, then pairs of lines."""
    lines = ["0", "0", "0", pixel_m, "1.0e+03", "6", "5.0e+03", "2.3", "2.0e-10", "5.2e-03"]
    fields = {key: value for key, value in (FIELDS | changes).items() if value is not None}
    for key, value in fields.items():
        lines += [key, value]
    return "\r\n".join(lines) + "\r\n"


def encoded(text):
    return text.encode("cp1252")


def test_the_unnamed_pixel_size_is_for_1024_columns(sem_tiff):
    path = sem_tiff(np.zeros((16, 64), np.uint8), {34118: encoded(header("5.0e-09"))})
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_nm == (80.0, 80.0)
    assert micrograph.pixel_size_source == "Zeiss tag 34118"
    assert "pixel_size_nm" not in micrograph.metadata.get("conflicts", {})
    assert recognises(path)


def test_acquisition_is_read_and_the_nominal_dwell_time_is_not(sem_tiff):
    path = sem_tiff(np.zeros((16, 64), np.uint8), {34118: encoded(header())})
    metadata = read_micrograph(path).metadata
    assert metadata["vendor"] == "Zeiss"
    assert metadata["detector"] == "InLens"
    assert metadata["landing_energy_ev"] == 5000
    assert metadata["beam_current_a"] == 200e-12
    # 0.128 ms a line of 64 pixels, scanned four times
    assert metadata["dwell_s"] == pytest.approx(0.5e-6)
    assert metadata["averaged"] == 4
    assert metadata["fields"]["AP_TIME"] == "11:41:13"


def test_the_stage_tells_the_tilt_and_not_the_setting_of_a_correction_that_is_off(sem_tiff):
    metadata = read_micrograph(sem_tiff(None, {34118: encoded(header())})).metadata
    assert metadata["tilt_deg"] == 2.0
    assert metadata["tilt_correction"] is False
    assert "tilt_correction_deg" not in metadata
    on = header(DP_TILT_CORRECTION="Tilt Corrn. = Yes")
    assert (
        read_micrograph(sem_tiff(None, {34118: encoded(on)})).metadata["tilt_correction_deg"] == 45
    )


@pytest.mark.parametrize(
    ("mode", "dwell"),
    [("Pixel Avg.", 2e-6), ("Frame Avg.", 2e-6), ("Continuous Avg.", None)],
)
def test_dwell_follows_the_averaging_and_is_unknown_for_modes_of_unknown_kind(
    sem_tiff, mode, dwell
):
    text = header(
        DP_NOISE_REDUCTION=f"Noise Reduction = {mode}",
        AP_FRAME_AVERAGE_COUNT="Frames to average = 8",
    )
    path = sem_tiff(np.zeros((16, 64), np.uint8), {34118: encoded(text)})
    metadata = read_micrograph(path).metadata
    assert metadata.get("dwell_s") == (None if dwell is None else pytest.approx(dwell))
    assert metadata.get("averaged") == {"Pixel Avg.": 1, "Frame Avg.": 8}.get(mode)


def test_fields_that_disagree_are_told(sem_tiff):
    text = header("5.0e-09", AP_WIDTH="Width = 10.24 µm", AP_IMAGE_PIXEL_SIZE="Size = 80.0 nm")
    path = sem_tiff(np.zeros((16, 64), np.uint8), {34118: encoded(text)})
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_nm == (80.0, 80.0)
    conflict = micrograph.metadata["conflicts"]["pixel_size_nm"]
    assert "AP_WIDTH gives 160 nm" in conflict
    assert "AP_IMAGE_PIXEL_SIZE" not in conflict


def test_without_the_unnamed_number_named_fields_in_pm_or_um_are_taken(sem_tiff):
    image_size = header("0", AP_IMAGE_PIXEL_SIZE="Image Pixel Size = 820.0 pm")
    micrograph = read_micrograph(sem_tiff(None, {34118: encoded(image_size)}))
    assert micrograph.pixel_size_nm == (0.82, 0.82)
    assert micrograph.pixel_size_source == "Zeiss tag 34118, AP_IMAGE_PIXEL_SIZE"
    width = header("0", AP_WIDTH="Width = 3.2 µm")
    micrograph = read_micrograph(sem_tiff(None, {34118: encoded(width)}))
    assert micrograph.pixel_size_nm == (100.0, 100.0)
    nothing = read_micrograph(sem_tiff(None, {34118: encoded(header("0"))}))
    assert nothing.pixel_size_nm is None
    assert nothing.pixel_size_source is None


def test_the_utf16_tag_alone_is_enough(sem_tiff):
    path = sem_tiff(np.zeros((16, 64), np.uint8), {34119: header("5.0e-09").encode("utf-16-le")})
    assert read_micrograph(path).pixel_size_nm == (80.0, 80.0)
    assert read_micrograph(path).pixel_size_source == "Zeiss tag 34119"


def test_an_ion_image_does_not_get_the_electron_columns_values(sem_tiff):
    text = header(DP_FIB_IMAGING="FIB Imaging = FIB")
    metadata = read_micrograph(sem_tiff(None, {34118: encoded(text)})).metadata
    assert metadata["beam"] == "ion"
    assert not {"beam_current_a", "landing_energy_ev", "dwell_s"} & set(metadata)


@pytest.mark.parametrize(
    "damage",
    [b"\x00" * 40, b"\xff\xfe\x12\x81" * 20, b"AP_WIDTH", b"1\r\n2\r\n"],
    ids=["zeros", "noise", "one key", "short"],
)
def test_a_damaged_tag_costs_the_pixel_size_but_not_the_image(sem_tiff, image, damage):
    path = sem_tiff(image, {34118: damage})
    micrograph = read_micrograph(path)
    assert np.array_equal(micrograph.image, image)
    assert micrograph.pixel_size_nm is None
    assert micrograph.metadata["notes"]


def test_the_palette_of_grey_values_is_no_colour(sem_tiff, image):
    levels = np.arange(256, dtype=np.uint16) * 257
    path = sem_tiff(
        image,
        {34118: encoded(header())},
        photometric="palette",
        colormap=np.stack([levels] * 3),
    )
    assert tifffile.imread(path).shape == image.shape
    micrograph = read_micrograph(path)
    assert micrograph.image.dtype == np.uint8
    assert np.array_equal(micrograph.image, image)


def test_both_angles_are_told_where_the_stage_and_the_correction_disagree(sem_tiff):
    conflicts = read_micrograph(sem_tiff(None, {34118: encoded(header())})).metadata["conflicts"]
    assert "AP_STAGE_AT_T gives 2°" in conflicts["tilt_deg"]
    assert "gives 45°" in conflicts["tilt_deg"]
    same = header(AP_TILT_ANGLE="Tilt Angle = 2.0 °")
    assert "conflicts" not in read_micrograph(sem_tiff(None, {34118: encoded(same)})).metadata


def test_electrons_that_are_slowed_down_have_the_landing_energy_or_none(sem_tiff):
    def energy(**changes):
        path = sem_tiff(None, {34118: encoded(header(**changes))})
        return read_micrograph(path).metadata.get("landing_energy_ev")

    slowed = {"DP_TANDEM_DECELERATION": "Tandem Decel. = On"}
    assert energy(**slowed, AP_LANDING_ENERGY="Landing Energy = 1.50 kV") == 1500
    assert energy(**slowed) is None
    # the high voltage was off when the picture was saved
    assert energy(AP_ACTUALKV="EHT = 0.00 kV") is None


def test_a_line_takes_as_long_as_it_was_scanned_wide(sem_tiff):
    text = header(DP_IMAGE_STORE="Store resolution = 128 * 96")
    metadata = read_micrograph(sem_tiff(None, {34118: encoded(text)})).metadata
    assert metadata["dwell_s"] == pytest.approx(0.128e-3 / 128 / 4)
    assert "128 columns" in metadata["conflicts"]["pixel_size_nm"]
