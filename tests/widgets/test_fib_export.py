"""FIB export: the plan follows the design, and a file counts only when it was read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.record import record_design
from napari_nanoqr.fib.pattern_files import read_pattern
from napari_nanoqr.fib.verify import verify_pattern
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.widgets.fib_export import FORMATS, FibExport
from napari_nanoqr.widgets.layers import design_layers, update_design_layers
from napari_nanoqr.widgets.pattern_layers import scan_lines


@pytest.fixture
def viewer() -> ViewerModel:
    made = ViewerModel()
    for layer in design_layers(record_design(), "group"):
        made.add_layer(layer)
    return made


@pytest.fixture
def widget(viewer: ViewerModel, qtbot) -> FibExport:  # type: ignore[no-untyped-def]
    made = FibExport(viewer)
    qtbot.addWidget(made)
    return made


def wait(widget: FibExport, qtbot) -> None:  # type: ignore[no-untyped-def]
    qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)


def test_the_records_plan_has_the_published_numbers(widget: FibExport) -> None:
    # 7 nm pitch, 26 pA: about 20,600 points and 3.9 to 5.8 s for half the modules
    assert widget.plan is not None
    assert widget.plan.point_pitch_nm == pytest.approx(7)
    assert widget.plan.n_points == pytest.approx(20_600, rel=0.05)
    assert 3.5 < widget.plan.beam_on_time_s < 6
    assert "nC/µm²" in widget.status.text()


def test_the_plan_follows_the_design(viewer, widget, qtbot) -> None:  # type: ignore[no-untyped-def]
    other = Design(encode("another", "H"), pitch_nm=80, name="other")
    update_design_layers(list(viewer.layers)[:2], other)
    qtbot.waitUntil(lambda: widget.plan.design == other, timeout=5000)
    qtbot.waitUntil(lambda: "other · beam path" in viewer.layers, timeout=5000)


def test_the_path_lies_on_the_milled_modules(viewer, widget, qtbot) -> None:  # type: ignore[no-untyped-def]
    qtbot.waitUntil(lambda: "record · beam path" in viewer.layers, timeout=5000)
    path, modules = viewer.layers["record · beam path"], viewer.layers["record · modules"]
    assert [str(unit) for unit in path.units] == ["nanometer", "nanometer"]
    for share in (0.0, 0.5, 1.0):
        points = path.data[:, 0] + share * path.data[:, 1]
        index = np.round((points - modules.translate) / modules.scale).astype(int)
        assert record_design().milled[tuple(index.T)].all()


def test_without_a_design_it_says_how_to_get_one(qtbot) -> None:  # type: ignore[no-untyped-def]
    widget = FibExport(ViewerModel())
    qtbot.addWidget(widget)
    assert "Encode preview" in widget.status.text()
    assert not widget.save_button.isEnabled()


def test_a_deleted_design_breaks_nothing(viewer, widget, qtbot) -> None:  # type: ignore[no-untyped-def]
    viewer.layers.clear()
    widget.update_plan()
    assert widget.plan is None
    assert not widget.predict_button.isEnabled()


@pytest.mark.parametrize("name", FORMATS)
def test_a_saved_file_holds_the_symbol(widget, qtbot, tmp_path: Path, name: str) -> None:  # type: ignore[no-untyped-def]
    widget.format.value = name
    widget.update_plan()
    path = tmp_path / f"record{FORMATS[name][0]}"
    widget.save(path)
    wait(widget, qtbot)
    assert widget.status.text().startswith("Written: ")
    found = verify_pattern(read_pattern(path), record_design())
    assert found.matches
    assert found.payload == record_design().symbol.payload


def test_a_file_that_cannot_be_written_is_not_called_written(  # type: ignore[no-untyped-def]
    widget, qtbot, tmp_path: Path
) -> None:
    widget.save(tmp_path / "nowhere" / "record.str")
    wait(widget, qtbot)
    assert "does not exist" in widget.status.text()
    assert "Written" not in widget.status.text()
    assert list(tmp_path.iterdir()) == []


def test_a_plan_that_cannot_work_says_why(widget: FibExport) -> None:
    widget.spacing.value, widget.spacing_value.value = "overlap (%)", 100
    widget.update_plan()
    assert widget.plan is None
    assert widget.status.text()
    assert not widget.save_button.isEnabled()


def test_the_users_calibration_sets_dose_and_depth_range(widget: FibExport) -> None:
    widget.volume.value, widget.uncertainty.value = 0.15, 20
    widget.update_plan()
    assert widget.plan is not None
    assert widget.plan.ion_dose_nc_per_um2 == pytest.approx(0.1, rel=0.02)
    assert widget.plan.depth_range_nm == pytest.approx((12, 18), rel=0.02)


def test_the_prediction_reads_back(viewer, widget, qtbot) -> None:  # type: ignore[no-untyped-def]
    # the path comes by itself a moment later: let it come first, since layers are counted
    qtbot.waitUntil(lambda: "record · beam path" in viewer.layers, timeout=5000)
    widget.predict()
    assert widget._progress_row.isVisibleTo(widget)
    wait(widget, qtbot)
    assert "reads back exactly" in widget.status.text()
    seen, depth = viewer.layers["record · predicted SEM"], viewer.layers["record · depth"]
    for layer in (seen, depth):
        assert [str(unit) for unit in layer.units] == ["nanometer", "nanometer"]
        # both lie over the design
        centre = layer.extent.world.mean(axis=0)
        assert centre == pytest.approx(np.array(record_design().field_size_nm) / 2, abs=10)
    assert depth.data.max() == pytest.approx(15, abs=3)
    count = len(viewer.layers)
    widget.predict()
    wait(widget, qtbot)
    assert len(viewer.layers) == count


def test_settings_make_an_equal_plan(widget, viewer, qtbot) -> None:  # type: ignore[no-untyped-def]
    widget.beam.value = widget.beam.choices[1]
    widget.spacing.value, widget.spacing_value.value = "point pitch (nm)", 5
    widget.dwell.value, widget.scan.value = 0.5, "raster"
    widget.format.value = "Thermo/FEI stream, 12 bit"
    widget.update_plan()
    other = FibExport(viewer)
    qtbot.addWidget(other)
    other.apply_settings(widget.settings())
    assert other.format.value == widget.format.value
    assert other.plan is not None
    for value in ("beam", "point_pitch_nm", "dwell_us", "passes", "scan"):
        assert getattr(other.plan, value) == getattr(widget.plan, value)


def test_the_command_line_takes_the_settings(widget, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    import shlex

    from napari_nanoqr.cli import main
    from napari_nanoqr.cli.settings import command_line

    monkeypatch.chdir(tmp_path)
    record_design().save("record.json")
    widget.volume.value = 0.2
    widget.update_plan()
    line = command_line("export", widget.settings())
    assert main(shlex.split(line)[1:]) == 0
    pattern = read_pattern(tmp_path / "record.str")
    assert pattern.metadata["volume_per_dose_um3_per_nc"]["value"] == 0.2
    assert pattern.passes == widget.plan.passes


class TestScanLines:
    def test_join_even_steps_and_leave_jumps_out(self) -> None:
        points = [(0, 0), (1, 0), (2, 0), (9, 0), (10, 0), (10, 1), (9, 1)]
        lines = scan_lines(np.array(points, dtype=float))
        starts = [tuple(start) for start in lines[:, 0]]
        assert starts[:2] == [(0, 0), (0, 9)]
        assert lines[0, 1].tolist() == [0, 2]

    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_take_any_number_of_points(self, count: int) -> None:
        assert len(scan_lines(np.zeros((count, 2)))) == min(count, 2) - (count == 2)

    def test_cover_every_point_of_a_serpentine(self) -> None:
        rows = [[(x, y) for x in range(6)][:: -1 if y % 2 else 1] for y in range(4)]
        points = np.array([p for row in rows for p in row], dtype=float)
        lines = scan_lines(points)
        length = np.hypot(*lines[:, 1].T).sum()
        assert length >= 4 * 5
