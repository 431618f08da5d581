"""Velox files, which h5py reads."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from napari_nanoqr.sem.errors import MissingReader, UnreadableImage
from napari_nanoqr.sem.read import read_micrograph, recognises

h5py = pytest.importorskip("h5py")

TOLD = {
    "Instrument": {"Manufacturer": "FEI Company"},
    "BinaryResult": {
        "PixelSize": {"width": "4.5e-09", "height": "4.5e-09"},
        "PixelUnitX": "m",
        "PixelUnitY": "m",
        "Detector": "HAADF",
    },
    "Scan": {"DwellTime": "2e-06"},
    "Optics": {"AccelerationVoltage": "30000", "LastMeasuredScreenCurrent": "1e-10"},
    "Stage": {"AlphaTilt": "0.5235987755982988"},
}


def emd(path, images):
    """Write images ``(y, x, frame)`` with their JSON as Velox does."""
    with h5py.File(path, "w") as file:
        for number, (pixels, told) in enumerate(images):
            group = file.create_group(f"Data/Image/{number:02}")
            group["Data"] = pixels
            text = json.dumps(told).encode() if isinstance(told, dict) else told
            metadata = np.zeros((len(text) + 40, pixels.shape[-1]), np.uint8)
            metadata[: len(text)] = np.frombuffer(text, np.uint8)[:, np.newaxis]
            group["Metadata"] = metadata
    return path


def frames(*shape):
    return np.random.default_rng(1).integers(0, 60_000, shape).astype(np.uint16)


def test_image_and_acquisition(tmp_path):
    pixels = frames(20, 30, 1)
    path = emd(tmp_path / "a.emd", [(pixels, TOLD)])
    assert recognises(path)
    micrograph = read_micrograph(path)
    assert np.array_equal(micrograph.image, pixels[..., 0])
    assert micrograph.pixel_size_nm == (4.5, 4.5)
    assert micrograph.pixel_size_source == "Velox BinaryResult.PixelSize"
    metadata = micrograph.metadata
    assert metadata["vendor"] == "FEI Company"
    assert metadata["dwell_s"] == 2e-6
    assert metadata["landing_energy_ev"] == 30000
    assert metadata["tilt_deg"] == pytest.approx(30)
    assert metadata["detector"] == "HAADF"
    # the current on the screen is not that on the specimen
    assert "beam_current_a" not in metadata
    assert metadata["fields"]["Scan.DwellTime"] == "2e-06"


def test_frames_come_first(tmp_path):
    pixels = frames(20, 30, 3)
    micrograph = read_micrograph(emd(tmp_path / "a.emd", [(pixels, TOLD)]))
    assert np.array_equal(micrograph.image, np.moveaxis(pixels, -1, 0))


def test_of_several_images_the_largest_is_read_and_the_others_are_told(tmp_path):
    transform = frames(40, 40, 1).astype(np.complex64)
    small, large = frames(5, 5, 1), frames(20, 30, 1)
    path = emd(tmp_path / "a.emd", [(transform, {}), (small, TOLD), (large, TOLD)])
    micrograph = read_micrograph(path)
    assert np.array_equal(micrograph.image, large[..., 0])
    assert "2 images, of which this is number 2" in micrograph.metadata["notes"][0]


@pytest.mark.parametrize("told", [b"{", b"", b"[1]", {"BinaryResult": {"PixelUnitX": "1/m"}}])
def test_damaged_words_cost_the_pixel_size_but_not_the_image(tmp_path, told):
    pixels = frames(20, 30, 1)
    micrograph = read_micrograph(emd(tmp_path / "a.emd", [(pixels, told)]))
    assert micrograph.pixel_size_nm is None
    assert np.array_equal(micrograph.image, pixels[..., 0])


def test_a_diffraction_pattern_has_no_lengths(tmp_path):
    for unit in ("rad", "1/m", ""):
        angles = TOLD | {"BinaryResult": TOLD["BinaryResult"] | {"PixelUnitX": unit}}
        path = emd(tmp_path / "a.emd", [(frames(20, 30, 1), angles)])
        assert read_micrograph(path).pixel_size_nm is None


def test_other_and_damaged_files_are_refused(tmp_path):
    other = tmp_path / "other.emd"
    with h5py.File(other, "w") as file:
        file["Data/Image"] = [1, 2]
    with pytest.raises(UnreadableImage, match="without an image of Velox"):
        read_micrograph(other)
    cut = emd(tmp_path / "cut.emd", [(frames(200, 300, 1), TOLD)])
    cut.write_bytes(cut.read_bytes()[:2000])
    with pytest.raises(UnreadableImage, match="damaged"):
        read_micrograph(cut)
    assert not recognises(cut)


def test_without_the_library_a_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    path = emd(tmp_path / "a.emd", [(frames(20, 30, 1), TOLD)])
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingReader, match=r'pip install "napari-nanoqr\[emd\]"'):
        read_micrograph(path)
    # napari then shows the sentence instead of looking for another reader
    assert recognises(path)


@pytest.mark.parametrize("ending", [".dm3", ".dm4"])
def test_files_of_digitalmicrograph_are_named(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    path.write_bytes(b"\x00\x00\x00\x03" + bytes(20))
    with pytest.raises(UnreadableImage, match="DigitalMicrograph"):
        read_micrograph(path)
