"""The command measure: numbers for scripts and lines for people."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.cli import main
from napari_nanoqr.design.design import Design
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.sem.write import write_micrograph
from napari_nanoqr.symbols.encode import encode

PROMISED = {
    "payload_hex", "pitch_nm", "module_width_nm", "edge_bias_nm", "roughness_nm", "tilt_deg",
    "contrast", "snr", "blur_nm", "electron_dose_per_nm2", "grade", "raw_bit_error_rate",
}  # fmt: skip
PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "command-line.md"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measure")
    design = Design(encode("measure me", "L", 1), 60.0)
    design.save(folder / "design.json")
    micrograph = simulate_micrograph(design, pixel_size_nm=7.5, tilt_deg=40, seed=2)
    write_micrograph(micrograph, folder / "image.tif")
    return folder / "image.tif"


def test_scripts_get_what_they_are_promised(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["measure", str(image), "--design", str(image.with_name("design.json")),
                 "--json"]) == 0  # fmt: skip
    said = json.loads(capsys.readouterr().out)
    (code,) = said["codes"]
    assert set(code) >= PROMISED
    assert bytes.fromhex(code["payload_hex"]) == b"measure me"
    assert set(code["pitch_nm"]) == {"x", "y", "uncertainty"}
    assert code["pitch_nm"]["x"] == pytest.approx(60, abs=0.1)
    assert code["tilt_deg"] == pytest.approx(40, abs=1)
    assert code["damage"] == []
    told = set(re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8")))
    assert told >= set(said) | set(code)


def test_people_get_values_with_their_uncertainty(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["measure", str(image)]) == 0
    said = capsys.readouterr().out
    assert "measure me" in said
    assert re.search(r"Pitch x: 60\.\d+ ± 0\.\d+ nm", said)


def test_a_pixel_size_that_is_given_scales_all_lengths(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["measure", str(image), "--pixel-size", "15", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["pixel_size_source"] == "given"
    assert said["codes"][0]["pitch_nm"]["x"] == pytest.approx(120, abs=0.2)


def test_images_without_a_code_and_files_that_are_none_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    Image.fromarray(np.full((80, 80), 90, np.uint8)).save(tmp_path / "empty.png")
    assert main(["measure", str(tmp_path / "empty.png"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]
    (tmp_path / "broken.tif").write_bytes(b"no image")
    assert main(["measure", str(tmp_path / "broken.tif"), str(tmp_path / "empty.png")]) == 2
