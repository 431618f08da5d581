"""Grey values between pixels, beside another program's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from napari_nanoqr.reading import interpolation, interpolation_loops, interpolation_numpy
from napari_nanoqr.reading.interpolation import interpolate, interpolate_under, weighted_means

LOOPS = {"numpy": interpolation_numpy, "compiled": interpolation_loops}


@pytest.fixture(autouse=True, params=LOOPS, scope="module")
def loops(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run each test with and without the compiler."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interpolation, "_loops", LOOPS[request.param])
        yield


sides = st.integers(1, 7)
places = st.lists(st.tuples(st.floats(-30, 30), st.floats(-30, 30)), min_size=1, max_size=20)


def drawn(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).normal(size=(height, width)).astype(np.float32)


@given(sides, sides, places)
def test_values_are_those_of_scipy(height: int, width: int, at: list[tuple[float, float]]) -> None:
    image, points = drawn(height, width), np.array(at)
    expected = map_coordinates(image.astype(float), points.T, order=1, mode="nearest")
    np.testing.assert_allclose(interpolate(image, points), expected, atol=1e-5)


def test_points_may_come_in_any_shape() -> None:
    image, points = drawn(9, 8), np.random.default_rng(0).uniform(0, 8, (4, 5, 3, 2))
    values = interpolate(image[:, ::2], points)
    assert values.shape == (4, 5, 3)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values[2, :, 1], interpolate(image[:, ::2], points[2, :, 1]))


@pytest.mark.parametrize("far", [np.nan, np.inf, -np.inf, 1e300])
def test_what_is_nowhere_has_the_value_of_some_edge(far: float) -> None:
    image = drawn(5, 6)
    seen = interpolate(image, np.array([[far, 2.0]]))[0]
    assert seen == pytest.approx(image[4 if far > 0 else 0, 2])


def test_an_image_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="without pixels"):
        interpolate(np.zeros((0, 5), np.float32), np.zeros((1, 2)))


def test_a_perspective_takes_points_to_pixels() -> None:
    image, points = drawn(40, 50), np.random.default_rng(1).uniform(0, 10, (30, 2))
    perspective = np.array([[3.0, 0.4, 1.0], [-0.2, 4.0, 2.0], [0.01, 0.02, 1.0]])
    homogeneous = np.column_stack((points, np.ones(30))) @ perspective.T
    pixels = homogeneous[:, :2] / homogeneous[:, 2:]
    np.testing.assert_allclose(
        interpolate_under(image, perspective, points), interpolate(image, pixels), atol=1e-5
    )
    # the horizon itself
    level = np.array([[1.0, 0, 0], [0, 1, 0], [1, 0, 0]])
    assert interpolate_under(image, level, np.zeros((1, 2)))[0] == image[0, 0]


def test_means_are_sums_of_values_times_both_weights() -> None:
    rng = np.random.default_rng(2)
    image = drawn(30, 40)
    middle, down, right = rng.uniform(5, 25, (2, 3, 2)), *rng.normal(size=(2, 2, 3, 2))
    offsets, weights = np.linspace(-2, 2, 5), np.array([[1, 2, 0, 0, 0], [0, 0, 3, 0, 0.5]])
    means = weighted_means(image, middle, down, right, offsets, weights)
    assert means.shape == (2, 2, 2, 3)
    points = (
        middle + offsets[:, None, None, None, None] * down + offsets[:, None, None, None] * right
    )
    expected = np.einsum("av,bu,vuij->abij", weights, weights, interpolate(image, points))
    np.testing.assert_allclose(means, expected, rtol=1e-4, atol=1e-4)
