"""``nanoqr simulate`` passes on what is to go wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.cli import main
from napari_nanoqr.sem.read import read_micrograph


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    assert main(["encode", "plain", "-o", str(folder / "design.json")]) == 0
    return folder


def simulated(folder: Path, *words: str) -> np.ndarray:
    target = folder / "a.tif"
    design = str(folder / "design.json")
    assert main(["simulate", design, "-o", str(target), "--seed", "1", *words]) == 0
    return read_micrograph(target).image


def test_nothing_goes_wrong_unasked(folder: Path) -> None:
    assert np.array_equal(simulated(folder), simulated(folder, "--charging", "0"))


@pytest.mark.parametrize(
    "words",
    [
        ["--warp", "60"],
        ["--vibration", "30"],
        ["--charging", "0.4"],
        ["--grain", "0.2"],
        ["--frames", "3", "--wander", "40"],
    ],
    ids=" ".join,
)
def test_what_is_asked_for_goes_wrong(folder: Path, words: list[str]) -> None:
    changed, plain = simulated(folder, *words), simulated(folder)
    rows, columns = (min(a, b) for a, b in zip(changed.shape[-2:], plain.shape, strict=True))
    frame = changed[-1] if changed.ndim == 3 else changed
    assert not np.array_equal(frame[:rows, :columns], plain[:rows, :columns])


@pytest.mark.parametrize("words", [["--charging", "2"], ["--warp", "-1"], ["--grain", "9"]])
def test_what_cannot_be_is_refused(
    folder: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    target = folder / "refused.tif"
    assert main(["simulate", str(folder / "design.json"), "-o", str(target), *words]) == 2
    assert capsys.readouterr().err.startswith("nanoqr: ")
    assert not target.exists()
