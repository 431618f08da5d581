"""What the user knows better than the file, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.cli import main
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.write import write_micrograph
from napari_nanoqr.symbols.encode import encode

ABOVE, BELOW = b"above", b"below"


@pytest.fixture(scope="module")
def micrograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two codes, one above the other, of a file that tells tilt, dwell and current."""
    image = np.full((340, 220), 180.0)
    for payload, (y, x) in ((ABOVE, (20, 30)), (BELOW, (190, 60))):
        code = np.kron(encode(payload).matrix, np.ones((5, 5)))
        image[y : y + len(code), x : x + len(code)] -= 110 * code
    image += np.random.default_rng(1).normal(0, 5, image.shape)
    facts = {"tilt_deg": 0.0, "dwell_s": 1e-6, "beam_current_a": 50e-12}
    path = tmp_path_factory.mktemp("options") / "two.tif"
    return write_micrograph(Micrograph(image.astype(np.uint8), (6.0, 6.0), "a tag", facts), path)


def decoded(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main(["decode", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_region_is_read_alone_and_told_in_pixels_of_the_image(
    micrograph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = decoded(capsys, str(micrograph), "--no-margin")["codes"]
    assert [bytes.fromhex(code["payload_hex"]) for code in both] == [ABOVE, BELOW]
    (one,) = decoded(capsys, str(micrograph), "--no-margin", "--region", "170,40,150,150")["codes"]
    assert bytes.fromhex(one["payload_hex"]) == BELOW
    assert np.allclose(one["corners_yx"], both[1]["corners_yx"], atol=0.5)
    assert main(["measure", str(micrograph), "--region=170,40,150,150", "--json"]) == 0
    (measured,) = json.loads(capsys.readouterr().out)["codes"]
    assert np.allclose(measured["corners_yx"], both[1]["corners_yx"], atol=1.0)


def test_dwell_current_and_tilt_give_the_dose(
    micrograph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    region = ("--region", "170,40,150,150")
    told = decoded(capsys, str(micrograph), *region)["codes"][0]["margin"]
    twice = ("--dwell", "0.5", "--current", "200", "--tilt", "60")
    given = decoded(capsys, str(micrograph), *region, *twice)["codes"][0]["margin"]
    pixel = given["stop_electrons_per_pixel"] / given["stop_dose_share"]
    assert pixel == pytest.approx(6.24 * 100, rel=0.01)
    assert told["stop_electrons_per_pixel"] / told["stop_dose_share"] == pytest.approx(
        312, rel=0.01
    )
    area = given["stop_electrons_per_pixel"] / given["stop_electrons_per_nm2"]
    assert area == pytest.approx(36 / np.cos(np.deg2rad(60)), rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--region", "1,2,3"), "first row, first column, height and width"),
        (("--region", "0,0,0,9"), "first row, first column, height and width"),
        (("--region", "900,0,9,9"), "does not lie on the image"),
        (("--tilt", "700"), "A tilt of 700 degrees cannot be true."),
        (("--dwell", "0"), "A dwell time of 0 s cannot be true."),
        (("--pixel-size", "-1"), "positive number of nm"),
    ],
)
def test_what_cannot_be_true_gets_a_sentence_and_status_2(
    micrograph: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, str],
    sentence: str,
) -> None:
    try:
        status = main(["decode", str(micrograph), *arguments])
    except SystemExit as stopped:
        status = stopped.code
    assert status == 2
    told = capsys.readouterr()
    assert sentence in told.out + told.err
