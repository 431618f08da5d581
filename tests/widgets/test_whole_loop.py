"""The whole write-read loop in a real window, by driving the three widgets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_nanoqr.cli import main
from napari_nanoqr.widgets.encode_preview import EncodePreview
from napari_nanoqr.widgets.fib_export import FibExport
from napari_nanoqr.widgets.sem_decode import SemDecode

PAYLOAD = "whole loop: µ and a tab\t, 0123456789"

pytestmark = pytest.mark.viewer


@pytest.fixture
def viewer(installed_plugin: None, make_napari_viewer: Callable[..., Any], qtbot: Any) -> Any:
    made = make_napari_viewer(show=True)
    made.window._qt_window.resize(1400, 900)
    return made


def dock(viewer: Any, name: str) -> Any:
    _, widget = viewer.window.add_plugin_dock_widget("napari-nanoqr", name, tabify=True)
    return widget


def test_a_payload_goes_in_and_comes_out(viewer: Any, qtbot: Any, tmp_path: Path) -> None:
    encode = dock(viewer, "Encode preview")
    assert isinstance(encode, EncodePreview)
    encode.payload.text.value = PAYLOAD
    encode.fields.error.value, encode.fields.name.value = "Q", "loop"
    qtbot.waitUntil(
        lambda: encode.design is not None and encode.design.symbol.payload == PAYLOAD.encode(),
        timeout=5000,
    )

    export = dock(viewer, "FIB export")
    assert isinstance(export, FibExport)
    assert export.plan is not None
    assert export.plan.design == encode.design
    export.save(tmp_path / "loop.str")
    qtbot.waitUntil(lambda: export.worker is None, timeout=30_000)
    assert export.status.text().startswith("Written")

    # the instrument and the microscope: the film is milled as the file says, and imaged
    image_file = tmp_path / "seen.tif"
    arguments = ["--rotation", "12", "--seed", "5"]
    assert main(["simulate", str(tmp_path / "loop.str"), "-o", str(image_file), *arguments]) == 0
    viewer.layers.clear()
    (image,) = viewer.open(image_file, plugin="napari-nanoqr")
    decode = dock(viewer, "SEM decode")
    assert isinstance(decode, SemDecode)
    assert decode.image.value is image
    decode.decode()
    assert decode.worker is not None
    qtbot.waitUntil(lambda: decode.worker is None, timeout=60_000)
    assert "1 code read" in decode.status.text()
    decode.results.save_bytes(tmp_path / "payload.bin")
    decode.results.save_json(tmp_path / "reading.json")
    assert (tmp_path / "payload.bin").read_bytes() == PAYLOAD.encode()
    record = json.loads((tmp_path / "reading.json").read_text())
    assert record["codes"][0]["pitch_nm"] == pytest.approx(49, rel=0.005)
    assert {"seen · codes", "seen · modules"} <= {layer.name for layer in viewer.layers}

    viewer.reset_view()
    qtbot.wait(300)
    shot = viewer.screenshot(canvas_only=True, flash=False)
    # the micrograph is on the canvas: neither black nor of one colour
    assert shot[..., :3].mean() > 20
    assert np.unique(shot[..., :3].reshape(-1, 3), axis=0).shape[0] > 50


def test_the_plugins_menu_lists_the_widgets(viewer: Any) -> None:
    ours = [
        action.menu() for action in viewer.window.plugins_menu.actions()
        if action.menu() is not None and "nanoqr" in action.text()
    ]  # fmt: skip
    assert len(ours) == 1
    listed = {action.text() for action in ours[0].actions()}
    assert listed == {
        "Encode preview",
        "FIB export",
        "Restore",
        "SEM decode",
        "Batch",
        "Trend",
        "Archive write",
        "Archive read",
    }
