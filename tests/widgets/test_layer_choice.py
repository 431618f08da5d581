"""A combo box that follows the layers of a viewer."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_nanoqr.widgets.layer_choice import LayerChoice

PIXELS = np.zeros((4, 4))


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def choice(qtbot, viewer):
    made = LayerChoice(viewer, lambda layer: isinstance(layer, Image), "Image", empty="no image")
    qtbot.addWidget(made.native)
    return made


def shown(choice: LayerChoice) -> list[str]:
    return [choice.native.itemText(i) for i in range(choice.native.count())]


def test_nothing_to_choose(choice):
    assert choice.value is None
    assert shown(choice) == []
    assert choice.native.placeholderText() == "no image"
    assert not choice.native.isEnabled()


def test_the_only_layer_is_picked_by_itself(viewer, choice):
    heard = []
    choice.changed.connect(heard.append)
    image = viewer.add_image(PIXELS, name="a")
    assert choice.value is image
    assert heard == [image]


def test_layers_that_are_there_already_are_offered(qtbot, viewer):
    image = viewer.add_image(PIXELS)
    made = LayerChoice(viewer, lambda layer: isinstance(layer, Image), "Image")
    qtbot.addWidget(made.native)
    assert made.value is image


def test_other_kinds_are_not_offered(viewer, choice):
    viewer.add_labels(np.zeros((4, 4), dtype=int), name="labels")
    viewer.add_shapes(name="shapes")
    assert choice.choices == ()
    with pytest.raises(ValueError, match="labels is not among"):
        choice.value = viewer.layers["labels"]


def test_the_active_layer_is_picked_and_one_that_cannot_be_changes_nothing(viewer, choice):
    first = viewer.add_image(PIXELS, name="first")
    second = viewer.add_image(PIXELS, name="second")
    assert choice.value is second
    viewer.layers.selection.active = first
    assert choice.value is first
    viewer.add_points(np.zeros((1, 2)))
    assert choice.value is first
    assert shown(choice) == ["second", "first"]


def test_the_user_picks_in_the_box(viewer, choice):
    first = viewer.add_image(PIXELS, name="first")
    viewer.add_image(PIXELS, name="second")
    heard = []
    choice.changed.connect(heard.append)
    choice.native.setCurrentIndex(1)
    choice.native.activated.emit(1)
    assert choice.value is first
    assert heard == [first]


def test_a_choice_survives_renaming_and_moving(viewer, choice):
    first = viewer.add_image(PIXELS, name="first")
    viewer.add_image(PIXELS, name="second")
    choice.value = first
    heard = []
    choice.changed.connect(heard.append)
    first.name = "renamed"
    viewer.layers.move(0, 2)
    assert choice.value is first
    assert choice.native.currentText() == "renamed"
    assert shown(choice) == ["renamed", "second"]
    assert heard == []


def test_another_layer_takes_the_place_of_one_that_goes(viewer, choice):
    first = viewer.add_image(PIXELS, name="first")
    second = viewer.add_image(PIXELS, name="second")
    heard = []
    choice.changed.connect(heard.append)
    viewer.layers.remove(second)
    assert choice.value is first
    viewer.layers.clear()
    assert choice.value is None
    assert heard == [first, None]


def test_a_layer_that_went_is_not_kept_alive(viewer, choice):
    gone = weakref.ref(viewer.add_image(PIXELS))
    viewer.layers.clear()
    viewer.add_points(np.zeros((1, 2)))  # napari itself holds on to the last active layer
    gc.collect()
    assert gone() is None


def test_with_an_entry_for_none_nothing_is_picked_by_itself(qtbot, viewer):
    made = LayerChoice(viewer, lambda layer: isinstance(layer, Image), "Region", none="whole image")
    qtbot.addWidget(made.native)
    image = viewer.add_image(PIXELS, name="a")
    assert made.value is None
    assert made.native.currentText() == "whole image"
    made.value = image
    assert made.native.currentText() == "a"
    made.native.activated.emit(0)
    assert made.value is None
    made.value = image
    viewer.layers.remove(image)
    assert made.value is None
    assert shown(made) == ["whole image"]


def test_a_box_that_was_closed_leaves_the_viewer_in_peace(qtbot, viewer):
    import shiboken6

    choice = LayerChoice(viewer, lambda layer: isinstance(layer, Image), "Image")
    shiboken6.delete(choice.native)
    viewer.add_image(PIXELS)
    viewer.layers.clear()
