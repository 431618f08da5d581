"""The SEM grade agrees with a slow, literal one, and each limit holds on both sides."""

from __future__ import annotations

from itertools import pairwise
from math import hypot

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_nanoqr.measuring.grade import Grade, grade_symbol
from napari_nanoqr.measuring.grade_limits import LIMITS
from napari_nanoqr.measuring.grade_modulation import codeword_numbers, unused_share
from napari_nanoqr.measuring.grade_patterns import fixed_patterns, standard_quiet_zone
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.kinds import layout_of
from napari_nanoqr.symbols.symbol import Symbol

DARK, LIGHT = 20.0, 200.0
PX = 6
QUIET = 4


def picture(modules: NDArray[np.bool_], px: int = PX) -> NDArray[np.float32]:
    """Each module as a square of pixels, with a wide light margin."""
    values = np.where(np.pad(modules, QUIET), DARK, LIGHT)
    return np.kron(values, np.ones((px, px))).astype(np.float32)


def straight(modules: NDArray[np.bool_], px: int = PX) -> Grid:
    rows, columns = (px * n for n in modules.shape)
    corners = np.array([[0, 0], [0, columns], [rows, columns], [rows, 0]], dtype=float)
    return Grid.from_corners(corners + px * QUIET - 0.5, modules.shape)


def graded(image: NDArray[np.float32], modules: NDArray[np.bool_], **more: object) -> Grade:
    return grade_symbol(image, straight(modules), modules, **more)  # type: ignore[arg-type]


def module_of(
    image: NDArray[np.float32], row: int, column: int, px: int = PX
) -> NDArray[np.float32]:
    """The pixels of a module, as a view that can be written to; row and column may be negative."""
    top, left = px * (row + QUIET), px * (column + QUIET)
    return image[top : top + px, left : left + px]


SYMBOLS = {
    "QR": encode(b"a grade has to be told honestly", error="M"),
    "QR 7": encode(b"several blocks", version=7, error="H"),
    "Micro QR": encode(b"milled", version="M4", error="M"),
    "rMQR": encode(b"a long one", version="R13x77", error="H"),
    "rMQR 7": encode(b"low", version="R7x59", error="M"),
}


# -- a direct implementation: plain loops over the pixels of an axis-aligned image ---------------


def letter(value: float, limits: tuple[float, ...], higher: bool) -> int:
    for numeric, limit in zip((4, 3, 2, 1), limits, strict=True):
        if (value >= limit - 1e-9) if higher else (value <= limit + 1e-9):
            return numeric
    return 0


def direct_values(
    image: NDArray[np.float32], shape: tuple[int, int], px: int, quiet: int
) -> dict[tuple[int, int], float]:
    """Mean of the pixels of a disc of 0.8 modules, by row and column."""
    values = {}
    for row in range(-quiet, shape[0] + quiet):
        for column in range(-quiet, shape[1] + quiet):
            y0, x0 = px * (row + QUIET + 0.5) - 0.5, px * (column + QUIET + 0.5) - 0.5
            total, count = 0.0, 0
            for y in range(px * (row + QUIET), px * (row + QUIET + 1)):
                for x in range(px * (column + QUIET), px * (column + QUIET + 1)):
                    if hypot(y - y0, x - x0) <= 0.4 * px + 1e-6:
                        total += float(image[y, x])
                        count += 1
            values[row, column] = total / count
    return values


def direct_grade(image: NDArray[np.float32], symbol: Symbol, px: int = PX) -> dict[str, object]:
    """The parameters of the reflectance, one module after the other."""
    modules, layout = symbol.matrix, layout_of(symbol.matrix.shape)
    rows, columns = modules.shape
    quiet = standard_quiet_zone(layout)
    values = direct_values(image, (rows, columns), px, quiet)
    high, low = max(values.values()), min(values.values())
    threshold = (high + low) / 2
    written = {
        (r, c): 0 <= r < rows and 0 <= c < columns and bool(modules[r, c]) for r, c in values
    }
    wrong = {place: (values[place] < threshold) != written[place] for place in values}
    modulation = {place: 2 * abs(values[place] - threshold) / (high - low) for place in values}
    numbers, blocks = codeword_numbers((rows, columns), symbol.error)
    correctable = layout.blocks[symbol.error].correctable
    result: dict[str, object] = {"contrast": (high - low) / high, "threshold": threshold}
    unused, modulations, margins = [], [], []
    for block in blocks:
        worst: dict[int, float] = {}
        margin: dict[int, float] = {}
        errors = set()
        for r in range(rows):
            for c in range(columns):
                number = int(numbers[r, c])
                if number not in block:
                    continue
                m = modulation[r, c]
                worst[number] = min(worst.get(number, 9.0), m)
                margin[number] = min(margin.get(number, 9.0), 0.0 if wrong[r, c] else m)
                if wrong[r, c]:
                    errors.add(number)
        left = max(0.0, 1 - len(errors) / correctable)
        unused.append(left)
        for each, best in ((worst, modulations), (margin, margins)):
            reached = []
            for level, limit in ((4, 0.5), (3, 0.4), (2, 0.3), (1, 0.2)):
                below = sum(value < limit - 1e-9 for value in each.values())
                share = max(0.0, 1 - below / correctable)
                reached.append(min(level, letter(share, (0.62, 0.5, 0.37, 0.25), True)))
            best.append(max(reached))
    result |= {"unused": min(unused), "modulation": min(modulations), "margin": min(margins)}
    result["damaged"] = {
        name: sum(wrong[int(r) - quiet, int(c) - quiet] for r, c in np.argwhere(where))
        for name, _, where in fixed_patterns(layout, quiet)
    }
    return result


@pytest.mark.parametrize("name", SYMBOLS)
@pytest.mark.parametrize("seed", [1, 2])
def test_it_equals_a_direct_implementation(name: str, seed: int) -> None:
    symbol = SYMBOLS[name]
    rng = np.random.default_rng(seed)
    image = picture(symbol.matrix)
    rows, columns = symbol.matrix.shape
    # grey modules, some on the wrong side of the threshold, also in the quiet zone
    for _ in range(25 * seed):
        row, column = rng.integers(-2, rows + 2), rng.integers(-2, columns + 2)
        module_of(image, row, column)[:] = rng.integers(DARK, LIGHT)
    # and soft edges, so that the aperture sees neighbours
    image[1:-1] = (image[:-2] + 2 * image[1:-1] + image[2:]) / 4
    grade, direct = graded(image, symbol.matrix), direct_grade(image, symbol)
    assert grade["symbol contrast"].value == pytest.approx(direct["contrast"], rel=1e-6)
    assert grade.threshold == pytest.approx(direct["threshold"], rel=1e-6)
    assert grade["unused error correction"].value == pytest.approx(direct["unused"])
    assert grade["modulation"].numeric == direct["modulation"]
    assert grade["reflectance margin"].numeric == direct["margin"]
    damaged = {segment.name: segment.damaged for segment in grade.segments}
    assert damaged.items() >= dict(direct["damaged"]).items()  # type: ignore[call-overload]


@pytest.mark.parametrize("name", SYMBOLS)
def test_a_perfect_symbol_is_an_a_in_everything(name: str) -> None:
    grade = graded(picture(SYMBOLS[name].matrix), SYMBOLS[name].matrix)
    assert {p.name: p.letter for p in grade.parameters if p.letter not in ("A", None)} == {}
    assert grade["symbol contrast"].value == pytest.approx(1 - DARK / LIGHT)
    assert grade["contrast uniformity"].value == pytest.approx(1)
    assert (grade.overall, grade.letter, grade.limiting) == (4, "A", None)
    assert grade["print growth x"].value == pytest.approx(0, abs=1e-4)


# -- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LIMITS)
def test_each_limit_belongs_to_the_better_grade(name: str) -> None:
    limits = LIMITS[name]
    worse = -1e-6 if limits.higher else 1e-6
    for numeric, value in zip((4, 3, 2, 1), limits.values, strict=True):
        assert limits.grade(value) == numeric
        assert limits.grade(value + worse) == numeric - 1
    assert limits.grade(float("nan")) == 0


@pytest.mark.parametrize(("dark", "numeric"), [(59, 4), (61, 3), (89, 3), (91, 2), (119, 2),
                                               (121, 1), (159, 1), (161, 0)])  # fmt: skip
def test_symbol_contrast_is_related_to_the_brightest_module(dark: int, numeric: int) -> None:
    modules = SYMBOLS["QR"].matrix
    image = np.where(picture(modules) == DARK, dark, LIGHT).astype(np.float32)
    contrast = graded(image, modules)["symbol contrast"]
    assert contrast.value == pytest.approx(1 - dark / LIGHT)
    assert contrast.numeric == numeric


def test_a_known_black_level_changes_the_contrast_and_nothing_else() -> None:
    modules = SYMBOLS["QR"].matrix
    image = picture(modules)
    raised, told = graded(image + 200, modules), graded(image + 200, modules, black_level=200)
    assert raised["symbol contrast"].value == pytest.approx(180 / 400)
    assert told["symbol contrast"].value == pytest.approx(180 / 200)
    assert told["modulation"] == raised["modulation"] == graded(image, modules)["modulation"]
    below = graded(image - 100, modules)["symbol contrast"]
    assert (below.value, below.numeric) == (None, None)
    assert "black is not known" in below.note


@pytest.mark.parametrize(("damaged", "numeric"), [(0, 4), (1, 3), (2, 2), (3, 1), (4, 0), (9, 0)])
@pytest.mark.parametrize("corner", [0, 1, 2])
def test_damaged_modules_of_a_corner_make_its_grade(
    damaged: int, numeric: int, corner: int
) -> None:
    modules = SYMBOLS["QR"].matrix
    side = len(modules)
    image = picture(modules)
    # finder, separator and quiet zone
    places = [(0, 0), (7, 3), (-1, 5), (2, 2), (-4, -4), (3, 3), (6, 6), (1, 1), (5, -2)][:damaged]
    for row, column in places:
        row, column = (row, side - 1 - column) if corner == 1 else (row, column)
        row = side - 1 - row if corner == 2 else row
        pixels = module_of(image, row, column)
        pixels[:] = LIGHT + DARK - pixels
    grade = graded(image, modules)
    own = [segment for segment in grade.segments if segment.kind == "corner"]
    assert [segment.modules for segment in own] == [168, 168, 168]
    assert own[corner].damaged == damaged
    assert own[corner].grade == numeric
    assert grade["fixed pattern damage"].numeric == numeric
    if numeric < 4:
        assert grade.limiting == "fixed pattern damage"


@pytest.mark.parametrize(
    ("segment", "kind", "modules", "grades"),
    [
        ("B1 timing across", "timing", 29, {0: 4, 1: 3, 2: 3, 3: 2, 4: 1, 5: 0}),
        ("B2 timing down", "timing", 29, {0: 4, 2: 3, 3: 2, 4: 1, 5: 0}),
        ("C alignment", "alignment", 150, {0: 4, 15: 3, 16: 2, 30: 2, 31: 1, 45: 1, 46: 0}),
        ("format information 1", "information", 15, {0: 4, 1: 3, 2: 2, 3: 1, 4: 0}),
        ("version information 2", "information", 18, {0: 4, 1: 3, 2: 2, 3: 1, 4: 0}),
    ],
)
def test_damaged_modules_of_a_segment_make_its_grade(
    segment: str, kind: str, modules: int, grades: dict[int, int]
) -> None:
    from napari_nanoqr.measuring.grade_patterns import information_copies

    symbol = SYMBOLS["QR 7"]
    layout = layout_of(symbol.matrix.shape)
    where = {name: mask for name, _, mask in fixed_patterns(layout, 0)}
    where |= dict(information_copies(layout))
    for damaged, numeric in grades.items():
        image = picture(symbol.matrix)
        for row, column in np.argwhere(where[segment])[:damaged]:
            pixels = module_of(image, row, column)
            pixels[:] = LIGHT + DARK - pixels
        (own,) = [s for s in graded(image, symbol.matrix).segments if s.name == segment]
        assert (own.kind, own.modules, own.damaged, own.grade) == (kind, modules, damaged, numeric)


def test_a_pale_module_of_a_pattern_counts_by_its_modulation() -> None:
    modules = SYMBOLS["QR"].matrix
    image = picture(modules)
    # still dark for the threshold of 110, at modulations of 0.45 and 0.25
    for place, modulation in (((0, 0), 0.45), ((0, 1), 0.25)):
        module_of(image, *place)[:] = 110 - 90 * modulation
    (corner, *_) = graded(image, modules).segments
    # both damaged at A, one at B and C: min(4, 2), min(3, 3)
    assert (corner.damaged, corner.grade) == (0, 3)


def test_format_information_is_graded_by_the_mean_of_its_copies() -> None:
    symbol = SYMBOLS["QR"]
    rows, columns = layout_of(symbol.matrix.shape).format_places
    image = picture(symbol.matrix)
    for row, column in zip(rows[:3], columns[:3], strict=True):
        pixels = module_of(image, row, column)
        pixels[:] = LIGHT + DARK - pixels
    # 1 and 4: two and a half, rounded up
    assert graded(image, symbol.matrix)["format information"].numeric == 3


# -- error correction ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["QR", "QR 7", "Micro QR", "rMQR"])
def test_each_damaged_codeword_takes_its_share_of_the_error_correction(name: str) -> None:
    symbol = SYMBOLS[name]
    numbers, blocks = codeword_numbers(symbol.matrix.shape, symbol.error)
    correctable = layout_of(symbol.matrix.shape).blocks[symbol.error].correctable
    image = picture(symbol.matrix)
    for damaged in range(1, correctable + 2):
        row, column = np.argwhere(numbers == blocks[-1][damaged - 1])[3]
        pixels = module_of(image, row, column)
        pixels[:] = LIGHT + DARK - pixels
        grade = graded(image, symbol.matrix)
        left = max(0.0, 1 - damaged / correctable)
        assert [block.wrong for block in grade.blocks] == [0] * (len(blocks) - 1) + [damaged]
        assert grade["unused error correction"].value == pytest.approx(left)
        assert grade["decode"].letter == ("A" if damaged <= correctable else "F")
        assert grade["reflectance margin"].value == 0
    assert grade.letter == "F"
    assert grade.limiting == "decode"


def test_two_wrong_modules_of_a_codeword_are_one_error() -> None:
    symbol = SYMBOLS["QR"]
    numbers, _ = codeword_numbers(symbol.matrix.shape, symbol.error)
    image = picture(symbol.matrix)
    for row, column in np.argwhere(numbers == 0)[:5]:
        pixels = module_of(image, row, column)
        pixels[:] = LIGHT + DARK - pixels
    assert graded(image, symbol.matrix).blocks[0].wrong == 1


@given(st.integers(0, 60), st.integers(0, 30))
def test_unused_error_correction_is_a_share(wrong: int, correctable: int) -> None:
    share = unused_share(wrong, correctable)
    assert 0 <= share <= 1
    assert (share == 1) == (wrong == 0)


# -- geometry ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stretch", "numeric"),
    [(1.0, 4), (1.06, 4), (1.063, 3), (1.083, 3), (1.085, 2), (1.105, 2), (1.107, 1), (1.127, 1),
     (1.129, 0)],
)  # fmt: skip
def test_axial_non_uniformity_is_the_difference_over_the_mean(stretch: float, numeric: int) -> None:
    modules = SYMBOLS["QR"].matrix
    axial = graded(picture(modules), modules, pixel_size_nm=(2 * stretch, 2.0))[
        "axial non-uniformity"
    ]
    assert axial.value == pytest.approx((stretch - 1) / ((stretch + 1) / 2))
    assert axial.nm == pytest.approx(2 * PX * (stretch - 1))
    assert axial.numeric == numeric


def test_a_known_tilt_is_taken_out_and_told() -> None:
    modules = SYMBOLS["QR"].matrix
    # at 60 degrees a square is seen half as high
    image = np.ascontiguousarray(picture(modules)[::2])
    grid = straight(modules)
    half = Grid(grid.shape, np.diag([0.5, 1, 1]) @ grid.perspective, grid.bend)
    flat = grade_symbol(image, half, modules)["axial non-uniformity"]
    tilted = grade_symbol(image, half, modules, tilt_deg=60)["axial non-uniformity"]
    assert (flat.value, flat.numeric) == (pytest.approx(2 / 3), 0)
    assert (tilted.value, tilted.numeric) == (pytest.approx(0, abs=1e-9), 4)
    assert "0.6667 in the image" in tilted.note


def test_grid_non_uniformity_is_the_module_farthest_from_an_even_grid() -> None:
    modules = SYMBOLS["QR"].matrix
    grid = straight(modules)
    rows = len(modules)
    bend = np.zeros((6, 2))
    bend[3] = [0.0, 0.9]  # sideways, with the square of the row
    bent = Grid(grid.shape, grid.perspective, bend)
    # by hand: the even grid nearest to b r^2 is its mean over the rows
    scaled = [2 * (row + 0.5) / rows - 1 for row in range(rows)]
    shifts = [0.9 * r * r for r in scaled]
    mean = sum(shifts) / rows
    worst = max(abs(shift - mean) for shift in shifts)
    found = grade_symbol(picture(modules), bent, modules, pixel_size_nm=3.0)["grid non-uniformity"]
    # bent rows are a little longer from module to module
    lengths = [hypot(1, b - a) for a, b in pairwise(shifts)]
    pitch = (1 + sum(lengths) / len(lengths)) / 2
    assert found.value == pytest.approx(worst / pitch)
    assert found.nm == pytest.approx(worst * PX * 3.0)
    assert found.numeric == 2


@pytest.mark.parametrize("grown", [-1, 0, 1])
def test_print_growth_is_told_in_per_cent_and_nm(grown: int) -> None:
    modules, px = SYMBOLS["QR"].matrix, 8
    image = picture(modules, px)
    dark = image == DARK
    if grown:
        # dark areas one pixel wider to the left and right, or narrower
        sides = [np.roll(dark, shift, axis=1) for shift in (-1, 0, 1)]
        dark = np.any(sides, axis=0) if grown > 0 else np.all(sides, axis=0)
    image = np.where(dark, DARK, LIGHT).astype(np.float32)
    grade = grade_symbol(image, straight(modules, px), modules, pixel_size_nm=5.0)
    x, y = grade["print growth x"], grade["print growth y"]
    assert x.value == pytest.approx(100 * 2 * grown / px, abs=0.5)
    assert x.nm == pytest.approx(2 * grown * 5.0, abs=0.2)
    assert y.value == pytest.approx(0, abs=0.5)
    assert (x.letter, x.unit) == (None, "%")


# -- any way round -------------------------------------------------------------------------------


def test_it_is_the_same_inverted_turned_and_mirrored() -> None:
    symbol = SYMBOLS["QR"]
    image = picture(symbol.matrix)
    rng = np.random.default_rng(4)
    for row, column in rng.integers(0, len(symbol.matrix), (12, 2)):
        module_of(image, row, column)[:] = rng.integers(30, 190)
    plain = graded(image, symbol.matrix)
    inverted = graded(220 - image, symbol.matrix)
    for name in ("modulation", "reflectance margin", "fixed pattern damage", "decode"):
        assert inverted[name].numeric == plain[name].numeric
    width = image.shape[1]
    grid = straight(symbol.matrix)
    turned = Grid(grid.shape, np.array([[0, -1, width - 1], [1, 0, 0], [0, 0, 1.0]])
                  @ grid.perspective, grid.bend)  # fmt: skip
    mirrored = Grid(grid.shape, np.array([[1, 0, 0], [0, -1, width - 1], [0, 0, 1.0]])
                    @ grid.perspective, grid.bend)  # fmt: skip
    for other, picture_ in ((turned, np.rot90(image)), (mirrored, image[:, ::-1])):
        grade = grade_symbol(np.ascontiguousarray(picture_), other, symbol.matrix)
        assert [s.grade for s in grade.segments] == [s.grade for s in plain.segments]
        assert grade["contrast uniformity"].value == pytest.approx(
            plain["contrast uniformity"].value
        )


def test_what_the_image_cuts_off_is_wrong_in_the_symbol_and_no_matter_in_the_quiet_zone() -> None:
    modules = SYMBOLS["QR"].matrix
    image = picture(modules)
    grid = straight(modules)

    def cut(pixels: int) -> Grade:
        moved = np.array([[1, 0, -pixels], [0, 1, 0], [0, 0, 1.0]]) @ grid.perspective
        return grade_symbol(image[pixels:], Grid(grid.shape, moved, grid.bend), modules)

    assert cut(PX * QUIET).letter == "A"
    less = cut(PX * (QUIET + 3))
    assert less["fixed pattern damage"].letter == "F"
    assert less["unused error correction"].value < 1


def test_a_narrower_quiet_zone_is_held_against_it_unless_it_was_meant() -> None:
    modules = SYMBOLS["QR"].matrix
    image = picture(modules)
    image[: 2 * PX] = image[-2 * PX :] = image[:, : 2 * PX] = image[:, -2 * PX :] = DARK
    told = graded(image, modules)["fixed pattern damage"]
    assert told.letter == "F"
    assert "quiet zone" in told.note
    assert graded(image, modules, quiet_zone=2)["fixed pattern damage"].letter == "A"


def test_pixels_as_large_as_modules_are_enough() -> None:
    modules = SYMBOLS["QR"].matrix
    image = np.where(np.pad(modules, QUIET), DARK, LIGHT).astype(np.float32)
    assert grade_symbol(image, straight(modules, 1), modules).letter == "A"


def test_bad_input_is_told() -> None:
    modules = SYMBOLS["QR"].matrix
    image, grid = picture(modules), straight(modules)
    with pytest.raises(ValueError, match="does not fit"):
        grade_symbol(image, grid, modules[:-4, :-4])
    with pytest.raises(ValueError, match="aperture"):
        grade_symbol(image, grid, modules, aperture=0)
    far = Grid(grid.shape, grid.perspective + np.array([[0, 0, 1e4]] * 2 + [[0, 0, 0]]), grid.bend)
    with pytest.raises(ValueError, match="in the image"):
        grade_symbol(image, far, modules)


def test_an_even_image_is_an_f_and_no_error() -> None:
    modules = SYMBOLS["QR"].matrix
    grade = graded(np.full_like(picture(modules), 100), modules)
    assert grade.letter == "F"
    assert grade["symbol contrast"].value == 0


def test_it_says_that_it_is_no_certificate() -> None:
    modules = SYMBOLS["QR"].matrix
    image = picture(modules)
    module_of(image, 0, 0)[:] = LIGHT
    grade = graded(image, modules)
    assert str(grade) == (
        "SEM grade B (3), by fixed pattern damage (1 modules). "
        "In the style of ISO/IEC 15415, not a certificate."
    )
    values = grade.to_dict()
    assert "not a certificate" in values["statement"]
    assert values["limiting"] == "fixed pattern damage"
    assert [p["letter"] for p in values["parameters"]].count("B") == 1
    assert grade.segments[0].to_dict()["letter"] == "B"
    assert grade.blocks[0].to_dict()["unused"] == 1
