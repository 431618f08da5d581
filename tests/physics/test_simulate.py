"""From a design to a micrograph that a reader reads, with the truth about it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from scipy.ndimage import map_coordinates

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.columns import find_beam
from napari_nanoqr.fib.pattern_files import read_pattern, write_pattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.symbols.decode import decode_modules
from napari_nanoqr.symbols.encode import encode


def sampled(image: np.ndarray, corners_yx: list[list[float]], side: int) -> np.ndarray:
    """Modules sampled between the corners, True = darker than the middle."""
    top_left, top_right, _, bottom_left = np.array(corners_yx)
    at = (np.arange(side) + 0.5) / side
    down, right = np.meshgrid(at, at, indexing="ij")
    near = np.linspace(-0.25, 0.25, 5) / side
    grey = np.zeros((side, side))
    for dy in near:
        for dx in near:
            where = (top_left + (down + dy)[..., None] * (bottom_left - top_left)
                     + (right + dx)[..., None] * (top_right - top_left))  # fmt: skip
            grey += map_coordinates(image.astype(float), np.moveaxis(where, -1, 0), order=1)
    return grey < (grey.min() + grey.max()) / 2


def test_the_records_case_is_read_by_another_reader(record: Design) -> None:
    micrograph = simulate_micrograph(record, rotation_deg=5, seed=1)
    found = zxingcpp.read_barcodes(micrograph.image, formats=zxingcpp.BarcodeFormat.QRCode)
    assert [code.bytes for code in found] == [record.symbol.payload]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"rotation_deg": 33},
        {"tilt_deg": 52, "electrons_per_pixel": 1000},
        {"electrons_per_pixel": 250},
        {"pixel_size_nm": 10.0},
        {"drift_nm": (15.0, 10.0)},
        {"frames": 6, "electrons_per_pixel": 500.0},
    ],
)
@pytest.mark.parametrize("mill", ["dark", "light"])
def test_the_modules_lie_between_the_true_corners(
    record: Design, asked: dict[str, float], mill: str
) -> None:
    design = Design(record.symbol, mill=mill)
    micrograph = simulate_micrograph(design, seed=4, **asked)
    truth = micrograph.metadata["truth"]
    dark = sampled(micrograph.mean_image, truth["corners_yx"], 29)
    # milled modules are dark in the image
    decoded = decode_modules(dark if mill == "dark" else ~dark)
    assert decoded.symbol.payload.hex() == truth["payload_hex"] == design.symbol.payload.hex()
    assert decoded.wrong.sum() <= 3
    assert (truth["version"], truth["error"]) == (3, "M")


def test_corners_are_those_of_the_symbol_in_pixels(record: Design) -> None:
    corners = np.array(simulate_micrograph(record, seed=1).metadata["truth"]["corners_yx"])
    top_left, top_right, bottom_right, bottom_left = corners
    assert top_right - top_left == pytest.approx([0, 29 * 8])
    assert bottom_left - top_left == pytest.approx([29 * 8, 0])
    assert bottom_right - bottom_left == pytest.approx(top_right - top_left)


def test_the_symbol_lies_in_the_middle_of_its_corners(record: Design) -> None:
    """Centres of pixels are whole numbers, and the beam narrows dark modules evenly."""
    micrograph = simulate_micrograph(record, seed=1, electrons_per_pixel=1e5, pixel_size_nm=3.5)
    corners = np.array(micrograph.metadata["truth"]["corners_yx"])
    for image, at in (
        (micrograph.image, corners[:2]), (micrograph.image.T, corners[[0, 3], ::-1]),
    ):  # fmt: skip
        # finders are dark all along their outer edges
        row, first = np.rint(at[0]).astype(int)
        last = int(np.rint(at[1][1]))
        across = image[row + 20 : row + 80].astype(float).mean(axis=0)
        level = (across[: first - 30].mean() + across[first + 7]) / 2
        left = np.interp(-level, -across[first : first + 8], np.arange(first, first + 8))
        right = np.interp(level, across[last - 7 : last + 1], np.arange(last - 7, last + 1))
        assert (left + right) / 2 == pytest.approx(at[:, 1].mean(), abs=0.2)
        assert at[0][1] - 0.5 < left < at[0][1] + 4


def test_the_acquisition_is_told(record: Design) -> None:
    micrograph = simulate_micrograph(record, tilt_deg=54, pixel_size_nm=7, frames=3, seed=1)
    assert micrograph.image.dtype == np.uint8
    assert micrograph.frames == 3
    assert micrograph.pixel_size_nm == (7, 7)
    assert micrograph.pixel_size_source == "simulated"
    said = micrograph.metadata
    assert said["tilt_deg"] == 54
    primaries = said["beam_current_a"] * said["dwell_s"] / 1.602e-19
    assert primaries == pytest.approx(3000, rel=1e-3)


def test_designs_plans_and_files_predict_the_same(record: Design, tmp_path: Path) -> None:
    plan = plan_milling(record)
    write_pattern(plan, tmp_path / "a.str", stream="s16,25ns")
    images = [
        simulate_micrograph(source, seed=1)
        for source in (record, plan, read_pattern(tmp_path / "a.str"))
    ]
    assert np.array_equal(images[0].image, images[1].image)
    assert np.array_equal(images[0].image, images[2].image)
    assert images[0].metadata == images[2].metadata


def test_what_is_predicted_is_what_the_file_says(record: Design, tmp_path: Path) -> None:
    path = tmp_path / "a.str"
    write_pattern(plan_milling(record), path)
    lines = path.read_text().split("\n")
    # the lower half of the file's points is blanked after it was planned
    half = len(lines) // 2
    lines[half:-1] = [line[:-1] + "0" for line in lines[half:-1]]
    path.write_text("\n".join(lines))
    image = simulate_micrograph(read_pattern(path), seed=1, shape=(300, 300)).image
    assert image[-120:].std() < 0.6 * image[:150].std()


def test_a_pattern_of_another_program_needs_its_field_and_beam(tmp_path: Path) -> None:
    path = tmp_path / "a.str"
    path.write_text("s16\n500\n2\n10 32768 32768\n10 32800 32768\n")
    with pytest.raises(ValueError, match="give current and spot"):
        simulate_micrograph(read_pattern(path, hfw_um=5))
    with pytest.raises(ValueError, match="give its HFW"):
        simulate_micrograph(read_pattern(path), beam=find_beam())
    micrograph = simulate_micrograph(
        read_pattern(path, hfw_um=5), beam=find_beam(), film=Film(), pixel_size_nm=1, shape=(80, 90)
    )
    assert micrograph.image.shape == (80, 90)
    assert "truth" not in micrograph.metadata


def test_an_under_etched_code_is_fainter(record: Design) -> None:
    contrast = []
    for over_etch in (0.8, 1.0):
        plan = plan_milling(record, over_etch=over_etch)
        image = simulate_micrograph(plan, seed=1).image.astype(float)
        noise = image[:20].std()
        contrast.append((np.quantile(image, 0.9) - np.quantile(image, 0.1)) / noise)
    assert contrast[0] < 0.8 * contrast[1]


def test_version_40_takes_seconds() -> None:
    design = Design(encode(bytes(range(200)), "L", 40))
    micrograph = simulate_micrograph(design, pixel_size_nm=12.25, seed=1)
    truth = micrograph.metadata["truth"]
    dark = sampled(micrograph.image, truth["corners_yx"], 177)
    assert decode_modules(dark).symbol.payload == bytes(range(200))
