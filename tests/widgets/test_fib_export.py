"""FIB export: the plan follows the design, and a file counts only when it was read back."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.record import record_design
from napari_nanoqr.fib.columns import find_column, save_column
from napari_nanoqr.fib.instruments import find_instrument, save_instrument
from napari_nanoqr.fib.pattern import ShapePattern
from napari_nanoqr.fib.pattern_files import SUFFIXES, read_pattern
from napari_nanoqr.fib.verify import verify_pattern
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.widgets.fib_export import FibExport
from napari_nanoqr.widgets.layers import design_layers, update_design_layers
from napari_nanoqr.widgets.pattern_layers import scan_lines

pytestmark = pytest.mark.usefixtures("few_images")


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


@pytest.fixture
def own_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave nothing loaded for the tests after this one."""
    for library in ("materials", "columns", "instruments"):
        monkeypatch.setattr(f"napari_nanoqr.fib.{library}._loaded", {})


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


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_saved_file_holds_the_symbol(widget, qtbot, tmp_path: Path, suffix: str) -> None:  # type: ignore[no-untyped-def]
    widget.fields.instrument.value = "generic"
    widget.fields.format.value = suffix
    widget.fields.report.value = False
    widget.update_plan()
    path = tmp_path / f"record{suffix}"
    widget.save(path)
    wait(widget, qtbot)
    assert widget.status.text().startswith("Written: ")
    found = verify_pattern(read_pattern(path), record_design())
    assert found.matches
    assert found.payload == record_design().symbol.payload


def test_the_instrument_says_which_formats_there_are_and_how_they_are_written(  # type: ignore[no-untyped-def]
    widget, qtbot, tmp_path: Path
) -> None:
    fields = widget.fields
    fields.instrument.value = "Thermo/FEI 16 bit, 25 ns"
    assert fields.format.choices[0] == ".str"
    assert ".gds" not in fields.format.choices
    fields.report.value = False
    widget.save(tmp_path / "a.str")
    wait(widget, qtbot)
    assert (tmp_path / "a.str").read_text().startswith("s16,25ns\n")
    fields.instrument.value = "Raith"
    assert ".gds" in fields.format.choices
    assert ".str" not in fields.format.choices
    assert fields.suffix in fields.format.choices


def test_layouts_may_hold_polygons(widget, qtbot, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    fields = widget.fields
    assert not fields.shapes.native.isEnabled()
    fields.instrument.value, fields.format.value = "generic", ".gds"
    fields.shapes.value, fields.report.value = "polygons", False
    widget.update_plan()
    assert fields.shapes.native.isEnabled()
    widget.save(tmp_path / "a.gds")
    wait(widget, qtbot)
    pattern = read_pattern(tmp_path / "a.gds")
    assert isinstance(pattern, ShapePattern)
    assert max(map(len, pattern.polygons_nm)) > 4
    assert fields.settings()["shapes"] == "polygons"
    fields.apply({"shapes": None})
    assert fields.shapes.value == "rectangles"


def test_a_report_is_written_beside_the_file(widget, qtbot, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    widget.save(tmp_path / "a.str")
    wait(widget, qtbot)
    assert "Report: a.report.html" in widget.status.text()
    assert "Read probability" in widget.status.text()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"a.str", "a.str.json", "a.report.html", "a.report.json"}


def test_limits_of_the_instrument_are_told(widget: FibExport) -> None:
    widget.fields.passes.value, widget.fields.dwell.value = 1, 20_000
    widget.update_plan()
    assert "ms" in widget._rows["Notes"].text()
    assert "more passes" in widget._rows["Notes"].text()


def test_the_fastest_beam_is_chosen_and_the_reason_told(widget: FibExport) -> None:
    widget.fields.beam.value = "fastest Helios G4"
    widget.update_plan()
    assert widget.plan.beam.current_pa == 90
    assert "fastest of Helios G4" in widget._rows["Beam"].text()


def test_corrected_edges_come_from_the_background(widget, qtbot) -> None:  # type: ignore[no-untyped-def]
    widget.fields.correct_edges.value = True
    widget.update_plan()
    assert widget.plan is None
    assert not widget.save_button.isEnabled()
    qtbot.waitUntil(lambda: widget.plan is not None, timeout=20_000)
    assert widget.plan.relative_dose is not None
    assert widget.save_button.isEnabled()
    assert "corrected" in widget._rows["Dose"].text()


def test_the_users_column_materials_and_instrument_are_loaded(  # type: ignore[no-untyped-def]
    widget, viewer, qtbot, tmp_path: Path, own_libraries
) -> None:
    column = replace(find_column(), name="Ours", spots=((20.0, 11.0), (50.0, 16.0)))
    save_column(tmp_path / "column.json", column)
    save_instrument(tmp_path / "instrument.json", replace(find_instrument(), name="Our FIB"))
    widget.load("column", tmp_path / "column.json")
    assert widget.plan.beam.column == "Ours"
    widget.load("instrument", tmp_path / "instrument.json")
    assert "Our FIB" in widget.status.text()
    other = FibExport(viewer)
    qtbot.addWidget(other)
    other.apply_settings(widget.settings())
    assert other.plan.beam == widget.plan.beam
    widget.load("column", tmp_path / "instrument.json")
    assert "column" in widget.status.text()
    assert widget.plan.beam.column == "Ours"


def test_a_file_that_cannot_be_written_is_not_called_written(  # type: ignore[no-untyped-def]
    widget, qtbot, tmp_path: Path
) -> None:
    widget.save(tmp_path / "nowhere" / "record.str")
    wait(widget, qtbot)
    assert "does not exist" in widget.status.text()
    assert "Written" not in widget.status.text()
    assert list(tmp_path.iterdir()) == []


def test_a_plan_that_cannot_work_says_why(widget: FibExport) -> None:
    widget.fields.spacing.value, widget.fields.spacing_value.value = "overlap (%)", 100
    widget.update_plan()
    assert widget.plan is None
    assert widget.status.text()
    assert not widget.save_button.isEnabled()


def test_the_users_calibration_sets_dose_and_depth_range(widget: FibExport) -> None:
    widget.fields.volume.value, widget.fields.uncertainty.value = 0.15, 20
    widget.update_plan()
    assert widget.plan is not None
    assert widget.plan.ion_dose_nc_per_um2 == pytest.approx(0.1, rel=0.02)
    assert widget.plan.depth_range_nm == pytest.approx((12, 18), rel=0.02)


def test_the_prediction_reads_back(viewer, widget, qtbot) -> None:  # type: ignore[no-untyped-def]
    # the path comes by itself a moment later: let it come first, since layers are counted
    qtbot.waitUntil(lambda: "record · beam path" in viewer.layers, timeout=5000)
    widget.predictions.predict()
    assert widget._progress_row.isVisibleTo(widget)
    wait(widget, qtbot)
    assert "Read probability" in widget.status.text()
    assert "times the electrons" in widget.status.text()
    seen, depth = viewer.layers["record · predicted SEM"], viewer.layers["record · depth"]
    for layer in (seen, depth):
        assert [str(unit) for unit in layer.units] == ["nanometer", "nanometer"]
        # both lie over the design
        centre = layer.extent.world.mean(axis=0)
        assert centre == pytest.approx(np.array(record_design().field_size_nm) / 2, abs=10)
    assert np.percentile(depth.data, 99) == pytest.approx(16, abs=3)
    count = len(viewer.layers)
    widget.predictions.predict()
    wait(widget, qtbot)
    assert len(viewer.layers) == count


def test_too_few_electrons_are_bad_news(widget, qtbot) -> None:  # type: ignore[no-untyped-def]
    widget.fields.electrons.value = 3
    widget.predictions.predict()
    wait(widget, qtbot)
    assert "was not read" in widget.status.text()
    assert "Try" in widget.status.text()


def test_windows_are_plotted_and_the_best_dose_is_said(widget, qtbot, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from napari_nanoqr.widgets.window_plot import WindowPlot

    monkeypatch.setattr("napari_nanoqr.widgets.export_jobs.PLOTTED", ("dose",))
    widget.predictions.plot_windows()
    wait(widget, qtbot)
    said = widget.status.text()
    low, high = (float(number) for number in re.findall(r"\d+\.?\d*", said)[:2])
    assert said.startswith("Recommended: ")
    assert low <= 1 < high
    (plot,) = widget.findChildren(WindowPlot)
    assert plot.isVisible()
    assert "record" in plot.windowTitle()
    plot.close()


def test_the_film_in_3d_hides_what_would_cover_it_and_brings_it_back(  # type: ignore[no-untyped-def]
    viewer, widget, qtbot
) -> None:
    qtbot.waitUntil(lambda: "record · beam path" in viewer.layers, timeout=5000)
    own = viewer.add_image(np.zeros((3, 3)), name="mine")
    widget.predictions.show_surface()
    wait(widget, qtbot)
    assert viewer.dims.ndisplay == 3
    assert own.visible
    (surface,) = (layer for layer in viewer.layers if "3-D" in layer.name)
    deepest = surface.data[0][:, 0].max()
    assert deepest == pytest.approx(10 * viewer.layers["record · depth"].data.max(), rel=0.05)
    assert not viewer.layers["record · predicted SEM"].visible
    widget.predictions.show_surface()
    assert viewer.dims.ndisplay == 2
    assert viewer.layers["record · predicted SEM"].visible
    assert surface not in viewer.layers


def test_the_scan_fills_the_milled_modules_in_its_order(viewer, widget, qtbot) -> None:  # type: ignore[no-untyped-def]
    widget.predictions.show_scan()
    wait(widget, qtbot)
    scan = viewer.layers["record · scan"]
    assert scan.data.shape[0] == 100
    assert viewer.dims.ndim == 3
    visited = (scan.data > 0).sum(axis=(1, 2))
    assert (np.diff(visited) > 0).all()
    assert visited[-1] == pytest.approx(widget.plan.n_points, rel=0.01)
    # a serpentine comes down from the top
    first, last = (np.nonzero(scan.data[frame] == 255)[0].mean() for frame in (0, 99))
    assert last > first + 100
    assert scan.scale[0] * 100 * widget.plan.passes / 1000 == pytest.approx(
        widget.plan.beam_on_time_s, rel=1e-3
    )


def test_settings_make_an_equal_plan(widget, viewer, qtbot) -> None:  # type: ignore[no-untyped-def]
    fields = widget.fields
    fields.beam.value = "fastest Helios G4"
    fields.spacing.value, fields.spacing_value.value = "point pitch (nm)", 5
    fields.dwell.value, fields.scan.value = 0.5, "spiral out"
    fields.instrument.value = "Thermo/FEI 12 bit"
    widget.update_plan()
    other = FibExport(viewer)
    qtbot.addWidget(other)
    other.apply_settings(widget.settings())
    assert other.fields.suffix == fields.suffix
    assert other.fields.instrument.value == "Thermo/FEI 12 bit"
    assert other.plan is not None
    for value in ("beam", "point_pitch_nm", "dwell_us", "passes", "scan"):
        assert getattr(other.plan, value) == getattr(widget.plan, value)


def test_the_command_line_takes_the_settings(widget, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    import shlex

    from napari_nanoqr.cli import main
    from napari_nanoqr.cli.settings import command_line

    monkeypatch.chdir(tmp_path)
    record_design().save("record.json")
    widget.fields.volume.value, widget.fields.scan.value = 0.2, "shortest travel"
    widget.fields.beam.value = "fastest Helios G4"
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
