"""The widget Restore, mostly without a window."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_nanoqr.cli.settings import command_line
from napari_nanoqr.design.record import record_design
from napari_nanoqr.physics.scan import ScanFaults
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.widgets import restore
from napari_nanoqr.widgets.readers import micrograph_layer
from napari_nanoqr.widgets.restore import Restore
from napari_nanoqr.widgets.sem_decode import SemDecode


@pytest.fixture(scope="module")
def stack() -> Micrograph:
    return simulate_micrograph(
        record_design(), electrons_per_pixel=150, frames=3, tilt_deg=52, seed=1,
        pixel_size_nm=8.0, faults=ScanFaults(wander_nm=40, seed=1),
    )  # fmt: skip


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def widget(qtbot, viewer):
    made = Restore(viewer)
    qtbot.addWidget(made)
    return made


@pytest.fixture
def run(qtbot, widget):
    def restored(**steps: bool) -> str:
        for name in ("register", "rows", "flatten", "destripe", "tilt", "straighten"):
            getattr(widget, name).value = steps.get(name, False)
        widget.restore()
        qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)
        return widget.status.text()

    return restored


def opened(viewer, micrograph, **more):
    data, options, _ = micrograph_layer(micrograph)
    return viewer.add_image(data, **(options | {"name": "Image_012"} | more))


def names(viewer):
    return [layer.name for layer in viewer.layers]


def test_without_an_image_or_a_step_it_says_what_to_do(viewer, widget, run, stack):
    assert widget.status.text() == restore.OPEN_ONE
    assert run(flatten=True) == restore.OPEN_ONE
    opened(viewer, stack)
    assert run() == "Choose at least one step."


def test_each_step_is_a_layer_above_the_image_which_stays_as_it_is(viewer, widget, run, stack):
    image = opened(viewer, stack)
    above = viewer.add_points(np.zeros((1, 2)), name="mine")
    viewer.layers.selection.active = image
    before = image.data.copy()
    said = run(register=True, rows=True, flatten=True, tilt=True)
    assert names(viewer) == [
        "Image_012", "Image_012 · registered", "Image_012 · flattened",
        "Image_012 · tilt-corrected", "Image_012 · drift", "mine",
    ]  # fmt: skip
    np.testing.assert_array_equal(image.data, before)
    assert said.startswith("Drift ")
    assert "over 3 frames" in said
    assert said.endswith("tilt 52°.")
    seen = [layer.name for layer in viewer.layers if layer.visible]
    assert seen == ["Image_012", "Image_012 · tilt-corrected", "mine"]
    assert viewer.layers.selection.active is image
    assert widget.image.choices == (image,)
    upright = viewer.layers["Image_012 · tilt-corrected"]
    assert upright.ndim == 2
    np.testing.assert_allclose(upright.scale, 8.0)
    assert [str(unit) for unit in upright.units] == ["nanometer", "nanometer"]
    # the same corner, and as wide
    for layer in (image, upright):
        np.testing.assert_allclose(layer.data_to_world((-0.5,) * layer.ndim)[-2:], -4.0, atol=1e-6)
    assert upright.data.shape[1] == image.data.shape[2]
    assert above in viewer.layers


def test_a_second_run_updates_its_layers_and_removes_what_is_not_wanted(viewer, widget, run, stack):
    opened(viewer, stack)
    run(register=True, flatten=True)
    kept = viewer.layers["Image_012 · registered"]
    kept.colormap = "viridis"
    run(register=True, rows=True)
    assert names(viewer) == ["Image_012", "Image_012 · registered", "Image_012 · drift"]
    assert viewer.layers["Image_012 · registered"] is kept
    assert kept.colormap.name == "viridis"
    assert kept.metadata["nanoqr"]["restored"][0]["parameters"] == {"rows": True}


def test_undo_takes_back_one_step_after_the_other(viewer, widget, run, stack):
    opened(viewer, stack)
    assert not widget.undo_button.isEnabled()
    run(register=True, flatten=True)
    widget.undo()
    assert widget.status.text() == "Removed: flattened."
    assert viewer.layers["Image_012 · registered"].visible
    widget.undo()
    assert names(viewer) == ["Image_012"]
    assert not widget.undo_button.isEnabled()
    widget.undo()
    assert widget.status.text() == "There is nothing to undo."


def test_what_is_restored_can_be_decoded(qtbot, viewer, widget, run, stack):
    opened(viewer, stack)
    run(register=True, tilt=True)
    decoder = SemDecode(viewer)
    qtbot.addWidget(decoder)
    decoder.image.value = viewer.layers["Image_012 · tilt-corrected"]
    decoder.decode()
    qtbot.waitUntil(lambda: decoder.worker is None, timeout=60_000)
    (reading,) = decoder.results.outcome.readings
    assert reading.payload == record_design().symbol.payload
    assert reading.pitch_nm == pytest.approx(49, rel=0.02)


def test_a_layer_that_is_turned_and_moved_has_its_results_where_it_is(viewer, widget, run, stack):
    image = opened(viewer, Micrograph(stack.image[0], (8.0, 8.0)), rotate=30, translate=(500, 70))
    run(flatten=True)
    result = viewer.layers["Image_012 · flattened"]
    for corner in ((0, 0), (10, 30), (200, 5)):
        np.testing.assert_allclose(result.data_to_world(corner), image.data_to_world(corner))


def test_what_cannot_be_done_is_said_and_changes_nothing(viewer, widget, run, stack):
    corrected = stack.metadata | {"tilt_correction": True}
    opened(viewer, Micrograph(stack.image[0], (8.0, 8.0), "", corrected))
    assert "corrected already" in widget.found.value
    assert "already" in run(tilt=True)
    assert names(viewer) == ["Image_012"]
    viewer.layers.clear()
    opened(viewer, Micrograph(np.random.default_rng(0).normal(size=(60, 60)), (8.0, 8.0)))
    assert "No code was read" in run(flatten=True, straighten=True)
    assert names(viewer) == ["Image_012"]


def test_settings_are_those_of_the_command(viewer, widget, stack, tmp_path):
    image = opened(viewer, stack)
    image.metadata["nanoqr"]["path"] = "data/a.tif"
    widget.apply_settings({"rows": True, "tilt": 30.0, "straighten": True, "pitch": 49.0})
    said = widget.settings()
    assert (said["rows"], said["tilt"], said["pitch"]) == (True, 30.0, 49.0)
    line = command_line("restore", said)
    assert line.startswith("nanoqr restore data/a.tif --output a-restored.tif --register --rows")
    assert line.endswith("--tilt 30 --straighten --pitch 49")
    widget.apply_settings({"tilt": True})
    assert widget.settings()["tilt"] is True
    widget.apply_settings({"tilt": None})
    assert widget.settings()["tilt"] is False
