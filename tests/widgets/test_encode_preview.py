"""Encode preview: the layers follow the typing, in nm, and nothing typed ever raises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from napari.components import ViewerModel

from napari_nanoqr.design.design import Design
from napari_nanoqr.symbols.decode import decode_modules
from napari_nanoqr.widgets.encode_preview import EncodePreview
from napari_nanoqr.widgets.layers import DARK, KEY, design_of


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def widget(viewer: ViewerModel, qtbot) -> EncodePreview:  # type: ignore[no-untyped-def]
    made = EncodePreview(viewer)
    qtbot.addWidget(made)
    return made


def type_text(widget: EncodePreview, text: str) -> None:
    widget.payload.text.value = text
    widget.update_preview()


def payload_in(viewer: ViewerModel, name: str = "design · modules") -> bytes:
    """What the modules on the canvas say, whatever the metadata claim."""
    zone = 4
    dark = np.asarray(viewer.layers[name].data) == DARK
    return decode_modules(dark[zone:-zone, zone:-zone]).symbol.payload


def test_a_design_is_there_from_the_start(viewer: ViewerModel, widget: EncodePreview) -> None:
    assert [layer.name for layer in viewer.layers] == ["design · modules", "design · outline"]
    assert payload_in(viewer) == widget.payload.text.value.encode()


def test_the_layers_follow_the_typing(viewer, widget, qtbot) -> None:  # type: ignore[no-untyped-def]
    widget.payload.text.value = "typed"
    qtbot.waitUntil(lambda: payload_in(viewer) == b"typed", timeout=2000)
    assert len(viewer.layers) == 2


def test_the_layers_follow_in_3d_too(viewer: ViewerModel, widget: EncodePreview) -> None:
    viewer.dims.ndisplay = 3
    widget.fields.version.value = 6
    type_text(widget, "seen from the side")
    assert payload_in(viewer) == b"seen from the side"
    assert np.ptp(viewer.layers[1].data[0], axis=0) == pytest.approx([41 * 49] * 2)


def test_sizes_are_true_and_in_nm(viewer: ViewerModel, widget: EncodePreview) -> None:
    widget.fields.version.value, widget.fields.pitch.value = 3, 48.5
    widget.update_preview()
    modules, outline = viewer.layers
    for layer in viewer.layers:
        assert [str(unit) for unit in layer.units] == ["nanometer", "nanometer"]
        assert layer.axis_labels == ("y", "x")
    assert modules.data.shape == (37, 37)
    assert modules.scale == pytest.approx([48.5, 48.5])
    # the first module's centre is half a module inside the corner of the outline
    assert modules.translate == pytest.approx([24.25, 24.25])
    symbol, field = outline.data
    assert np.ptp(symbol, axis=0) == pytest.approx([29 * 48.5] * 2)
    assert np.ptp(field, axis=0) == pytest.approx([37 * 48.5] * 2)
    assert field.min(axis=0) == pytest.approx([0, 0])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(max_size=400), kind=st.sampled_from(["text", "hex"]))
def test_nothing_typed_ever_raises(viewer, widget, text: str, kind: str) -> None:  # type: ignore[no-untyped-def]
    widget.payload.kind.value = kind
    type_text(widget, text)
    if widget.design is None:
        assert widget.status.text()
        assert not widget.save_button.isEnabled()
    elif kind == "text":
        # Qt's own text field turns some separators into line ends before we see them
        assert payload_in(viewer) == widget.payload.text.value.encode("utf-8", "surrogatepass")


class TestATooLongPayload:
    def test_says_by_how_much_and_what_would_hold_it(self, widget: EncodePreview) -> None:
        widget.fields.version.value = 2
        type_text(widget, "x" * 40)
        assert "by 14 bytes" in widget.status.text()
        assert "version 3-M" in widget.status.text()

    def test_leaves_the_last_symbol_and_says_so(self, viewer, widget) -> None:  # type: ignore[no-untyped-def]
        type_text(widget, "good")
        type_text(widget, "x" * 5000)
        assert payload_in(viewer) == b"good"
        assert "last symbol that was possible" in widget.status.text()
        type_text(widget, "good again")
        assert payload_in(viewer) == b"good again"


def test_hex_and_files_give_their_exact_bytes(viewer, widget, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    widget.payload.kind.value = "hex"
    type_text(widget, "00 ff\n10")
    assert payload_in(viewer) == b"\x00\xff\x10"
    data = bytes(range(200))
    (tmp_path / "data.bin").write_bytes(data)
    widget.payload.kind.value, widget.payload.file.value = "file", tmp_path / "data.bin"
    widget.update_preview()
    assert payload_in(viewer) == data


def test_a_large_file_is_not_even_read(widget: EncodePreview, tmp_path: Path) -> None:
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(1 << 40)
    widget.payload.kind.value, widget.payload.file.value = "file", tmp_path / "large.bin"
    widget.update_preview()
    assert widget.design is None
    assert "at most" in widget.status.text()


def test_numbers_are_those_of_the_record(widget: EncodePreview) -> None:
    widget.fields.version.value, widget.fields.error.value = 3, "L"
    widget.update_preview()
    shown = {row: label.text() for row, label in widget._rows.items()}
    assert "29 x 29" in shown["Symbol"]
    assert "1.421 µm" in shown["Side"]
    assert "2.019 µm²" in shown["Area"]
    assert "1.64 TB" in shown["A4 sheet"]
    assert "7 wrong codewords of 70" in shown["Errors"]
    assert "1.02 x" in shown["Record"]


class TestASecondDesign:
    def test_stands_beside_the_first(self, viewer, widget) -> None:  # type: ignore[no-untyped-def]
        type_text(widget, "first")
        widget.new_design()
        type_text(widget, "second, which is longer")
        assert payload_in(viewer, "design · modules") == b"first"
        assert payload_in(viewer, "design 2 · modules") == b"second, which is longer"
        first, second = viewer.layers["design · modules"], viewer.layers["design 2 · modules"]
        assert second.extent.world[0, 1] > first.extent.world[1, 1]

    def test_has_a_group_of_its_own(self, viewer, widget) -> None:  # type: ignore[no-untyped-def]
        widget.new_design()
        groups = [layer.metadata[KEY]["group"] for layer in viewer.layers]
        assert len(set(groups)) == 2
        assert groups[0] == groups[1]
        assert groups[2] == groups[3]


class TestLayersOfTheUser:
    def test_are_never_touched(self, viewer, widget) -> None:  # type: ignore[no-untyped-def]
        mine = viewer.add_image(np.zeros((5, 5)), name="design · modules")
        type_text(widget, "another text")
        assert mine.data.shape == (5, 5)
        assert mine in viewer.layers

    def test_may_be_renamed(self, viewer, widget) -> None:  # type: ignore[no-untyped-def]
        viewer.layers[0].name = "my own name"
        type_text(widget, "renamed")
        assert len(viewer.layers) == 2
        assert payload_in(viewer) == b"renamed"

    @pytest.mark.parametrize("gone", [[0], [1], [0, 1]])
    def test_come_back_when_deleted(self, viewer, widget, gone: list[int]) -> None:  # type: ignore[no-untyped-def]
        for layer in [viewer.layers[index] for index in gone]:
            viewer.layers.remove(layer)
        type_text(widget, "back again")
        assert {layer.metadata[KEY]["part"] for layer in viewer.layers} == {"modules", "outline"}
        modules = next(x for x in viewer.layers if x.metadata[KEY]["part"] == "modules")
        assert design_of(modules).symbol.payload == b"back again"


def test_settings_make_an_equal_design(widget, viewer, qtbot) -> None:  # type: ignore[no-untyped-def]
    type_text(widget, "settings")
    widget.fields.error.value, widget.fields.mask.value, widget.fields.pitch.value = "Q", 3, 30.0
    widget.fields.mill.value, widget.fields.quiet_zone.value, widget.fields.name.value = (
        "light",
        2,
        "mine",
    )
    widget.update_preview()
    other = EncodePreview(ViewerModel())
    qtbot.addWidget(other)
    other.apply_settings(widget.settings())
    assert other.design == widget.design


@pytest.mark.parametrize(
    "text", ["-- a text\nwith two lines", "東京都の試料", "試料 7: 窒化クロム"]
)
def test_the_command_line_makes_an_equal_design(widget, text: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    import shlex

    from napari_nanoqr.cli import main
    from napari_nanoqr.cli.settings import command_line

    type_text(widget, text)
    widget.fields.error.value, widget.fields.pitch.value = "H", 31.25
    widget.update_preview()
    words = shlex.split(command_line("encode", widget.settings()))[1:]
    target = tmp_path / "d.json"
    assert main([words[0], "-o", str(target), *words[1:]]) == 0
    assert Design.load(target) == widget.design


@pytest.mark.parametrize("suffix", [".json", ".png", ".svg", ".tif"])
def test_the_design_is_saved(widget: EncodePreview, tmp_path: Path, suffix: str) -> None:
    widget.save(tmp_path / f"a{suffix}")
    assert (tmp_path / f"a{suffix}").stat().st_size > 100
    if suffix == ".json":
        assert Design.load(tmp_path / "a.json") == widget.design
