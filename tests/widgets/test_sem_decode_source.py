"""What SEM decode takes from an image layer: pixels, their size, regions."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel

from napari_nanoqr.sem.given import Given
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.widgets.image_source import ImageSource
from napari_nanoqr.widgets.pixel_size import PixelSize, path_of, pixel_size_of
from napari_nanoqr.widgets.planes import Plane, plane_of
from napari_nanoqr.widgets.readers import micrograph_layer
from napari_nanoqr.widgets.regions import region_boxes

RAMP = np.arange(6 * 8, dtype=np.uint8).reshape(6, 8)
STACK = np.stack([RAMP, RAMP + 50, RAMP + 100])


@pytest.fixture
def viewer():
    return ViewerModel()


def size_of(viewer, layer):
    return pixel_size_of(layer, plane_of(viewer, layer))


def taken(viewer, layer, box=None, **options):
    return ImageSource.of(viewer, layer, **options).micrograph(box).image


class TestPixelSize:
    def opened(self, viewer, **options):
        micrograph = Micrograph(RAMP, (6.125, 6.125), "Thermo/FEI tag 34682", {"tilt_deg": 52.0})
        data, more, _ = micrograph_layer(micrograph)
        return viewer.add_image(data, **(more | options))

    def test_comes_from_the_file_where_the_layer_agrees(self, viewer):
        found = size_of(viewer, self.opened(viewer))
        assert found.nm == (6.125, 6.125)
        assert found.from_file
        assert str(found) == "6.125 nm (Thermo/FEI tag 34682)"

    def test_agrees_in_another_unit_too(self, viewer):
        layer = self.opened(viewer, scale=(0.006125, 0.006125), units=("um", "um"))
        assert size_of(viewer, layer).source == "Thermo/FEI tag 34682"

    def test_follows_the_layer_where_it_was_scaled(self, viewer):
        found = size_of(viewer, self.opened(viewer, scale=(12.25, 12.25)))
        assert found.nm == pytest.approx((12.25, 12.25))
        assert not found.from_file
        assert found.source == "layer scale, nm; the file said 6.125 nm"

    def test_holds_where_only_the_scale_was_lost(self, viewer):
        layer = self.opened(viewer, scale=(1, 1), units=("pixel", "pixel"))
        assert size_of(viewer, layer).nm == (6.125, 6.125)

    @pytest.mark.parametrize(
        ("unit", "nm"), [("nm", 1), ("um", 1e3), ("mm", 1e6), ("angstrom", 0.1)]
    )
    def test_comes_from_scale_and_unit(self, viewer, unit, nm):
        layer = viewer.add_image(RAMP, scale=(2, 3), units=(unit, unit))
        found = size_of(viewer, layer)
        assert found.nm == pytest.approx((2 * nm, 3 * nm))
        assert found.source.startswith("layer scale, ")
        assert "×" in str(found)

    def test_counts_an_affine_and_not_a_rotation(self, viewer):
        layer = viewer.add_image(
            RAMP, scale=(2, 2), rotate=30, affine=np.diag([1.5, 1.5, 1]), units=("um", "um")
        )
        assert size_of(viewer, layer).nm == pytest.approx((3000, 3000))

    def test_is_not_known_without_a_length(self, viewer):
        found = size_of(viewer, viewer.add_image(RAMP, scale=(6, 6)))
        assert found.nm is None
        assert str(found) == "unknown (the layer has no unit of length)"

    @pytest.mark.parametrize(
        "nonsense",
        [
            "x",
            {"pixel_size_nm": 3},
            {"pixel_size_nm": ["a", 1]},
            {"pixel_size_nm": [0, 0]},
            {"pixel_size_nm": None},
        ],
    )
    def test_nonsense_in_the_metadata_is_passed_over(self, viewer, nonsense):
        if isinstance(nonsense, dict):
            nonsense["kind"] = "micrograph"
        layer = viewer.add_image(RAMP, metadata={"nanoqr": nonsense})
        assert size_of(viewer, layer).nm is None

    def test_what_the_user_gives_wins(self, viewer):
        source = ImageSource.of(viewer, self.opened(viewer), given=Given(pixel_size_nm=5.0))
        assert source.pixel_size.nm == (5.0, 5.0)
        assert source.micrograph().pixel_size_nm == (5.0, 5.0)

    def test_the_tilt_goes_with_the_image(self, viewer):
        assert ImageSource.of(viewer, self.opened(viewer)).micrograph().metadata == {"tilt_deg": 52}


class TestPixels:
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, ">u2"])
    def test_one_frame_as_it_is(self, viewer, dtype):
        image = taken(viewer, viewer.add_image(RAMP.astype(dtype)))
        assert image.shape == (6, 8)
        assert np.array_equal(image, RAMP)

    def test_all_frames_or_the_current_one(self, viewer):
        layer = viewer.add_image(STACK)
        viewer.dims.set_point(0, 1)
        assert np.array_equal(taken(viewer, layer), STACK)
        assert np.array_equal(taken(viewer, layer, all_frames=False), STACK[1])

    def test_the_current_frame_of_a_stack_that_was_moved_and_scaled(self, viewer):
        layer = viewer.add_image(
            STACK, scale=(10, 6, 6), translate=(100, 0, 0), units=("s", "nm", "nm")
        )
        viewer.dims.set_point(0, 120)
        assert np.array_equal(taken(viewer, layer, all_frames=False), STACK[2])

    def test_more_axes_are_frames_too(self, viewer):
        layer = viewer.add_image(np.stack([STACK, STACK + 1]))
        assert taken(viewer, layer).shape == (6, 6, 8)
        assert ImageSource.of(viewer, layer).frames == 6

    def test_the_axes_on_the_screen_are_y_and_x(self, viewer):
        layer = viewer.add_image(np.moveaxis(STACK, 0, 2))
        viewer.dims.order = (2, 0, 1)
        assert np.array_equal(taken(viewer, layer), STACK)
        viewer.dims.order = (2, 1, 0)
        assert np.array_equal(taken(viewer, layer), STACK.swapaxes(1, 2))

    def test_a_plain_image_beside_a_stack(self, viewer):
        viewer.add_image(STACK)
        layer = viewer.add_image(RAMP)
        assert np.array_equal(taken(viewer, layer), RAMP)

    def test_units_that_do_not_go_together_do_no_harm(self, viewer):
        viewer.add_image(STACK, units=("s", "nm", "nm"))
        layer = viewer.add_image(RAMP)
        assert np.array_equal(taken(viewer, layer), RAMP)

    def test_colour(self, viewer):
        colour = np.stack([RAMP, RAMP, RAMP], axis=-1)
        layer = viewer.add_image(colour, rgb=True)
        assert ImageSource.of(viewer, layer).describe() == "8 × 6 px · colour"
        assert np.array_equal(taken(viewer, layer), RAMP)

    def test_colour_frames(self, viewer):
        layer = viewer.add_image(np.stack([STACK] * 3, axis=-1), rgb=True)
        assert np.array_equal(taken(viewer, layer), STACK)

    def test_a_lazy_pyramid_at_its_finest(self, viewer):
        image = da.from_array(np.tile(RAMP, (4, 4)), chunks=5)
        layer = viewer.add_image([image, image[::2, ::2]], multiscale=True)
        assert np.array_equal(taken(viewer, layer), np.tile(RAMP, (4, 4)))
        assert np.array_equal(taken(viewer, layer, (1, 3, 2, 8)), RAMP[1:3, 2:8])

    def test_only_what_lies_in_the_box(self, viewer):
        layer = viewer.add_image(STACK)
        assert np.array_equal(taken(viewer, layer, (1, 4, 2, 7)), STACK[:, 1:4, 2:7])

    @pytest.mark.parametrize(
        ("image", "sentence"),
        [
            (np.full((5, 5), np.nan), "every pixel is NaN"),
            (np.full((5, 5), 7, np.uint16), "This image is 7 everywhere"),
            (np.where(np.eye(9), np.nan, 2.5), "This image is 2.5 everywhere"),
        ],
    )
    def test_nothing_to_see_says_so(self, viewer, image, sentence):
        layer = viewer.add_image(image, contrast_limits=(0, 1))
        with pytest.raises(ValueError, match=sentence):
            taken(viewer, layer)

    def test_an_empty_image_says_so(self):
        # napari itself shows none, but a layer may lose its pixels
        plane = Plane((0, 1), (0, 0))
        source = ImageSource(np.zeros((0, 5)), False, plane, True, PixelSize(None, "nobody knows"))
        with pytest.raises(ValueError, match="This image is empty"):
            source.micrograph()

    def test_a_single_pixel_that_differs_is_something(self, viewer):
        image = np.zeros((20, 20))
        image[3, 4] = 1
        assert taken(viewer, viewer.add_image(image)).max() == 1

    def test_too_much_for_the_memory_is_refused_before_it_is_loaded(self, viewer):
        def never(block):
            raise AssertionError("the pixels were loaded")

        image = da.zeros((50, 4000, 4000), chunks=(1, 4000, 4000), dtype=np.uint8)
        layer = viewer.add_image(image, contrast_limits=(0, 1))
        source = ImageSource.of(viewer, layer)
        assert "large" in source.describe()
        object.__setattr__(source, "data", image.map_blocks(never, dtype=np.uint8))
        with pytest.raises(ValueError, match="50 frames of 4000 × 4000 pixels are too many"):
            source.micrograph()


class TestRegions:
    def boxes(self, viewer, region, layer):
        return region_boxes(region, layer, plane_of(viewer, layer))

    @staticmethod
    def rectangle(top, left, bottom, right):
        return np.array([[top, left], [top, right], [bottom, right], [bottom, left]], dtype=float)

    def test_a_rectangle_becomes_a_box_with_a_margin(self, viewer):
        layer = viewer.add_image(np.zeros((200, 300)))
        region = viewer.add_shapes([self.rectangle(40, 60, 80, 100)])
        assert self.boxes(viewer, region, layer) == [(38, 83, 58, 103)]

    def test_units_scale_and_place_of_both_layers_count(self, viewer):
        layer = viewer.add_image(
            np.zeros((200, 300)), scale=(5, 5), translate=(1000, 0), units=("nm", "nm")
        )
        shape = self.rectangle(1.2, 0.3, 1.4, 0.5)
        region = viewer.add_shapes([shape - 1], translate=(1, 1), units=("um", "um"))
        assert self.boxes(viewer, region, layer) == [(38, 83, 58, 103)]

    def test_an_image_that_was_turned(self, viewer):
        layer = viewer.add_image(np.zeros((200, 200)), rotate=90)
        world = [layer.data_to_world(point) for point in self.rectangle(40, 60, 80, 100)]
        region = viewer.add_shapes([np.array(world)], shape_type="polygon")
        assert self.boxes(viewer, region, layer) == [(38, 83, 58, 103)]

    def test_the_selected_shapes_win(self, viewer):
        layer = viewer.add_image(np.zeros((200, 300)))
        region = viewer.add_shapes([self.rectangle(0, 0, 20, 20), self.rectangle(40, 60, 80, 100)])
        assert len(self.boxes(viewer, region, layer)) == 2
        region.selected_data = {1}
        assert self.boxes(viewer, region, layer) == [(38, 83, 58, 103)]

    def test_shapes_are_cut_at_the_edge_of_the_image(self, viewer):
        layer = viewer.add_image(np.zeros((50, 50)))
        region = viewer.add_shapes([self.rectangle(-40, 20, 20, 400)])
        assert self.boxes(viewer, region, layer) == [(0, 24, 1, 50)]

    def test_a_shape_on_a_frame_of_a_stack(self, viewer):
        layer = viewer.add_image(np.zeros((4, 200, 300)))
        shape = np.insert(self.rectangle(40, 60, 80, 100), 0, 2, axis=1)
        region = viewer.add_shapes([shape])
        assert self.boxes(viewer, region, layer) == [(38, 83, 58, 103)]

    def test_no_shape_and_no_shape_on_the_image_say_so(self, viewer):
        layer = viewer.add_image(np.zeros((50, 50)), name="image")
        region = viewer.add_shapes(name="region", ndim=2)
        with pytest.raises(ValueError, match="region has no shapes"):
            self.boxes(viewer, region, layer)
        region.add_rectangles(self.rectangle(90, 90, 99, 99))
        with pytest.raises(ValueError, match="region does not lie on image"):
            self.boxes(viewer, region, layer)


def test_the_path_of_an_image(viewer, tmp_path):
    micrograph = Micrograph(RAMP, None, None, path=tmp_path / "a.tif")
    data, options, _ = micrograph_layer(micrograph)
    assert path_of(viewer.add_image(data, **options)) == str(tmp_path / "a.tif")
    assert path_of(viewer.add_image(RAMP)) is None
