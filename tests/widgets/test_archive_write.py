"""Archive write: plans while the fields change, shows the sheet, writes what the command writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_nanoqr.archive.manifest import ArchiveManifest
from napari_nanoqr.archive.roles import ROLES, grid_shape
from napari_nanoqr.cli import main
from napari_nanoqr.cli.settings import command_line, load_settings, save_settings
from napari_nanoqr.widgets.archive_write import ArchiveWrite
from napari_nanoqr.widgets.layers import parts_of


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "one.txt").write_bytes(b"first" * 1000)
    (tmp_path / "two.bin").write_bytes(bytes(range(256)) * 10)
    return [folder, tmp_path / "two.bin"]


@pytest.fixture
def widget(qtbot: Any) -> ArchiveWrite:
    made = ArchiveWrite(ViewerModel())
    qtbot.addWidget(made)
    return made


def planned(widget: ArchiveWrite, qtbot: Any) -> ArchiveWrite:
    qtbot.waitUntil(lambda: not widget.planner.busy, timeout=30_000)
    return widget


def finished(widget: ArchiveWrite, qtbot: Any) -> ArchiveWrite:
    qtbot.waitUntil(lambda: widget.worker is None, timeout=120_000)
    return widget


def part(widget: ArchiveWrite, name: str) -> Any:
    return parts_of(widget.viewer, widget._group)[name]


def test_a_size_alone_is_planned_as_the_command_plans_it(
    widget: ArchiveWrite, qtbot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    widget.amount.value = "2TB"
    widget.fields.bits.value = 2
    planned(widget, qtbot)
    assert main(["archive", "plan", "--size", "2TB", "--bits-per-pixel", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert widget.plan is not None
    assert json.loads(json.dumps(widget.plan.to_dict())) == told
    density = told["density"]["net_tb_per_a4"]
    assert f"{density:.3g} TB on A4" in widget.headline.text()
    assert f"{told['fields']:,} of 50.18" in widget.labels["Fields"].text()
    assert not widget.write_button.isEnabled()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: setattr(w.amount, "value", "two"), "is no size"),
        (lambda w: setattr(w.fields.sheet, "value", "0.1x0.1"), "too small"),
        (lambda w: setattr(w.fields.sheet, "value", "postcard"), "is no sheet"),
        (lambda w: w.files.add([Path("missing.bin")]), "missing.bin"),
    ],
)
def test_what_cannot_be_planned_is_said_and_no_number_stays(
    widget: ArchiveWrite, qtbot: Any, change: Any, said: str
) -> None:
    planned(widget, qtbot)
    assert widget.labels["Density"].text() != "–"
    change(widget)
    planned(widget, qtbot)
    assert said in widget.status.text()
    assert {label.text() for label in widget.labels.values()} == {"–"}


def test_what_will_not_be_read_is_told_before_it_is_written(
    widget: ArchiveWrite, qtbot: Any
) -> None:
    planned(widget, qtbot)
    assert "will not be read" not in widget.status.text()
    widget.fields.bits.value, widget.fields.spread.value = 2, 20
    planned(widget, qtbot)
    assert "Two bits a module will not be read" in widget.status.text()
    assert widget.labels["Density"].text() != "–"


def test_the_sheet_is_shown_in_true_lengths(
    widget: ArchiveWrite, files: list[Path], qtbot: Any
) -> None:
    widget.files.add(files)
    planned(widget, qtbot)
    assert "letters · 5 kB" in widget.files.list.item(0).text()
    assert widget.plan is not None
    plan, roles, outlines = widget.plan.sheets, part(widget, "roles"), part(widget, "outlines")
    assert {str(unit) for unit in (*roles.units, *outlines.units)} == {"micrometer"}
    assert len(outlines.data) == plan.fields(0)
    # the middle of each tile shows what it is
    for tile in range(plan.tiles(0)):
        number, place = divmod(tile, 4)
        field = plan.field(0, number)
        side = field.side_nm / 2000
        corner = outlines.data[number][0]
        np.testing.assert_allclose(corner, (field.top_nm / 1000, field.left_nm / 1000))
        middle = corner + (np.array(divmod(place, 2)) + 0.5) * side
        row, column = np.rint(roles.world_to_data(middle)).astype(int)
        value = int(np.asarray(roles.data[0])[row, column])
        said = roles.get_status(middle, world=True)["coordinates"]
        content = plan.content(0, tile)
        assert content is not None
        kind = content.kind if content.kind != "member" else ("data", "parity")
        assert ROLES[value] in kind
        assert f"field {number + 1}, tile {tile}: " in said
        assert ROLES[value] in said or "title" in said


def test_layers_of_the_user_and_deleted_ones_are_left_alone(qtbot: Any) -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((8, 8)))
    widget = ArchiveWrite(viewer)
    qtbot.addWidget(widget)
    planned(widget, qtbot)
    assert list(viewer.layers) == [image]
    widget.show_sheet()
    roles = part(widget, "roles")
    viewer.layers.remove(part(widget, "outlines"))
    widget.amount.value = "1 MB"
    planned(widget, qtbot)
    assert list(viewer.layers) == [image, roles]
    assert widget.plan is not None
    assert roles.data[0].shape == grid_shape(widget.plan.sheets, 0)


def test_a_field_of_a_plan_shows_the_control_pages_that_are_written(
    widget: ArchiveWrite, files: list[Path], tmp_path: Path, qtbot: Any
) -> None:
    widget.files.add(files)
    planned(widget, qtbot)
    widget.field.value = 2
    widget.show_field()
    finished(widget, qtbot)
    before = np.array(part(widget, "field").data)
    widget.output.value = tmp_path / "archive"
    widget.fields.jobs.value = 1
    widget.write()
    finished(widget, qtbot)
    assert "Written: 2 files, 7.56 kB" in widget.status.text()
    manifest = ArchiveManifest.load(tmp_path / "archive")
    assert manifest.file_count == 2
    assert widget.written == manifest
    assert not part(widget, "field").visible
    widget.show_field()
    finished(widget, qtbot)
    assert "field-000002.oas" in widget.status.text()
    layer = part(widget, "field")
    assert layer.visible
    np.testing.assert_array_equal(layer.data, before)
    np.testing.assert_allclose(layer.scale, 0.049)
    # what stands there is not written over
    widget.write()
    assert widget.worker is None
    assert "holds an archive already" in widget.status.text()


def test_without_a_folder_it_says_so(widget: ArchiveWrite, files: list[Path], qtbot: Any) -> None:
    widget.files.add(files)
    planned(widget, qtbot)
    widget.write()
    assert "Choose a new folder" in widget.status.text()
    assert widget.worker is None


def test_cancelled_writing_leaves_nothing(
    widget: ArchiveWrite, files: list[Path], tmp_path: Path, qtbot: Any
) -> None:
    widget.files.add(files)
    widget.output.value = tmp_path / "archive"
    planned(widget, qtbot)
    widget.write()
    widget.cancel()
    finished(widget, qtbot)
    assert "Cancelled" in widget.status.text()
    qtbot.waitUntil(lambda: {p.name for p in tmp_path.iterdir()} == {"letters", "two.bin"},
                    timeout=60_000)  # fmt: skip


def test_settings_are_those_of_the_command(
    widget: ArchiveWrite, files: list[Path], tmp_path: Path, qtbot: Any
) -> None:
    fields = widget.fields
    widget.files.add(files)
    fields.rate.value, fields.bits.value, fields.loss.value = "0.5", 2, 2.5
    fields.recipients.value, fields.settling.value = "age1abc 'ssh-ed25519 AAAA'", 0.0
    fields.compress.value, fields.format.value = True, "bmp"
    widget.output.value = tmp_path / "out"
    path = tmp_path / "settings.json"
    save_settings(path, "archive write", widget.settings())
    settings = load_settings(path, "archive write")
    other = ArchiveWrite(ViewerModel())
    qtbot.addWidget(other)
    other.apply_settings(settings)
    assert other.settings() == settings
    assert settings["tile_loss"] == 0.025
    assert settings["recipient"] == ["age1abc", "ssh-ed25519 AAAA"]
    assert settings["settling"] == 0.0
    assert settings["blanking"] is None
    assert command_line("archive write", settings).startswith("nanoqr archive write ")
    planned(widget, qtbot)
    planned(other, qtbot)


def test_the_line_of_the_menu_is_one_that_the_command_takes(
    widget: ArchiveWrite, files: list[Path], tmp_path: Path, qtbot: Any
) -> None:
    widget.files.add(files)
    widget.output.value = tmp_path / "out"
    widget.fields.jobs.value = 1
    planned(widget, qtbot)
    save_settings(tmp_path / "s.json", "archive write", widget.settings())
    assert main(["archive", "write", "--settings", str(tmp_path / "s.json")]) == 0
    assert widget.plan is not None
    assert ArchiveManifest.load(tmp_path / "out").plan.fields(0) == widget.plan.sheets.fields(0)
