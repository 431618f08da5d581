"""Write verify in the widget SEM decode."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_nanoqr.design.design import Design
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.widgets.layers import design_layers
from napari_nanoqr.widgets.sem_decode import SemDecode

DESIGN = Design(encode(b"CrN", error="H"), pitch_nm=40, name="plate")


def picture(modules: np.ndarray) -> np.ndarray:
    return np.kron(np.where(np.pad(modules, 5), 40, 160), np.ones((8, 8))).astype(np.uint8)


@pytest.fixture
def viewer():
    made = ViewerModel()
    for layer in design_layers(DESIGN, "plate"):
        made.add_layer(layer)
    return made


@pytest.fixture
def verify(qtbot, viewer):
    def run(modules):
        layer = viewer.add_image(picture(modules), name="written")
        widget = SemDecode(viewer)
        qtbot.addWidget(widget)
        widget.image.value = layer
        assert not widget.verify.button.isEnabled()
        widget.design.value = next(c for c in widget.design.choices if c is not None)
        assert widget.verify.button.isEnabled()
        widget.verify.verify()
        qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)
        return widget

    return run


def test_a_good_write_is_green_with_everything_that_was_looked_at(verify):
    widget = verify(DESIGN.symbol.matrix)
    assert widget.status.text() == "✓ PASS · plate: written as designed"
    assert "#2a9d5c" in widget.status.styleSheet()
    assert "• The payload is read back exactly." in widget.verify.lines.text()
    assert widget.verify.verdict.passed


def test_what_differs_is_shown_as_a_layer_and_in_sentences(verify, viewer):
    modules = DESIGN.symbol.matrix.copy()
    modules[9:13, 9:13] = True
    widget = verify(modules)
    assert widget.status.text().startswith("! MARGINAL")
    assert "Damage of" in widget.verify.lines.text()
    assert "written · differences" in [layer.name for layer in viewer.layers]
    assert "written" in [layer.name for layer in viewer.layers]


def test_what_was_decoded_before_stays(qtbot, verify, viewer):
    widget = verify(DESIGN.symbol.matrix)
    widget.decode()
    qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)
    before = {layer.name for layer in viewer.layers}
    widget.verify.verify()
    qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)
    assert {layer.name for layer in viewer.layers} == before
    assert "written · modules" in before


def test_without_a_design_it_says_what_is_missing(qtbot, viewer):
    widget = SemDecode(viewer)
    qtbot.addWidget(widget)
    widget.verify.verify()
    assert "Choose the design" in widget.status.text()
