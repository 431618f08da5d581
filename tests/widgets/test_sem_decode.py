"""The widget SEM decode, mostly without a window."""

from __future__ import annotations

import json
import re
import threading

import numpy as np
import pytest
import segno
import tifffile
from napari.components import ViewerModel

from napari_nanoqr.cli.decode_result import DecodeResult
from napari_nanoqr.design.design import Design
from napari_nanoqr.measuring.record_settings import RecordSettings
from napari_nanoqr.measuring.recording import record_file
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.read import read_micrograph
from napari_nanoqr.sem.write import write_micrograph
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.widgets import decode_results, sem_decode
from napari_nanoqr.widgets.layers import design_layers
from napari_nanoqr.widgets.readers import micrograph_layer
from napari_nanoqr.widgets.sem_decode import SemDecode

URL = b"https://example.org/a"
BINARY = bytes(range(128, 160))
NOTHING_GIVEN = dict.fromkeys(("pixel_size", "pitch", "tilt", "dwell", "current"))


def picture(*payloads: bytes, scale: int = 4, damage: int = 0) -> np.ndarray:
    """Codes side by side, dark on light with some texture; `damage` pixels painted light."""
    parts = []
    for payload in payloads:
        modules = np.pad(encode(payload, error="H").matrix, 5)
        parts.append(np.kron(np.where(modules, 60, 180), np.ones((scale, scale))))
    height = max(len(part) for part in parts)
    image = np.hstack(
        [np.pad(p, ((0, height - len(p)), (0, 0)), constant_values=180) for p in parts]
    )
    image += np.random.default_rng(1).normal(0, 4, image.shape)
    middle = height // 2
    image[middle : middle + damage, middle : middle + damage] = 180
    return image.astype(np.uint8)


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def widget(qtbot, viewer):
    made = SemDecode(viewer)
    qtbot.addWidget(made)
    return made


@pytest.fixture
def decode(qtbot, widget):
    def run():
        widget.decode()
        qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)
        return widget.status.text()

    return run


def table(widget):
    rows, columns = widget.results.table.rowCount(), widget.results.table.columnCount()
    return [[widget.results.table.item(r, c).text() for c in range(columns)] for r in range(rows)]


class TestTheImage:
    def test_without_one_it_says_what_to_do(self, widget, decode):
        assert widget.status.text() == sem_decode.OPEN_ONE
        assert decode() == sem_decode.OPEN_ONE

    def test_other_layers_are_not_offered(self, viewer, widget):
        viewer.add_labels(np.zeros((9, 9), dtype=int))
        viewer.add_points(np.zeros((1, 2)))
        assert widget.image.value is None

    def test_its_pixel_size_is_told_with_its_source(self, viewer, widget):
        data, options, _ = micrograph_layer(Micrograph(picture(URL), (12.0, 12.0), "Zeiss tag"))
        layer = viewer.add_image(data, **options)
        assert "Pixel size 12 nm (Zeiss tag)" in widget.found.value
        layer.scale = (0.02, 0.02)
        layer.units = ("um", "um")
        assert "Pixel size 20 nm (layer scale, µm; the file said 12 nm)" in widget.found.value
        widget.pixel_size.value = 7.5
        assert "Pixel size 7.5 nm (given)" in widget.found.value

    def test_an_unknown_pixel_size_says_what_to_do(self, viewer, widget):
        viewer.add_image(picture(URL))
        assert "Enter it, or the reader will search for the scale." in widget.found.value

    def test_frames_can_be_chosen_for_a_stack_only(self, viewer, widget):
        viewer.add_image(np.zeros((9, 9)))
        assert widget.frames.native.isHidden()
        viewer.add_image(np.zeros((3, 9, 9)))
        assert not widget.frames.native.isHidden()
        assert "3 frames" in widget.found.value

    def test_an_image_that_was_left_is_no_longer_listened_to(self, viewer, widget):
        first = viewer.add_image(np.zeros((9, 9)))
        viewer.add_image(np.zeros((3, 5, 5)))
        first.scale = (3, 3)
        assert "5 × 5 px · 3 frames" in widget.found.value
        viewer.layers.clear()
        assert widget.found.native.isHidden()
        assert widget.status.text() == sem_decode.OPEN_ONE


class TestDecode:
    @pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", "with NaN", "colour", "stack"])
    def test_every_kind_of_image(self, viewer, widget, decode, kind):
        image = picture(URL)
        rgb = kind == "colour"
        if kind == "colour":
            image = np.stack([image, image, image], axis=-1)
        elif kind == "stack":
            noise = np.random.default_rng(2).normal(0, 30, (6, *image.shape))
            image = np.clip(image + noise, 0, 255).astype(np.uint8)
        elif kind == "with NaN":
            image = image.astype(np.float32)
            image[:6, :6] = np.nan
        else:
            image = image.astype(kind) * (257 if kind == "uint16" else 1)
        viewer.add_image(image, scale=(12,) * 2 if kind != "stack" else (1, 12, 12),
                         units=("nm",) * 2 if kind != "stack" else ("pixel", "nm", "nm"),
                         rgb=rgb, contrast_limits=None if rgb else (0, 255))  # fmt: skip
        assert decode().startswith("1 code read")
        assert widget.results.table.selected.payload == URL
        assert widget.results.table.selected.pitch_nm == pytest.approx(48, abs=0.3)

    def test_the_status_tells_count_margin_and_pitch(self, viewer, decode):
        viewer.add_image(picture(URL), scale=(12, 12), units=("nm", "nm"))
        status = decode().replace("\N{NO-BREAK SPACE}", " ")
        assert re.fullmatch(
            r"1 code read · readable with [0-9.]+ % of the electrons · pitch 48 nm", status
        )

    def test_several_codes_get_a_row_each_and_layers(self, viewer, widget, decode):
        viewer.add_image(picture(URL, BINARY), name="two")
        assert decode().startswith("2 codes read · worst ")
        rows = table(widget)
        assert {row[0] for row in rows} == {URL.decode(), f"hex {BINARY.hex(' ')}"}
        assert {row[4] for row in rows} == {"4.00 px"}
        assert {row[6] for row in rows} == {"as encoded"}
        assert [layer.name for layer in viewer.layers] == [
            "two", "two · modules", "two · confidence", "two · repaired", "two · codes",
        ]  # fmt: skip
        assert set(viewer.layers["two · codes"].features["payload"]) == {URL.decode(), BINARY.hex()}

    def test_mirrored_and_turned_codes_say_so(self, viewer, widget, decode):
        viewer.add_image(picture(URL)[:, ::-1])
        decode()
        assert table(widget)[0][6] == "mirrored"
        viewer.add_image(np.rot90(255 - picture(URL), -1))
        decode()
        assert table(widget)[0][5:7] == ["90.0°", "inverted"]

    def test_damage_is_shown_where_it_is(self, viewer, widget, decode):
        viewer.add_image(picture(URL, damage=20), name="hurt")
        decode()
        reading = widget.results.table.selected
        assert reading.corrected_codewords > 0
        assert table(widget)[0][7].startswith(f"{reading.corrected_codewords} (")
        repaired = viewer.layers["hurt · repaired"].data
        middle = picture(URL).shape[0] // 2
        assert len(repaired) > 5
        assert ((repaired > middle - 3) & (repaired < middle + 23)).all(axis=1).mean() > 0.9

    def test_only_the_region_is_read(self, viewer, widget, decode):
        image = picture(URL, b"other")
        layer = viewer.add_image(image, scale=(12, 12), units=("nm", "nm"))
        half = image.shape[1] // 2 * 12
        region = viewer.add_shapes(
            [[[0, half + 100], [0, 2 * half], [1900, 2 * half], [1900, half + 100]]],
            units=("nm", "nm"),
        )
        assert widget.region.value is None
        widget.region.value = region
        assert widget.image.value is layer
        decode()
        assert [row[0] for row in table(widget)] == ["other"]
        corners = viewer.layers[f"{layer.name} · codes"].data[0]
        assert corners[:, 1].min() > half

    def test_a_region_without_shapes_says_so(self, viewer, widget, decode):
        viewer.add_image(picture(URL))
        widget.draw_region()
        assert widget.region.value.name.endswith("· region")
        assert widget.region.value.mode == "add_rectangle"
        assert "has no shapes" in decode()

    def test_the_current_frame_alone_can_be_read(self, viewer, widget, decode):
        stack = np.stack([picture(b"one"), picture(b"two")])
        viewer.add_image(stack)
        widget.frames.value = "current"
        for frame, payload in ((0, "one"), (1, "two")):
            viewer.dims.set_point(0, frame)
            decode()
            assert [row[0] for row in table(widget)] == [payload]

    @pytest.mark.parametrize(
        ("image", "sentence"),
        [
            (np.full((60, 60), np.nan), "every pixel is NaN"),
            (np.full((60, 60), 9), "This image is 9 everywhere"),
        ],
    )
    def test_an_image_with_nothing_in_it_says_so(self, viewer, decode, image, sentence):
        viewer.add_image(image, contrast_limits=(0, 1))
        assert sentence in decode()

    def test_without_a_code_it_says_what_to_try(self, viewer, widget, decode):
        noise = np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)
        layer = viewer.add_image(picture(URL))
        decode()
        layer.data = noise
        status = decode()
        assert status.startswith("No code was found. Try this: enter the pixel size and the pitch")
        assert "draw a region" in status
        assert widget.results.table.isHidden()
        assert list(viewer.layers) == [layer]

    def test_a_code_that_could_not_be_read_is_outlined_and_says_why(self, viewer, widget, decode):
        design = Design(encode(b"a" * 50, "L"))
        data, options, _ = micrograph_layer(
            simulate_micrograph(design, electrons_per_pixel=8, rotation_deg=20, seed=1)
        )
        viewer.add_image(data, **(options | {"name": "faint"}))
        widget.pitch.value = 49
        status = decode()
        assert status.startswith("A code was seen, but could not be read: version 3-L, pitch 4")
        assert "times as long, or average" in status
        assert [layer.name for layer in viewer.layers] == ["faint", "faint · unread"]
        outline = viewer.layers["faint · unread"]
        assert list(outline.features["label"]) == ["not read: version 3-L"]
        assert outline.metadata["nanoqr"]["unread"][0]["dose_factor"] > 1
        assert widget.results.table.isHidden()
        assert not widget.results.json_button.isHidden()
        assert widget.results.record()["failed_stage"] == "decode"

    def test_dose_and_wrong_modules_are_told(self, viewer, widget, decode):
        design = Design(encode(b"a" * 50, "L"))
        data, options, _ = micrograph_layer(
            simulate_micrograph(design, electrons_per_pixel=60, rotation_deg=20, seed=1)
        )
        viewer.add_image(data, **(options | {"name": "image"}))
        decode()
        said = widget.results.facts.text()
        assert re.search(r"^\d of 841 modules read wrong \(0(\.\d+)? %\)$", said, re.MULTILINE)
        assert re.search(r"^The noise could be [12]\.\d+ times as strong$", said, re.MULTILINE)
        dose = re.search(r"of the electrons: ([0-9.]+) electrons a pixel, 0\.\d+ per nm²", said)
        assert dose is not None
        assert 8 < float(dose[1]) < 30
        confidence = viewer.layers["image · confidence"]
        values = confidence.data[np.isfinite(confidence.data)]
        assert 0.5 <= values.min() < 0.9
        assert np.median(values) > 0.98

    def test_with_a_design_the_differences_are_shown(self, viewer, widget, decode):
        design = Design(encode(b"a" * 17, "L"), name="mine")
        data, options, _ = micrograph_layer(
            simulate_micrograph(design, electrons_per_pixel=9, rotation_deg=20, seed=1)
        )
        image = viewer.add_image(data, **(options | {"name": "faint"}))
        for layer in design_layers(design, "mine"):
            viewer.add_layer(layer)
        assert widget.design.value is None
        assert widget.image.value is image
        widget.design.value = viewer.layers["mine · modules"]
        decode()
        said = widget.results.compared.text()
        assert re.match(r"mine: \d+ of 441 modules differ \(1?\d\.?\d* %\)", said)
        assert "no longer readable" in said
        layer = viewer.layers["faint · differences"]
        values = layer.data[np.isfinite(layer.data)]
        assert values.min() < 0.3
        assert np.median(values) > 0.8
        assert layer.metadata["nanoqr"]["comparisons"][0]["readable"] is False
        assert widget.results.record()["comparisons"][0]["design"] == "mine"
        widget.design.value = None
        decode()
        assert "faint · differences" not in viewer.layers
        assert widget.results.compared.isHidden()

    def test_a_design_that_is_not_there_is_said_not_to_be(self, viewer, widget, decode):
        viewer.add_image(picture(URL))
        for layer in design_layers(Design(encode(b"other", "H")), "other"):
            viewer.add_layer(layer)
        widget.design.value = viewer.layers["design · modules"]
        assert decode().startswith("1 code read")
        assert widget.results.compared.text() == "The design was not found in this image."

    def test_a_set_of_codes_is_joined(self, viewer, widget, decode):
        symbols = segno.make_sequence("one message in two codes", symbol_count=2, error="m")
        parts = [
            np.kron(np.pad(np.array(list(symbol.matrix)) == 1, 4), np.ones((4, 4)))
            for symbol in symbols
        ]
        viewer.add_image(np.hstack(parts) * -180 + 200)
        decode()
        assert widget.results.sets.text() == "set of 2 codes, joined: one message in two codes"
        assert re.match("Number [12] of a set of 2\n", widget.results.facts.text())

    def test_a_second_reading_updates_the_layers(self, viewer, decode):
        layer = viewer.add_image(picture(URL), name="image")
        decode()
        viewer.layers.remove(viewer.layers["image · modules"])
        viewer.layers["image · codes"].name = "kept"
        layer.data = picture(b"something else")
        decode()
        assert [other.name for other in viewer.layers] == [
            "image", "image · confidence", "image · repaired", "kept", "image · modules",
        ]  # fmt: skip
        assert list(viewer.layers["kept"].features["payload"]) == ["something else"]

    def test_result_layers_are_not_offered_as_image_or_region(self, viewer, widget, decode):
        layer = viewer.add_image(picture(URL))
        decode()
        assert widget.image.choices == (layer,)
        assert widget.region.choices == ()


class TestWhileItRuns:
    @pytest.fixture
    def gate(self, monkeypatch):
        """Hold the reading until the gate opens."""
        gate, entered = threading.Event(), threading.Event()
        real = sem_decode.read_regions

        def slow(source, boxes, pitch, progress, cancelled):
            entered.set()
            progress(1, 4, "trying")
            while not gate.wait(0.01):
                if cancelled():
                    return []
            return real(source, boxes, pitch, progress, cancelled)

        monkeypatch.setattr(sem_decode, "read_regions", slow)
        yield gate
        gate.set()

    def finish(self, qtbot, widget):
        qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)

    def test_it_tells_what_it_does_and_cancel_ends_it(self, qtbot, viewer, widget, gate):
        viewer.add_image(picture(URL))
        widget.decode()
        qtbot.waitUntil(lambda: widget.status.text() == "trying", timeout=5000)
        assert not widget.decode_button.isEnabled()
        assert not widget._progress_row.isHidden()
        widget.cancel_button.click()
        self.finish(qtbot, widget)
        assert widget.status.text().startswith("Cancelled")
        assert widget.decode_button.isEnabled()
        assert len(viewer.layers) == 1

    def test_the_image_may_be_deleted(self, qtbot, viewer, widget, gate):
        viewer.add_image(picture(URL), name="gone")
        widget.decode()
        viewer.layers.clear()
        gate.set()
        self.finish(qtbot, widget)
        assert "1 code read" in widget.status.text()
        assert "gone is no longer here" in widget.status.text()
        assert len(viewer.layers) == 0
        widget.results.table.picked.emit(widget.results.table.selected)

    def test_another_image_may_be_chosen(self, qtbot, viewer, widget, gate):
        viewer.add_image(picture(URL), name="first")
        widget.decode()
        viewer.add_image(picture(b"second"), name="second")
        gate.set()
        self.finish(qtbot, widget)
        assert widget.results.heading.text() == "Codes in first"
        assert "first · codes" in viewer.layers
        assert "second · codes" not in viewer.layers


class TestResults:
    @pytest.fixture
    def opened(self, viewer, widget, decode, tmp_path):
        path = tmp_path / "Image_012.tif"
        write_micrograph(Micrograph(picture(URL, BINARY), (12.0, 12.0), "made here"), path)
        data, options, _ = micrograph_layer(read_micrograph(path))
        viewer.add_image(data, **options)
        decode()
        return path

    def row_of(self, widget, payload):
        return next(i for i, r in enumerate(widget.results.table.readings) if r.payload == payload)

    def test_json_is_what_the_command_prints(self, widget, opened, tmp_path):
        widget.results.save_json(tmp_path / "out.json")
        saved = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
        record = record_file(opened, RecordSettings(measure=False))
        assert saved == DecodeResult.of(record).to_dict()

    def test_bytes_are_saved_exactly(self, widget, opened, tmp_path):
        for payload in (URL, BINARY):
            widget.results.table.selectRow(self.row_of(widget, payload))
            widget.results.save_bytes(tmp_path / "out.bin")
            assert (tmp_path / "out.bin").read_bytes() == payload

    def test_copy_gives_text_or_hex(self, qapp, widget, opened):
        for payload, text in ((URL, URL.decode()), (BINARY, BINARY.hex())):
            widget.results.table.selectRow(self.row_of(widget, payload))
            widget.results.copy()
            assert qapp.clipboard().text() == text

    def test_a_selected_row_is_shown_in_full_and_in_the_middle(self, viewer, widget, opened):
        row = self.row_of(widget, BINARY)
        widget.results.table.selectRow(1 - row)
        widget.results.table.selectRow(row)
        assert widget.results.payload.toPlainText() == f"32 bytes, hex {BINARY.hex(' ')}"
        middle = widget.results.table.selected.corners_yx.mean(axis=0) * 12
        assert viewer.scene.camera.center[-2:] == pytest.approx(tuple(middle), rel=1e-3)

    def test_a_file_that_cannot_be_written_says_so(self, widget, opened, tmp_path, monkeypatch):
        missing = tmp_path / "missing" / "out.json"
        monkeypatch.setattr(
            decode_results.QFileDialog, "getSaveFileName", lambda *_: (str(missing), "")
        )
        widget.results._ask_and_save_json()
        assert "missing does not exist" in widget.status.text()

    def test_nothing_was_decoded_yet(self, widget, tmp_path):
        with pytest.raises(ValueError, match="Nothing was decoded"):
            widget.results.save_json(tmp_path / "out.json")
        with pytest.raises(ValueError, match="no code to save"):
            widget.results.save_bytes(tmp_path / "out.bin")
        assert list(tmp_path.iterdir()) == []


class TestSettings:
    def test_have_the_names_of_the_command_and_come_back(self, qtbot, viewer, widget):
        widget.pixel_size.value, widget.pitch.value = 6.1, 49
        settings = widget.settings()
        assert settings == {"": [], **NOTHING_GIVEN, "pixel_size": 6.1, "pitch": 49}
        other = SemDecode(ViewerModel())
        qtbot.addWidget(other)
        other.apply_settings(settings)
        assert other.settings() == settings
        other.apply_settings({"pixel_size": None, "pitch": None, "unknown": 3})
        assert other.settings() == {"": [], **NOTHING_GIVEN}

    def test_name_the_file_and_a_pixel_size_that_it_does_not_tell(self, viewer, widget, tmp_path):
        path = tmp_path / "plain.tif"
        tifffile.imwrite(path, picture(URL))
        micrograph = Micrograph(picture(URL), (12.0, 12.0), "Zeiss tag", path=path)
        data, options, _ = micrograph_layer(micrograph)
        layer = viewer.add_image(data, **options)
        assert widget.settings() == {"": [str(path)], **NOTHING_GIVEN}
        layer.scale = (6, 6)
        assert widget.settings()["pixel_size"] == pytest.approx(6)

    def test_pick_their_image_where_it_is_open(self, viewer, widget, tmp_path):
        layers = []
        for name in ("a", "b"):
            micrograph = Micrograph(picture(URL), None, None, path=tmp_path / f"{name}.tif")
            data, options, _ = micrograph_layer(micrograph)
            layers.append(viewer.add_image(data, **options))
        widget.apply_settings({"": [str(tmp_path / "a.tif")]})
        assert widget.image.value is layers[0]


@pytest.mark.viewer
def test_in_a_window_from_the_plugins_menu(installed_plugin, make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    _, widget = viewer.window.add_plugin_dock_widget("napari-nanoqr", "SEM decode")
    image = viewer.add_image(picture(URL), name="seen", scale=(12, 12), units=("nm", "nm"))
    assert widget.image.value is image
    widget.decode_button.click()
    qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)
    assert widget.status.text().startswith("1 code read")
    assert viewer.layers.selection.active is image
    assert {"seen · modules", "seen · repaired", "seen · codes"} <= {
        layer.name for layer in viewer.layers
    }
    assert [str(unit) for unit in viewer.layers.extent.units] == ["nanometer", "nanometer"]
    before = viewer.scene.camera.zoom
    widget.results.table.picked.emit(widget.results.table.selected)
    assert viewer.scene.camera.zoom != before
    viewer.layers.remove(viewer.layers["seen · codes"])
    widget.decode_button.click()
    qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)
    assert "seen · codes" in viewer.layers
