"""Damage of a specimen: what is lost shows what it should, and only where it should."""

from __future__ import annotations

import numpy as np
import pytest

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.pattern import PointPattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.fib.raster import Grid
from napari_nanoqr.physics.damage import Damage, Patch
from napari_nanoqr.physics.dots import as_dots
from napari_nanoqr.physics.milling import FilmState, mill
from napari_nanoqr.physics.sem import SemModel, emission
from napari_nanoqr.physics.simulate import pattern_of, simulate_micrograph
from napari_nanoqr.physics.view import View

PLAIN = SemModel(topography=0, edge=0)
FIELD = (-400.0, -300.0, 400.0, 300.0)


def half_milled() -> FilmState:
    """A film of 400 nm, of which the right half has been milled away."""
    depth = np.zeros((200, 200))
    depth[:, 100:] = 15
    return FilmState(depth, Grid(-200, -200, 2, 200, 200), Film())


def signal(damage: Damage) -> tuple[np.ndarray, Grid]:
    state = damage.suffered_by(half_milled(), FIELD)
    return emission(state, View(2, 9, 9), PLAIN), state.grid


def at(x_nm: float, y_nm: float, damage: Damage) -> float:
    seen, grid = signal(damage)
    row, column = (y_nm - grid.top_nm) / grid.cell_nm, (x_nm - grid.left_nm) / grid.cell_nm
    return float(seen[int(row), int(column)])


class TestPatches:
    def test_each_effect_has_its_signal(self) -> None:
        left, right = (-100.0, 0.0), (100.0, 0.0)
        assert at(*left, Damage(patches=(Patch.disc(left, 50, "stripped"),))) == pytest.approx(0.45)
        assert at(*right, Damage(patches=(Patch.disc(right, 50, "unmilled"),))) == pytest.approx(1)
        for where in (left, right):
            covered = Damage(patches=(Patch.disc(where, 50, "covered", 1.7),))
            assert at(*where, covered) == pytest.approx(1.7)

    def test_outside_nothing_changes(self) -> None:
        patch = Patch.disc((0, 0), 60)
        plain, grid = signal(Damage())
        changed, _ = signal(Damage(patches=(patch,)))
        area = (changed != plain).sum() * grid.cell_nm**2
        assert area == pytest.approx(np.pi * 60**2, rel=0.05)
        assert np.array_equal(changed != plain, patch.mask(grid))

    def test_what_comes_later_lies_above(self) -> None:
        below, above = Patch.disc((0, 0), 50, "covered", 2.0), Patch.disc((0, 0), 50, "stripped")
        assert at(0, 0, Damage(patches=(below, above))) == pytest.approx(0.45)
        assert at(0, 0, Damage(patches=(above, below))) == pytest.approx(2)

    def test_a_scratch_is_as_long_and_as_wide_as_it_says(self) -> None:
        grid = Grid(-200, -200, 1, 400, 400)
        mask = Patch.scratch((-100, -50), (60, 70), 16).mask(grid)
        assert mask.sum() == pytest.approx(200 * 16, rel=0.05)
        assert mask[200 + 10, 200 - 20]
        assert not mask[200 - 100, 200]

    def test_outside_the_grid_there_is_nothing_to_do(self) -> None:
        assert not Patch.disc((5000, 0), 50).mask(Grid(-200, -200, 2, 200, 200)).any()


class TestGrain:
    @pytest.mark.parametrize("size_nm", [10.0, 25.0])
    def test_it_has_its_strength_and_its_size(self, size_nm: float) -> None:
        seen, grid = signal(Damage(grain=0.15, grain_nm=size_nm, seed=3))
        film = seen[:, : int((-20 - grid.left_nm) / grid.cell_nm)]
        assert film.mean() == pytest.approx(1, abs=0.02)
        assert film.std() == pytest.approx(0.15, rel=0.1)
        centred, shift = film - film.mean(), int(size_nm / grid.cell_nm)
        along = (centred[:, shift:] * centred[:, :-shift]).mean() / centred.var()
        assert along == pytest.approx(1 / np.e, abs=0.08)

    def test_bare_substrate_has_none(self) -> None:
        seen, grid = signal(Damage(grain=0.3))
        assert seen[:, int((20 - grid.left_nm) / grid.cell_nm) :] == pytest.approx(0.45)

    def test_it_does_not_end_with_the_pattern(self) -> None:
        seen, grid = signal(Damage(grain=0.15))
        assert (grid.left_nm, grid.top_nm) == (-400, -300)
        assert seen.shape == (300, 400)
        assert seen[:40, :80].std() == pytest.approx(0.15, rel=0.3)


class TestDebris:
    def test_particles_and_scratches_lie_about(self) -> None:
        plain, _ = signal(Damage())
        scratched, _ = signal(Damage(scratches=2, seed=1))
        dusty, _ = signal(Damage(particles=5, seed=1))
        assert 0.005 < (scratched != plain).mean() < 0.5
        assert 0.005 < (dusty != plain).mean() < 0.5
        # the film is gone along a scratch, and what is gone already stays as it was
        assert scratched[scratched != plain] == pytest.approx(0.45)

    def test_the_same_seed_gives_the_same(self) -> None:
        first, same, other = (
            signal(Damage(grain=0.1, particles=3, scratches=1, seed=seed))[0] for seed in (1, 1, 2)
        )
        assert np.array_equal(first, same)
        assert not np.array_equal(first, other)


def test_no_damage_changes_nothing() -> None:
    state = half_milled()
    inside = emission(state, View(2, 9, 9), PLAIN)
    seen, _ = signal(Damage())
    assert seen[50:250, 100:300] == pytest.approx(inside)


def test_a_micrograph_shows_the_damage_where_it_is(record: Design) -> None:
    # the lower right quarter, turned upside down by the scan
    patch = Patch(np.array([[0, 0], [700, 0], [700, 700], [0, 700]]), "covered", 2.0)
    image = simulate_micrograph(
        record, rotation_deg=180, damage=Damage(patches=(patch,)), electrons_per_pixel=1e5, seed=1
    ).image.astype(float)  # fmt: skip
    middle = image.shape[0] // 2
    assert image[middle - 90 : middle - 20, middle - 90 : middle - 20].min() > image[-20:].max()
    assert image[middle + 20 : middle + 90, middle + 20 : middle + 90].mean() < image[-20:].mean()


class TestDots:
    def test_only_discs_in_the_middle_of_modules_are_milled(self, record: Design) -> None:
        pattern = pattern_of(plan_milling(record, point_pitch_nm=3.5))
        assert isinstance(pattern, PointPattern)
        dots = as_dots(pattern, record, 0.8)
        share = dots.exposes.sum() / pattern.exposes.sum()
        assert share == pytest.approx(np.pi * 0.8**2 / 4, rel=0.05)
        state = mill(dots, record.film)
        index = np.argwhere(record.milled)
        middles = (index + 0.5) * record.pitch_nm - record.field_size_nm[0] / 2
        grid = state.grid

        def depth(points: np.ndarray) -> np.ndarray:
            rows, columns = ((points - [grid.top_nm, grid.left_nm]) / grid.cell_nm).astype(int).T
            return state.depth_nm[rows, columns]

        assert depth(middles).min() > 10
        corners = middles + record.pitch_nm / 2
        assert np.median(depth(corners)) < 0.5 * np.median(depth(middles))

    def test_what_cannot_be_is_refused(self, record: Design) -> None:
        pattern = pattern_of(plan_milling(record))
        assert isinstance(pattern, PointPattern)
        with pytest.raises(ValueError, match="Discs"):
            as_dots(pattern, record, 1.5)
        with pytest.raises(ValueError, match="Discs"):
            as_dots(pattern, record, 0)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"grain": -0.1}, "grain"),
        ({"grain": 0.6}, "grain"),
        ({"grain_nm": 0}, "size"),
        ({"size_nm": -5}, "size"),
        ({"particles": -1}, "not negative"),
        ({"scratches": -1}, "not negative"),
        ({"seed": -1}, "not negative"),
    ],
)
def test_damage_that_cannot_be_is_refused(values: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Damage(**values)


def test_patches_that_cannot_be_are_refused() -> None:
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
    with pytest.raises(ValueError, match="three or more"):
        Patch(square[:2])
    with pytest.raises(ValueError, match="finite"):
        Patch(square * np.nan)
    with pytest.raises(ValueError, match="'burnt' does not exist"):
        Patch(square, "burnt")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="yield"):
        Patch(square, "covered", -1)
    with pytest.raises(ValueError, match="radius"):
        Patch.disc((0, 0), 0)
    with pytest.raises(ValueError, match="length and a width"):
        Patch.scratch((0, 0), (0, 0), 5)
