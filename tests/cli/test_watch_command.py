"""nanoqr watch: every new image is read once, and the files are up to date when it ends."""

from __future__ import annotations

import json
import shutil
import threading
import time
from pathlib import Path

import pytest

from napari_nanoqr.cli import main
from napari_nanoqr.design.design import Design
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.sem.write import write_micrograph
from napari_nanoqr.symbols.encode import encode

QUICK = ("--no-measure", "--no-margin")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("image") / "image.tif"
    micrograph = simulate_micrograph(Design(encode("watch", "L")), electrons_per_pixel=500, seed=1)
    write_micrograph(micrograph, path)
    return path


def test_what_is_there_and_what_comes_is_read(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, table, page = tmp_path / "images", tmp_path / "t.csv", tmp_path / "r.html"
    folder.mkdir()
    shutil.copy(image, folder / "a.tif")

    def save_another() -> None:
        while not table.exists():
            time.sleep(0.05)
        shutil.copy(image, folder / "b.tif")

    microscope = threading.Thread(target=save_another)
    microscope.start()
    status = main(
        ["watch", str(folder), "--existing", "--count", "2", "--json", "--table", str(table),
         "--report", str(page), "--reports", str(tmp_path / "reports"), *QUICK]
    )  # fmt: skip
    microscope.join()
    assert status == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(record["file"]).name for record in records] == ["a.tif", "b.tif"]
    assert records[0]["codes"][0]["text"] == "watch"
    assert table.read_text(encoding="utf-8").count("watch") == 2
    assert page.exists()
    assert len(list((tmp_path / "reports").iterdir())) == 4


def test_it_ends_in_time_and_says_what_was_not_as_it_should_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.tif").write_bytes(b"no image at all")
    status = main(["watch", str(tmp_path), "--existing", "--for", "4", *QUICK])
    assert status == 1
    assert capsys.readouterr().out.startswith("bad.tif: ")


def test_a_missing_folder_and_a_bad_table_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watch", str(tmp_path / "none")]) == 2
    assert "no folder" in capsys.readouterr().err
    assert main(["watch", str(tmp_path), "--table", str(tmp_path / "t.xls")]) == 2
    assert "parquet" in capsys.readouterr().err
