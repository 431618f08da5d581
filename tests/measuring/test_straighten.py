"""A scan straightened by the code that it shows."""

from __future__ import annotations

import numpy as np
import pytest

from napari_nanoqr.design.record import record_design
from napari_nanoqr.measuring.restore import Restoring, restore
from napari_nanoqr.measuring.straighten import straighten, written_in
from napari_nanoqr.physics.scan import ScanFaults
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.progress import Cancelled
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.model import fit_to_symbol
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.sem.micrograph import Micrograph


def seen(**conditions: object) -> Micrograph:
    return simulate_micrograph(record_design(), electrons_per_pixel=500, seed=1, **conditions)


def bent_by(micrograph: Micrograph) -> float:
    """Greatest distance in pixels of a module from where a square grid has it."""
    (reading,) = read_codes(micrograph)
    modules = written_in(reading)
    image = micrograph.image.astype(np.float32)
    grid = fit_to_symbol(image, Grid.from_corners(reading.corners_yx, modules.shape), modules)
    lattice = np.indices((30, 30), dtype=float).reshape(2, -1).T
    places = grid.to_pixels(lattice)
    # complex numbers turn and stretch: the best square grid by least squares
    at, there = (p[:, 0] + 1j * p[:, 1] for p in (lattice, places))
    at = at.conj() if reading.mirrored else at
    design = np.stack((at, np.ones_like(at)), axis=-1)
    left = there - design @ np.linalg.lstsq(design, there, rcond=None)[0]
    return float(np.abs(left).max())


@pytest.mark.parametrize(
    "conditions",
    [
        {"drift_nm": (80.0, 150.0)},
        {"faults": ScanFaults(warp_nm=60, seed=1)},
        {"tilt_deg": 52.0, "drift_nm": (0.0, 100.0), "rotation_deg": 5.0},
    ],
    ids=["drift", "bent field", "tilt and drift"],
)
def test_what_distorts_the_scan_is_taken_out(conditions: dict[str, object]) -> None:
    before = seen(**conditions)
    after = straighten(before, pitch_nm=49)
    assert bent_by(before) > 1.5
    assert bent_by(after) < 0.2
    (reading,) = read_codes(after)
    assert reading.pitch_nm == pytest.approx(49, rel=0.002)
    assert after.pixel_size_source == "a code whose pitch is 49 nm"


def test_without_a_pitch_the_pixel_size_stays() -> None:
    before = seen(rotation_deg=20)
    after = straighten(before)
    assert after.pixel_size_nm == before.pixel_size_nm
    assert after.pixel_size_source == before.pixel_size_source
    assert after.image.shape == before.image.shape
    assert after.metadata["restored"][0]["found"]["distortion_px"] < 0.3
    middle = slice(20, -20)
    apart = after.image[middle, middle] - before.image[middle, middle]
    # resampling takes noise of single pixels away, not what is seen
    assert np.abs(apart).mean() < 0.5 * before.image.std()


def test_mirrored_and_inverted_codes_straighten_as_well() -> None:
    before = seen(drift_nm=(60.0, 120.0))
    mirrored = Micrograph(255 - before.image[:, ::-1], before.pixel_size_nm)
    assert bent_by(straighten(mirrored)) < 0.2


def test_without_a_code_or_in_a_stack_it_is_refused() -> None:
    with pytest.raises(ValueError, match="No code was read"):
        straighten(Micrograph(np.random.default_rng(0).normal(size=(90, 90))))
    with pytest.raises(ValueError, match="register them first"):
        straighten(Micrograph(np.zeros((2, 9, 9))))


class TestAllSteps:
    def test_are_taken_one_after_the_other(self) -> None:
        before = seen(tilt_deg=40, frames=2)
        steps: list[tuple[int, int, str]] = []
        wanted = Restoring(rows=True, flatten=True, destripe=True, tilt=True, straighten=True)
        results = list(restore(before, wanted, progress=lambda *step: steps.append(step)))
        names = [entry["step"] for entry in results[-1].metadata["restored"]]
        assert tuple(names) == wanted.steps
        assert [len(result.metadata["restored"]) for result in results] == [1, 2, 3, 4, 5]
        assert [step[:2] for step in steps] == [(i, 5) for i in range(5)]

    def test_a_tilt_can_be_told(self) -> None:
        (after,) = restore(seen(), Restoring(tilt=60.0))
        assert after.image.shape[0] == 2 * after.image.shape[1]

    def test_at_least_one_is_wanted(self) -> None:
        with pytest.raises(ValueError, match="at least one"):
            next(restore(seen(), Restoring()))

    def test_they_can_be_cancelled(self) -> None:
        with pytest.raises(Cancelled):
            next(restore(seen(), Restoring(flatten=True), cancelled=lambda: True))
