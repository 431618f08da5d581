"""Thermo Fisher/FEI files."""

from __future__ import annotations

import numpy as np
import pytest

from napari_nanoqr.sem.read import read_micrograph, recognises


def sections(width=32, height=24, **changes):
    """Text of tag 34682; ``Section__Key=value`` changes an entry, None removes it."""
    entries = {
        "Beam": {"HV": "5000", "Beam": "EBeam", "Scan": "EScan"},
        "EBeam": {
            "HV": "5000",
            "BeamCurrent": "5e-11",
            "HFW": "9.9e-06",
            "StageTa": "0",
            "TiltCorrectionIsOn": "no",
            "TiltCorrectionAngle": "0",
        },
        "IBeam": {"HV": "30000", "BeamCurrent": "2.6e-11"},
        "Scan": {"Dwelltime": "3e-06", "PixelWidth": "6.125e-09", "PixelHeight": "6.125e-09"},
        "EScan": {"LineIntegration": "2"},
        "Stage": {"StageT": "0"},
        "Image": {"ResolutionX": str(width), "ResolutionY": str(height), "Integrate": "4"},
        "Detectors": {"Name": "TLD"},
        "EBeamDeceleration": {"ModeOn": "Off", "LandingEnergy": "5000"},
        "PrivateFei": {"DatabarHeight": "0"},
    }
    for name, value in changes.items():
        section, _, key = name.partition("__")
        if value is None:
            del entries[section][key]
        else:
            entries[section][key] = value
    return "\r\n".join(
        line
        for section, pairs in entries.items()
        for line in (f"[{section}]", *(f"{key}={value}" for key, value in pairs.items()), "")
    )


XML = """<?xml version="1.0"?>
<Metadata xmlns="http://schemas.fei.com/Metadata/v1/2013/07">
  <Acquisition><BeamType>Electron</BeamType></Acquisition>
  <Optics>
    <AccelerationVoltage>2000</AccelerationVoltage><BeamCurrent>1.3E-11</BeamCurrent>
    <SampleTiltCorrectionOn>false</SampleTiltCorrectionOn>
  </Optics>
  <ScanSettings><DwellTime>1E-06</DwellTime></ScanSettings>
  <StageSettings><StagePosition><Tilt><Alpha>0.9075712110370514</Alpha></Tilt></StagePosition>
  </StageSettings>
  <Detectors><ScanningDetector><DetectorName>ICE</DetectorName></ScanningDetector></Detectors>
  <BinaryResult>
    <ImageSize><X>32</X><Y>20</Y></ImageSize>
    <PixelSize><X unit="m">4.5E-09</X><Y unit="m">4.5E-09</Y></PixelSize>
  </BinaryResult>
</Metadata>"""


@pytest.mark.parametrize("tag", [34680, 34682])
def test_the_scan_tells_the_pixel_size_and_not_the_field_width(sem_tiff, tag):
    path = sem_tiff(None, {tag: sections()})
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_nm == (6.125, 6.125)
    assert micrograph.pixel_size_source == f"Thermo/FEI tag {tag}"
    assert recognises(path)


def test_acquisition(sem_tiff):
    metadata = read_micrograph(sem_tiff(None, {34682: sections()})).metadata
    assert metadata["vendor"] == "Thermo/FEI"
    assert metadata["dwell_s"] == 3e-6
    assert metadata["averaged"] == 8
    assert metadata["beam_current_a"] == 5e-11
    assert metadata["landing_energy_ev"] == 5000
    assert metadata["detector"] == "TLD"
    assert metadata["tilt_deg"] == 0
    assert metadata["fields"]["EBeam.HFW"] == 9.9e-6


def test_a_decelerated_beam_lands_at_its_landing_energy(sem_tiff):
    text = sections(EBeamDeceleration__ModeOn="On", EBeamDeceleration__LandingEnergy="500")
    assert read_micrograph(sem_tiff(None, {34682: text})).metadata["landing_energy_ev"] == 500


def test_an_ion_image_has_the_ion_columns_values(sem_tiff):
    metadata = read_micrograph(sem_tiff(None, {34682: sections(Beam__Beam="IBeam")})).metadata
    assert metadata["beam"] == "ion"
    assert metadata["landing_energy_ev"] == 30000
    assert metadata["beam_current_a"] == 2.6e-11


def test_rows_below_the_scan_are_the_data_bar_whatever_databarheight_says(sem_tiff, image):
    micrograph = read_micrograph(sem_tiff(image, {34682: sections(height=20)}))
    assert np.array_equal(micrograph.image, image[:20])
    assert np.array_equal(micrograph.databar, image[20:])
    assert micrograph.metadata["databar_rows"] == 4


def test_the_data_bar_is_cut_off_every_frame_of_a_stack(sem_tiff, image):
    stack = np.stack([image, image + 1, image + 2])
    micrograph = read_micrograph(sem_tiff(stack, {34682: sections(height=20)}))
    assert micrograph.image.shape == (3, 20, 32)
    assert np.array_equal(micrograph.databar, stack[:, 20:])


def test_a_cropped_image_keeps_all_its_rows_and_says_that_it_was_cropped(sem_tiff, image):
    micrograph = read_micrograph(sem_tiff(image, {34682: sections(width=64, height=20)}))
    assert micrograph.databar is None
    assert micrograph.image.shape == image.shape
    assert "64 columns" in micrograph.metadata["conflicts"]["pixel_size_nm"]


def test_pixels_that_are_not_square_stay_so(sem_tiff):
    text = sections(Scan__PixelHeight="8e-09")
    assert read_micrograph(sem_tiff(None, {34682: text})).pixel_size_nm == (8.0, 6.125)


def test_tilt_is_in_radian_and_a_correction_is_left_to_the_user(sem_tiff):
    plain = read_micrograph(sem_tiff(None, {34682: sections(Stage__StageT="0.785398163397")}))
    assert plain.metadata["tilt_deg"] == pytest.approx(45)
    assert "notes" not in plain.metadata
    corrected = sections(
        Stage__StageT="0.785398163397",
        EBeam__TiltCorrectionIsOn="yes",
        EBeam__TiltCorrectionAngle="-0.785398163397",
        Scan__PixelHeight="8.66e-09",
    )
    micrograph = read_micrograph(sem_tiff(None, {34682: corrected}))
    assert micrograph.pixel_size_nm == (8.66, 6.125)
    assert micrograph.metadata["tilt_correction_deg"] == pytest.approx(-45)
    assert any("corrected for tilt" in note for note in micrograph.metadata["notes"])


def test_xml_of_newer_software(sem_tiff, image):
    micrograph = read_micrograph(sem_tiff(image, {34683: XML}))
    assert micrograph.pixel_size_nm == (4.5, 4.5)
    assert micrograph.pixel_size_source == "Thermo/FEI tag 34683"
    assert micrograph.metadata["tilt_deg"] == pytest.approx(52)
    assert micrograph.metadata["dwell_s"] == 1e-6
    assert micrograph.metadata["landing_energy_ev"] == 2000
    assert micrograph.metadata["detector"] == "ICE"
    assert micrograph.databar.shape == (4, 32)


def test_two_tags_that_disagree_are_told(sem_tiff):
    micrograph = read_micrograph(sem_tiff(None, {34682: sections(), 34683: XML}))
    assert micrograph.pixel_size_nm == (6.125, 6.125)
    assert "tag 34683 gives 4.5 nm" in micrograph.metadata["conflicts"]["pixel_size_nm"]


@pytest.mark.parametrize("value", ["nan", "0", "-6e-9", "5", "1e-15", "", "inf", None])
def test_a_pixel_size_that_cannot_be_true_is_unknown(sem_tiff, image, value):
    text = sections(Scan__PixelWidth=value, Scan__PixelHeight=value)
    path = sem_tiff(image, {34682: text})
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_nm is None
    assert micrograph.pixel_size_source is None
    assert any("does not tell a pixel size" in note for note in micrograph.metadata["notes"])
    assert np.array_equal(micrograph.image, image)
    assert recognises(path)


@pytest.mark.parametrize(
    "tags",
    [{34682: b"\x00\x01\x02" * 30}, {34683: "<Metadata><BinaryResult>"}, {34680: "nothing"}],
    ids=["noise", "cut XML", "no section"],
)
def test_a_damaged_tag_costs_the_pixel_size_but_not_the_image(sem_tiff, image, tags):
    micrograph = read_micrograph(sem_tiff(image, tags))
    assert np.array_equal(micrograph.image, image)
    assert micrograph.pixel_size_nm is None
    assert micrograph.metadata["vendor"] == "Thermo/FEI"
    assert any("damaged" in note for note in micrograph.metadata["notes"])


def test_values_that_disagree_between_sections_are_told(sem_tiff):
    text = sections(
        Stage__StageT="0.9075712110370514",
        EBeam__StageTa="0",
        EScan__Dwell="1e-06",
        EScan__PixelWidth="5e-09",
        Beam__HV="2000",
    )
    micrograph = read_micrograph(sem_tiff(None, {34682: text}))
    assert micrograph.pixel_size_nm == (6.125, 6.125)
    conflicts = micrograph.metadata["conflicts"]
    assert conflicts["tilt_deg"] == "Stage.StageT gives 52°, but StageTa of the column gives 0°."
    assert "3 µs" in conflicts["dwell_s"]
    assert "1 µs" in conflicts["dwell_s"]
    assert "5 keV" in conflicts["landing_energy_ev"]
    assert "2 keV" in conflicts["landing_energy_ev"]
    assert "5 nm" in conflicts["pixel_size_nm"]


def test_a_frame_cannot_be_shorter_than_its_pixels(sem_tiff):
    told = sections(Scan__FrameTime=f"{32 * 24 * 3e-6 * 1.1}")
    assert "conflicts" not in read_micrograph(sem_tiff(None, {34682: told})).metadata
    short = sections(Scan__FrameTime=f"{32 * 24 * 1e-6}")
    conflict = read_micrograph(sem_tiff(None, {34682: short})).metadata["conflicts"]["dwell_s"]
    assert "no more than 1 µs" in conflict


def test_a_column_that_is_named_and_not_there_gives_way_to_no_other(sem_tiff):
    metadata = read_micrograph(sem_tiff(None, {34682: sections(Beam__Beam="IBeam2")})).metadata
    assert metadata["beam"] == "ion"
    assert "beam_current_a" not in metadata
    unnamed = sections(Beam__Beam=None, Beam__HV=None)
    metadata = read_micrograph(sem_tiff(None, {34682: unnamed})).metadata
    assert not {"beam_current_a", "landing_energy_ev"} & set(metadata)


def test_values_that_no_microscope_has_are_unknown(sem_tiff, image):
    text = sections(
        height=3, EBeam__BeamCurrent="40", Scan__Dwelltime="0", Stage__StageT="1e9", EBeam__HV="-5"
    )
    micrograph = read_micrograph(sem_tiff(image, {34682: text}))
    known = {"beam_current_a", "dwell_s", "tilt_deg", "landing_energy_ev"}
    assert not known & set(micrograph.metadata)
    notes = " ".join(micrograph.metadata["notes"])
    assert "beam current that cannot be true (40.0)" in notes
    assert "dwell" not in notes
    # a data bar of 21 of 24 rows is none
    assert np.array_equal(micrograph.image, image)
    assert "21 rows" in notes
