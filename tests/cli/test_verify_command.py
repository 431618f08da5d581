"""``nanoqr verify``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_nanoqr.cli import main
from napari_nanoqr.design.design import Design
from napari_nanoqr.symbols.encode import encode

DESIGN = Design(encode(b"verify me", error="H"), pitch_nm=40, name="plate")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    DESIGN.save(tmp_path / "plate.json")
    bad = DESIGN.symbol.matrix.copy()
    bad[9:13, 9:13] = True
    for name, modules in (("good", DESIGN.symbol.matrix), ("bad", bad)):
        image = np.kron(np.where(np.pad(modules, 5), 40, 160), np.ones((8, 8)))
        tifffile.imwrite(tmp_path / f"{name}.tif", image.astype(np.uint8))
    return tmp_path


def test_a_good_write_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "plate.json", "good.tif", "--pixel-size", "5"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("good.tif\nPASS · plate: written as designed\n")
    assert "The pitch is 40.00 nm" in out


def test_any_that_does_not_pass_makes_the_status_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "plate.json", "*d.tif", "--pixel-size", "5", "--json"]) == 1
    bad, good = map(json.loads, capsys.readouterr().out.splitlines())
    assert (bad["file"], bad["outcome"]) == ("bad.tif", "marginal")
    assert (good["file"], good["outcome"], good["error"]) == ("good.tif", "pass", None)
    assert bad["places"][0]["comparison"]["damage"]


def test_files_that_cannot_be_read_are_told_and_the_others_verified(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.tif").write_bytes(b"no image")
    assert main(["verify", "plate.json", "broken.tif", "good.tif", "--json"]) == 2
    broken, good = map(json.loads, capsys.readouterr().out.splitlines())
    assert broken["error"]
    assert broken["outcome"] is None
    assert set(broken) == set(good)
    assert good["outcome"] == "pass"


def test_pictures_show_what_differs(folder: Path) -> None:
    assert main(["verify", "plate.json", "bad.tif", "--pictures", "seen"]) == 1
    from PIL import Image

    picture = np.asarray(Image.open(folder / "seen" / "bad.png"))
    assert (picture.max(axis=-1) > picture.min(axis=-1)).any()


def test_the_grade_to_pass_is_the_users(folder: Path) -> None:
    assert main(["verify", "plate.json", "good.tif", "--grade", "A"]) == 0
    with pytest.raises(SystemExit) as left:
        main(["verify", "plate.json", "good.tif", "--grade", "E"])
    assert left.value.code == 2


def test_a_file_without_a_design_is_bad_use(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "good.tif", "good.tif"]) == 2
    assert "nanoqr: " in capsys.readouterr().err
