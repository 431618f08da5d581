"""What ``nanoqr info`` tells of a micrograph."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.sem.describe import describe_micrograph
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.read import read_micrograph


def test_an_image_that_tells_nothing_is_described_by_nulls(image):
    described = describe_micrograph(Micrograph(image))
    assert described["kind"] == "micrograph"
    assert described["shape"] == [24, 32]
    assert described["dtype"] == "uint8"
    assert described["frames"] == 1
    known = {"kind", "conflicts", "shape", "dtype", "frames", "notes"}
    assert described["conflicts"] == {}
    assert {described[key] for key in described.keys() - known} == {None}


def test_square_pixels_are_one_number_others_two():
    stack = np.zeros((3, 4, 5), np.uint16)
    path = Path("a.tif")
    described = describe_micrograph(Micrograph(stack, (6.0, 6.0), "user", path=path))
    assert described["pixel_size_nm"] == 6.0
    assert described["file"] == "a.tif"
    assert described["frames"] == 3
    assert describe_micrograph(Micrograph(stack, (7.0, 6.0)))["pixel_size_nm"] == [7.0, 6.0]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "pixel_nm", "shape", "databar_rows"),
    [
        ("zeiss_crossbeam550.tif", 593.3, (768, 1024), None),
        ("zeiss_merlin_lattice.tif", 55.825, (768, 1024), None),
        ("thermo_scios.tif", 269.792, (1024, 1536), 68),
        ("tescan_mira3.tif", 2501.2, (768, 1024), 120),
        ("jeol_4700f.tif", 2000, (960, 1280), None),
        ("texture_dualbeam_1.tif", None, (1024, 1536), None),
        ("texture_dualbeam_2.tif", None, (1024, 1536), None),
    ],
)
def test_real_files_tell_their_pixel_size(shared_dir, name, pixel_nm, shape, databar_rows):
    micrograph = read_micrograph(shared_dir / "sem-files" / name)
    described = describe_micrograph(micrograph)
    # the table in its MANIFEST has up to six digits, and 593.3 stands for 593.2882
    expected = None if pixel_nm is None else pytest.approx(pixel_nm, rel=3e-5)
    assert described["pixel_size_nm"] == expected
    assert described["shape"] == list(shape)
    assert described["databar_rows"] == databar_rows
    # the two from Zeiss tell the angle of a correction that is off besides that of the stage
    assert set(described["conflicts"]) == ({"tilt_deg"} if "zeiss" in name else set())
    assert described["notes"] == []
    json.dumps([described, micrograph.metadata], allow_nan=False)


@pytest.mark.shared
def test_real_files_tell_their_acquisition(shared_dir):
    def facts(name):
        metadata = read_micrograph(shared_dir / "sem-files" / name).metadata
        keys = ("landing_energy_ev", "beam_current_a", "detector", "tilt_deg")
        return [metadata.get(key) for key in keys]

    assert facts("zeiss_crossbeam550.tif") == [5000, 200e-12, "InLens", 2]
    assert facts("zeiss_merlin_lattice.tif") == [8000, 690e-12, "SE2", 0]
    assert facts("thermo_scios.tif") == [2000, 14.1708e-12, "ETD", 0]
    assert facts("tescan_mira3.tif")[:3] == [10000, pytest.approx(264e-12, rel=0.01), "SE"]
    merlin = read_micrograph(shared_dir / "sem-files" / "zeiss_merlin_lattice.tif").metadata
    # scan speed 6 means 3.2 us and the way back of the beam; a line is scanned four times
    assert merlin["dwell_s"] == pytest.approx(3.4e-6, rel=0.02)
    assert merlin["averaged"] == 4


@pytest.mark.shared
@pytest.mark.parametrize("folder", ["micrographs", "micrographs-hard", "micrographs-extreme"])
def test_simulated_files_tell_what_is_true(shared_dir, folder):
    truth = json.loads((shared_dir / folder / "truth.json").read_text())
    for entry in truth[::3]:
        described = describe_micrograph(read_micrograph(shared_dir / folder / entry["file"]))
        assert described["frames"] == entry["frames"]
        if "unknown-scale" in entry["category"]:
            assert described["pixel_size_nm"] is None
            continue
        assert described["pixel_size_nm"] == pytest.approx(entry["pixel_nm"], rel=1e-6)
        assert described["tilt_deg"] == pytest.approx(entry["tilt_deg"], abs=1e-4)
        assert described["pixel_size_source"] == "Thermo/FEI tag 34682"
