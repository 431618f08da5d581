"""Trend: a folder becomes a plot and a table, and another model needs no reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QFileDialog

from napari_nanoqr.cli.settings import load_settings, save_settings
from napari_nanoqr.design.design import Design
from napari_nanoqr.physics.ageing import Ageing
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.sem.write import write_micrograph
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.widgets.trend import Trend

AGES = (0, 10, 20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("images")
    lines = ["file,date"]
    for years in AGES:
        image = simulate_micrograph(
            Design(encode("age", "L")), electrons_per_pixel=150, seed=years,
            ageing=Ageing(years, fading_per_year=0.03),
        )  # fmt: skip
        write_micrograph(image, made / f"{years}.tif")
        lines.append(f"{years}.tif,{2030 + years}-01-01")
    (made / "dates.csv").write_text("\n".join(lines), encoding="utf-8")
    return made


@pytest.fixture
def widget(folder: Path, qtbot) -> Trend:  # type: ignore[no-untyped-def]
    made = Trend(ViewerModel())
    qtbot.addWidget(made)
    made.folder.value = folder
    made.dates.value = folder / "dates.csv"
    made.measure.value = False
    return made


def follow(widget: Trend, qtbot: Any) -> None:
    widget.follow()
    qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)


def test_each_image_has_a_row_and_the_verdict_is_said(  # type: ignore[no-untyped-def]
    widget: Trend, tmp_path: Path, qtbot, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not widget.report_button.isEnabled()
    follow(widget, qtbot)
    assert widget.trend is not None
    names = [widget.table.item(row, 0).text() for row in range(widget.table.rowCount())]
    assert names == [f"{years}.tif" for years in AGES]
    assert widget.trend.verdict in widget.status.text()
    assert len(widget.figure.axes) == 1
    for button, name in ((widget.table_button, "a.csv"), (widget.report_button, "a.html")):
        monkeypatch.setattr(
            QFileDialog, "getSaveFileName", lambda *_, name=name: (str(tmp_path / name), "")
        )
        button.click()
        assert (tmp_path / name).stat().st_size > 100
    # another model is held against what was read
    points = widget.trend.points
    widget.model.value = "arrhenius"
    qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)
    assert widget.trend.points == points
    assert "temperature" in widget.status.text()


def test_without_a_folder_it_says_so(widget: Trend) -> None:
    widget.folder.line_edit.value = ""
    widget.follow()
    assert "Choose the folder" in widget.status.text()
    assert widget.worker is None


def test_files_instead_of_a_folder(
    widget: Trend, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [str(folder / "0.tif"), str(folder / "10.tif")]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (chosen, ""))
    widget.files_button.click()
    assert widget.settings()[""] == chosen
    assert "2 files" in widget.files_button.text()


def test_settings_are_those_of_the_command(widget: Trend, tmp_path: Path) -> None:
    widget.model.value = "arrhenius"
    widget.temperature.value, widget.energy.value = 400, 1.1
    path = tmp_path / "settings.json"
    save_settings(path, "trend", widget.settings())
    settings = load_settings(path, "trend")
    widget.temperature.value, widget.model.value = 20, "linear"
    widget.apply_settings(settings)
    assert widget.settings() == settings
    assert settings["temperature"] == 400
    assert settings["storage"] is None
