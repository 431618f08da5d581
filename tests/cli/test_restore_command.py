"""``nanoqr restore``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_nanoqr.cli import main
from napari_nanoqr.design.record import record_design
from napari_nanoqr.physics.scan import ScanFaults
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.sem.read import read_micrograph
from napari_nanoqr.sem.write import write_micrograph


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    seen = simulate_micrograph(
        record_design(), electrons_per_pixel=100, frames=3, tilt_deg=52, seed=1,
        faults=ScanFaults(wander_nm=40, seed=1),
    )  # fmt: skip
    return write_micrograph(seen, tmp_path_factory.mktemp("stack") / "stack.tif")


def test_all_steps_are_said_and_kept(
    stack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.tif"
    words = ["--rows", "--flatten", "--destripe", "--tilt", "--straighten", "--pitch", "49"]
    assert main(["restore", str(stack), *words, "-o", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "registered", "flattened", "destriped", "tilt-corrected", "straightened", "written",
    ]  # fmt: skip
    assert "over 3 frames" in lines[0]
    assert lines[3] == "tilt-corrected: tilt 52°"
    restored = read_micrograph(out)
    assert [step["step"] for step in restored.metadata["restored"]] == [
        line.partition(":")[0] for line in lines[:-1]
    ]
    assert main(["decode", str(out), "--json"]) == 0
    (code,) = json.loads(capsys.readouterr().out)["codes"]
    assert code["pitch_nm"] == pytest.approx(49, rel=0.005)


def test_a_tilt_and_a_pixel_size_can_be_told(stack: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tif"
    options = ["--tilt", "60", "--pixel-size", "5", "-o", str(out)]
    assert main(["restore", str(stack), *options]) == 0
    before, after = read_micrograph(stack).image, read_micrograph(out)
    assert after.image.shape == (3, 2 * before.shape[1], before.shape[2])
    assert after.pixel_size_nm == (5.0, 5.0)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "Choose at least one step"),
        (["--straighten"], "register them first"),
        (["--tilt", "85"], "more than 80"),
        (["--flatten", "--pixel-size", "0"], "pixel size of 0 nm"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_written(
    stack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str],
    complaint: str,
) -> None:  # fmt: skip
    assert main(["restore", str(stack), *options, "-o", str(tmp_path / "out.tif")]) == 2
    assert complaint in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
