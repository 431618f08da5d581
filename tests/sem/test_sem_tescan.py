"""TESCAN files, with their tag and with their sidecar."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from napari_nanoqr.sem.read import read_micrograph, recognises

MAIN = {
    "AccFrames": "3",
    "Device": "MIRA3 XMU",
    "ImageStripSize": "4",
    "PixelSizeX": "2.5012e-6",
    "PixelSizeY": "2.6e-6",
}
SEM = {
    "Detector": "SE",
    "DwellTime": "3.2000e-6",
    "HV": "10.0000e3",
    "PredictedBeamCurrent": "264.366e-12",
    "StageTilt": "55.0",
    "TiltCorrection": "0.0",
}


def chunk(kind, body):
    return struct.pack("<IH", len(body) + 2, kind) + body


def lines(entries):
    return "".join(f"{key}={value}\r\n" for key, value in entries.items())


def tag(main=MAIN, beam=SEM, kind=3):
    return (
        chunk(1, b"\x00\x00\x00\x0cjP  thumbnail")
        + chunk(2, lines(main).encode())
        + chunk(kind, lines(beam).encode())
        + chunk(0, b"")
    )


def sidecar(main=MAIN):
    return "[MAIN]\r\n" + lines(main) + "\r\n[SEM]\r\n" + lines(SEM)


def test_the_tag_tells_pixel_size_strip_and_acquisition(sem_tiff):
    image = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32)
    path = sem_tiff(image, {50431: tag()}, resolution=(146, 146))
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_nm == (2600.0, 2501.2)
    assert micrograph.pixel_size_source == "TESCAN tag 50431"
    assert np.array_equal(micrograph.image, image[:20])
    assert np.array_equal(micrograph.databar, image[20:])
    assert micrograph.metadata["dwell_s"] == 3.2e-6
    assert micrograph.metadata["landing_energy_ev"] == 10000
    assert micrograph.metadata["beam_current_a"] == pytest.approx(264.366e-12)
    assert micrograph.metadata["detector"] == "SE"
    assert micrograph.metadata["tilt_deg"] == 55
    assert micrograph.metadata["averaged"] == 3
    assert micrograph.metadata["fields"]["MAIN.Device"] == "MIRA3 XMU"


def test_an_ion_image_has_its_values_in_the_fib_section(sem_tiff):
    micrograph = read_micrograph(sem_tiff(None, {50431: tag(beam=SEM | {"HV": "30e3"}, kind=5)}))
    assert micrograph.metadata["beam"] == "ion"
    assert micrograph.metadata["landing_energy_ev"] == 30000


@pytest.mark.parametrize("name", ["image-tif.hdr", "image.hdr", "image.HDR"])
def test_a_sidecar_stands_in_for_the_tag(sem_tiff, name):
    path = sem_tiff()
    assert not recognises(path)
    path.with_name(name).write_text(sidecar())
    assert recognises(path)
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_nm == (2600.0, 2501.2)
    assert micrograph.pixel_size_source == f"TESCAN sidecar {name}"
    assert micrograph.metadata["databar_rows"] == 4


def test_the_tag_goes_before_the_sidecar_and_the_sidecar_before_a_damaged_tag(sem_tiff):
    path = sem_tiff(None, {50431: tag()})
    path.with_name("image.hdr").write_text(sidecar(MAIN | {"PixelSizeX": "1e-9"}))
    assert read_micrograph(path).pixel_size_nm[1] == 2501.2
    path = sem_tiff(None, {50431: b"\xff" * 60})
    assert read_micrograph(path).pixel_size_nm[1] == 1.0


def test_another_programs_hdr_file_is_left_alone(sem_tiff):
    path = sem_tiff()
    path.with_name("image.hdr").write_text("ENVI\nsamples = 32\nlines = 24\n")
    assert not recognises(path)
    assert read_micrograph(path).pixel_size_nm is None


def test_text_before_the_cut_of_a_shortened_tag_is_used(sem_tiff):
    whole = tag()
    micrograph = read_micrograph(sem_tiff(None, {50431: whole[:-60]}))
    assert micrograph.pixel_size_nm == (2600.0, 2501.2)


@pytest.mark.parametrize("damage", [b"\x00" * 20, b"\xff" * 60, b"PixelSizeX=1e-9"])
def test_a_damaged_tag_costs_the_pixel_size_but_not_the_image(sem_tiff, image, damage):
    micrograph = read_micrograph(sem_tiff(image, {50431: damage}))
    assert np.array_equal(micrograph.image, image)
    assert micrograph.pixel_size_nm is None
    assert any("TESCAN" in note for note in micrograph.metadata["notes"])


def test_a_strip_taller_than_the_image_is_not_cut_off(sem_tiff, image):
    micrograph = read_micrograph(sem_tiff(image, {50431: tag(MAIN | {"ImageStripSize": "90"})}))
    assert micrograph.image.shape == image.shape
    assert micrograph.databar is None


def test_two_currents_that_disagree_are_both_told(sem_tiff):
    path = sem_tiff()
    path.with_suffix(".hdr").write_text(
        "[MAIN]\nPixelSizeX=5e-9\nPixelSizeY=5e-9\n"
        "[SEM]\nPredictedBeamCurrent=1e-10\nBeamCurrent=3e-10\nAcceleratorVoltage=5000\n"
    )
    metadata = read_micrograph(path).metadata
    assert metadata["beam_current_a"] == 1e-10
    assert metadata["landing_energy_ev"] == 5000
    assert "100 pA" in metadata["conflicts"]["beam_current_a"]
    assert "300 pA" in metadata["conflicts"]["beam_current_a"]
