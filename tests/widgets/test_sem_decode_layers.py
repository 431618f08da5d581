"""How readings look in napari: outlines, modules and repaired modules on the image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Points, Shapes

from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.unread import Unread
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.widgets.layers import DARK, LIGHT
from napari_nanoqr.widgets.module_raster import module_map, module_raster
from napari_nanoqr.widgets.planes import plane_of
from napari_nanoqr.widgets.reading_layers import is_reading, look_at, update_reading_layers
from napari_nanoqr.widgets.reading_words import label_of
from napari_nanoqr.widgets.shown import Shown

MODULES = encode(b"CrN", error="H").matrix
SIDE = len(MODULES)
PITCH = 4.0


def reading(corner=(40.0, 60.0), degrees=0.0, **changes) -> Reading:
    """A code of 21 modules of 4 pixels whose top left corner lies at `corner`."""
    turn = np.deg2rad(degrees)
    right = np.array([np.sin(turn), np.cos(turn)]) * SIDE * PITCH
    down = np.array([np.cos(turn), -np.sin(turn)]) * SIDE * PITCH
    first = np.array(corner)
    wrong = np.zeros_like(MODULES)
    wrong[3, 5] = wrong[12, 9] = True
    made = Reading(
        payload=b"CrN", text="CrN", symbology="QR", version=1, error="H", mask=2,
        corners_yx=np.array([first, first + right, first + right + down, first + down]),
        mirrored=False, inverted=False, pitch_px=PITCH, pitch_nm=48.9, rotation_deg=degrees,
        corrected_codewords=1, confidence=1.0, reader="zxing-cpp", preparation="as it is",
        corrected_per_block=(1,), correctable_per_block=8, matrix=MODULES, wrong=wrong,
    )  # fmt: skip
    return replace(made, **changes)


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def image(viewer):
    return viewer.add_image(
        np.zeros((200, 300)), name="Image_012", scale=(6, 6), translate=(50, 70), rotate=20,
        units=("nm", "nm"), axis_labels=("y", "x"),
    )  # fmt: skip


def shown(viewer, image, *readings):
    return update_reading_layers(viewer, image, plane_of(viewer, image), Shown.of(readings))


def names(viewer):
    return [layer.name for layer in viewer.layers]


class TestLayers:
    def test_are_named_after_the_image_and_lie_on_top_of_it(self, viewer, image):
        layers = shown(viewer, image, reading())
        assert names(viewer) == [
            "Image_012", "Image_012 · modules", "Image_012 · repaired", "Image_012 · codes",
        ]  # fmt: skip
        assert isinstance(layers["codes"], Shapes)
        assert isinstance(layers["repaired"], Points)
        assert isinstance(layers["modules"], Image)
        assert all(is_reading(layer) for layer in layers.values())
        assert not is_reading(image)

    def test_are_in_nm_with_axes(self, viewer, image):
        for layer in shown(viewer, image, reading()).values():
            assert [str(unit) for unit in layer.units] == ["nanometer", "nanometer"]
            assert layer.axis_labels == ("y", "x")
        assert viewer.layers.extent.units is not None

    def test_leave_the_active_layer_active(self, viewer, image):
        viewer.layers.selection.active = image
        shown(viewer, image, reading())
        assert viewer.layers.selection.active is image

    def test_outlines_lie_on_the_image_whatever_was_done_to_it(self, viewer, image):
        image.affine = np.array([[1.1, 0.2, 5], [0, 0.9, 8], [0, 0, 1]])
        code = reading(degrees=33)
        layer = shown(viewer, image, code)["codes"]
        back = [image.world_to_data(layer.data_to_world(point)) for point in layer.data[0]]
        assert np.allclose(back, code.corners_yx, atol=1e-3)

    def test_modules_lie_on_the_image_whatever_was_done_to_it(self, viewer, image):
        image.affine = np.array([[1.1, 0.2, 5], [0, 0.9, 8], [0, 0, 1]])
        code = reading(degrees=33)
        layer = shown(viewer, image, code)["modules"]
        right, down = (code.corners_yx[[1, 3]] - code.corners_yx[0]) / SIDE
        for row, column in np.ndindex(MODULES.shape):
            place = code.corners_yx[0] + (row + 0.5) * down + (column + 0.5) * right
            here = layer.world_to_data(image.data_to_world(place))
            expected = DARK if MODULES[row, column] else LIGHT
            assert layer.data[tuple(np.rint(here).astype(int))] == expected

    def test_repaired_modules_lie_in_their_place_with_row_and_column(self, viewer, image):
        layer = shown(viewer, image, reading())["repaired"]
        back = [image.world_to_data(layer.data_to_world(point)) for point in layer.data]
        assert np.allclose(back, [(40 + 3.5 * 4, 60 + 5.5 * 4), (40 + 12.5 * 4, 60 + 9.5 * 4)])
        assert list(layer.features["row"]) == [3, 12]
        assert list(layer.features["column"]) == [5, 9]
        assert list(layer.features["code"]) == [1, 1]
        assert np.allclose(layer.size, 4 * 6)

    def test_a_table_of_features_tells_what_was_read(self, viewer, image):
        binary = reading((40.0, 160.0), payload=b"\xff\x00", text=None, pitch_nm=None)
        layer = shown(viewer, image, reading(), binary)["codes"]
        assert list(layer.features["payload"]) == ["CrN", "ff00"]
        assert list(layer.features["error"]) == ["H", "H"]
        assert layer.features["pitch_nm"][0] == 48.9
        assert np.isnan(layer.features["pitch_nm"][1])
        assert layer.text.values.tolist() == ["CrN", "hex ff 00"]

    def test_many_codes_have_short_labels(self, viewer, image):
        long = [reading((40.0, 100.0 * i), text="abcdefghijklmnopqrstuvwxyz") for i in range(5)]
        layer = shown(viewer, image, *long)["codes"]
        assert layer.text.values.tolist() == ["abcdefg…uvwxyz"] * 5

    def test_an_image_in_micrometres_keeps_its_unit(self, viewer):
        image = viewer.add_image(np.zeros((200, 300)), scale=(0.006, 0.006), units=("um", "um"))
        layer = shown(viewer, image, reading())["codes"]
        assert np.allclose(layer.data[0][0], np.array([40, 60]) * 0.006)
        assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer"]

    def test_an_image_without_unit_does_not_get_one(self, viewer):
        image = viewer.add_image(np.zeros((200, 300)))
        layer = shown(viewer, image, reading())["codes"]
        assert [str(unit) for unit in layer.units] == ["pixel", "pixel"]

    def test_a_stack_shows_them_on_every_frame(self, viewer):
        image = viewer.add_image(
            np.zeros((5, 200, 300)), scale=(1, 6, 6), units=("pixel", "nm", "nm")
        )
        layers = shown(viewer, image, reading())
        assert {layer.ndim for layer in layers.values()} == {2}
        assert np.allclose(layers["codes"].data[0][0], (240, 360))

    @pytest.mark.parametrize("order", [(0, 2, 1), (1, 0, 2), (2, 1, 0)])
    def test_other_axes_on_the_screen(self, viewer, order):
        image = viewer.add_image(np.zeros((250, 200, 300)), scale=(2, 6, 7), name="cube")
        viewer.dims.order = order
        viewer.dims.set_point(order[0], 2 * image.scale[order[0]])
        code = reading()
        layers = shown(viewer, image, code)
        corner = np.zeros(3)
        corner[list(order[-2:])] = (40, 60)
        corner *= image.scale
        corner[order[0]] = viewer.dims.point[order[0]]
        ndim = layers["codes"].ndim
        assert np.allclose(layers["codes"].data[0][0], corner[-ndim:])
        place = corner.copy()
        place[list(order[-2:])] += 2 * image.scale[list(order[-2:])]
        modules = layers["modules"]
        at = np.rint(modules.world_to_data(place)).astype(int)
        assert modules.data[tuple(at)] == DARK


class TestConfidence:
    def weighed(self, **changes):
        likelihoods = np.where(MODULES, -6, 6).astype(np.float32)
        likelihoods[2, 7] = 0.4
        return reading(likelihoods=likelihoods, **changes)

    def test_is_the_probability_of_each_module(self, viewer, image):
        image.affine = np.array([[1.1, 0.2, 5], [0, 0.9, 8], [0, 0, 1]])
        code = self.weighed(degrees=33)
        layer = shown(viewer, image, code)["confidence"]
        right, down = (code.corners_yx[[1, 3]] - code.corners_yx[0]) / SIDE
        for (row, column), expected in (((2, 7), 0.5987), ((2, 8), 0.9975), ((20, 3), 0.9975)):
            place = code.corners_yx[0] + (row + 0.5) * down + (column + 0.5) * right
            here = layer.world_to_data(image.data_to_world(place))
            value = layer.data[tuple(np.rint(here).astype(int))]
            assert value == pytest.approx(expected, abs=1e-3)
        assert tuple(layer.contrast_limits) == (0.5, 1)
        assert np.isnan(layer.data[0, 0])

    def test_is_left_out_where_modules_were_not_weighed(self, viewer, image):
        assert "confidence" in shown(viewer, image, self.weighed())
        assert "confidence" not in shown(viewer, image, reading())
        assert "Image_012 · confidence" not in names(viewer)


class TestUnread:
    def seen(self):
        return Unread(
            corners_yx=reading((40.0, 170.0)).corners_yx, symbology="QR", version=1, error="L",
            mask=3, mirrored=False, inverted=False, pitch_px=PITCH, pitch_nm=48.9,
            rotation_deg=0.0, failed_stage="decode", expected_error_rate=0.1, blocks=1,
            failed_blocks=(0,), dose_factors=(2.5,), advice="Dwell 2.5 times as long.",
        )  # fmt: skip

    def test_has_an_outline_of_its_own(self, viewer, image):
        plane = plane_of(viewer, image)
        layers = update_reading_layers(viewer, image, plane, Shown.of([reading()], [self.seen()]))
        back = [image.world_to_data(layers["unread"].data[0][0])]
        assert np.allclose(back, [(40, 170)], atol=1e-3)
        assert list(layers["unread"].features["dose_factor"]) == [2.5]
        assert len(layers["codes"].data) == 1

    def test_stands_alone_where_nothing_was_read(self, viewer, image):
        plane = plane_of(viewer, image)
        shown(viewer, image, reading())
        layers = update_reading_layers(viewer, image, plane, Shown.of([], [self.seen()]))
        assert set(layers) == {"unread"}
        assert names(viewer) == ["Image_012", "Image_012 · unread"]


class TestASecondReading:
    def test_updates_its_own_layers_whatever_they_are_called(self, viewer, image):
        before = shown(viewer, image, reading())
        before["codes"].name = "mine now"
        after = shown(viewer, image, reading((20.0, 30.0)), reading((20.0, 150.0)))
        assert after == before
        assert "mine now" in names(viewer)
        assert len(after["codes"].data) == 2
        assert len(after["codes"].features) == 2
        assert len(after["repaired"].data) == 4
        assert len(viewer.layers) == 4

    def test_brings_back_what_was_deleted(self, viewer, image):
        layers = shown(viewer, image, reading())
        viewer.layers.remove(layers["modules"])
        shown(viewer, image, reading())
        assert len(viewer.layers) == 4

    def test_leaves_other_layers_alone(self, viewer, image):
        user = viewer.add_shapes([np.eye(2) * 9], shape_type="line", name="Image_012 · codes")
        other = viewer.add_image(np.zeros((200, 300)), name="other")
        shown(viewer, other, reading())
        shown(viewer, image, reading())
        assert len(user.data) == 1
        assert len(viewer.layers) == 3 + 2 * 3

    def test_works_while_the_viewer_shows_3d(self, viewer, image):
        shown(viewer, image, reading())
        viewer.dims.ndisplay = 3
        layers = shown(viewer, image, reading((20.0, 30.0)), reading((20.0, 150.0)))
        assert len(layers["codes"].data) == len(layers["codes"].features) == 2
        viewer.dims.ndisplay = 2
        assert len(layers["codes"].data) == 2

    def test_without_a_code_takes_them_away(self, viewer, image):
        user = viewer.add_points(np.zeros((1, 2)))
        shown(viewer, image, reading())
        assert shown(viewer, image) == {}
        assert list(viewer.layers) == [image, user]

    def test_without_a_repair_has_no_points(self, viewer, image):
        shown(viewer, image, reading())
        layers = shown(viewer, image, reading(wrong=None))
        assert len(layers["repaired"].data) == 0
        again = shown(viewer, image, reading())
        assert len(again["repaired"].data) == 2


class TestModules:
    def test_follow_four_corners_in_perspective(self):
        corners = np.array([[10.0, 12.0], [14.0, 95.0], [100.0, 110.0], [88.0, 7.0]])
        matrix = module_map(corners, MODULES.shape)
        for (row, column), corner in zip(
            [(0, 0), (0, SIDE), (SIDE, SIDE), (SIDE, 0)], corners, strict=True
        ):
            y, x, w = matrix @ (row, column, 1)
            assert (y / w, x / w) == pytest.approx(tuple(corner))

    def test_are_drawn_exactly_where_nothing_is_turned(self):
        labels, step, corner = module_raster([reading()])
        assert step == 0.5
        assert corner == (40.25, 60.25)
        assert np.array_equal(labels[4::8, 4::8] == DARK, MODULES)
        assert labels.min() == LIGHT

    def test_a_mirrored_code_is_drawn_mirrored(self):
        straight = reading()
        mirrored = replace(straight, mirrored=True, corners_yx=straight.corners_yx[[1, 0, 3, 2]])
        labels, *_ = module_raster([mirrored])
        assert np.array_equal(labels[4::8, 4::8] == DARK, MODULES[:, ::-1])

    def test_several_codes_share_a_picture(self):
        labels, *_ = module_raster([reading(), reading((40.0, 400.0))])
        assert np.array_equal(labels[4::8, -164::8] == DARK, MODULES)
        assert not labels[:, 168:-168].any()

    def test_a_large_image_makes_no_larger_picture_than_needed(self):
        labels, *_ = module_raster([reading(), reading((9000.0, 9000.0))])
        assert max(labels.shape) <= 4096
        assert labels[:20, :20].any()

    def test_a_code_whose_modules_are_not_known_is_left_out(self, viewer, image):
        labels, *_ = module_raster([reading(matrix=None)])
        assert not labels.any()
        layers = shown(viewer, image, reading(matrix=None))
        assert len(layers["codes"].data) == 1


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"text": "one\n two"}, "one two"),
        ({"text": "x" * 50 + "end"}, "x" * 16 + "…" + "x" * 12 + "end"),
        ({"text": None, "payload": b"\x01\xab"}, "hex 01 ab"),
        ({"text": ""}, ""),
    ],
)
def test_labels_are_short(changes, label):
    assert label_of(reading(**changes)) == label


def test_the_camera_moves_to_a_code(viewer, image):
    shown(viewer, image, reading(), reading((40.0, 200.0)))
    look_at(viewer, image, plane_of(viewer, image), reading((40.0, 200.0)))
    middle = image.data_to_world((40 + 42, 200 + 42))
    assert viewer.scene.camera.center[-2:] == pytest.approx(middle)
    side = SIDE * PITCH * 6
    assert 0.3 < viewer.scene.camera.zoom * side / min(viewer.canvas.size) < 0.6
