"""Measuring in the widget SEM decode: layers, a window, a sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.widgets.sem_decode import SemDecode

SYMBOL = encode(b"CrN", error="H")


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def panel(qtbot, viewer):
    modules = np.kron(np.where(np.pad(SYMBOL.matrix, 5), 60, 160), np.ones((8, 8)))
    noise = np.random.default_rng(0).normal(0, 5, modules.shape)
    viewer.add_image((modules + noise).astype(np.float32), name="seen")
    widget = SemDecode(viewer)
    qtbot.addWidget(widget)
    widget.pixel_size.value = 5
    return widget


def measure(qtbot, widget):
    widget.measure.measure()
    qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)


def test_measuring_tells_numbers_in_layers_and_in_a_window(qtbot, panel, viewer, tmp_path):
    measure(qtbot, panel)
    assert panel.status.text().startswith("Measured: pitch 40.0")
    names = [layer.name for layer in viewer.layers]
    assert names == ["seen", "seen · module values", "seen · margin", "seen · measured"]
    values, margin, outlines = list(viewer.layers)[1:]
    assert np.nanmax(values.data) > 140
    assert np.nanmin(margin.data) > 0
    row = outlines.features.iloc[0]
    assert row["pitch_x_nm"] == pytest.approx(40, abs=0.1)
    assert 0 < row["pitch_x_nm ±"] < 0.1
    window = panel.measure.window
    shown = {window.table.item(i, 0).text(): window.table.item(i, 1).text()
             for i in range(window.table.rowCount())}  # fmt: skip
    assert shown["Pitch x"].endswith(" nm")
    assert " ± " in shown["Edge bias"]
    # three plots, and the colours of one
    assert len(window.figure.axes) == 4
    window.save(tmp_path / "measured.json")
    saved = json.loads((tmp_path / "measured.json").read_text(encoding="utf-8"))
    assert saved["codes"][0]["payload_hex"] == b"CrN".hex()
    window.close()


def test_measuring_again_updates_the_layers_and_what_it_adds_is_no_image_to_read(
    qtbot, panel, viewer
):
    measure(qtbot, panel)
    measure(qtbot, panel)
    assert len(viewer.layers) == 4
    assert [layer.name for layer in panel.image.choices] == ["seen"]


def test_within_a_region_codes_are_told_in_pixels_of_the_image(qtbot, panel, viewer):
    measure(qtbot, panel)
    whole = panel.measure.codes[0].grid.corners_yx
    side = len(SYMBOL.matrix) + 10
    panel.draw_region()
    viewer.layers[-1].add_rectangles([[12, 12], [side * 8 - 12, side * 8 - 12]])
    panel.region.value = viewer.layers[-1]
    measure(qtbot, panel)
    assert panel.measure.codes[0].grid.corners_yx == pytest.approx(whole, abs=0.05)


def test_where_nothing_is_read_it_says_so_and_old_layers_go(qtbot, panel, viewer):
    measure(qtbot, panel)
    layer = viewer.layers["seen"]
    layer.data = np.random.default_rng(1).normal(100, 5, layer.data.shape).astype(np.float32)
    measure(qtbot, panel)
    assert "nothing to measure" in panel.status.text()
    assert [layer.name for layer in viewer.layers] == ["seen"]
