"""What a user knows better than the file."""

from __future__ import annotations

import numpy as np
import pytest

from napari_nanoqr.sem.electrons import electrons_per_pixel
from napari_nanoqr.sem.given import Given
from napari_nanoqr.sem.micrograph import Micrograph

TOLD = {
    "vendor": "Zeiss",
    "tilt_deg": 2.0,
    "tilt_correction": True,
    "dwell_s": 1e-6,
    "averaged": 4,
    "conflicts": {"tilt_deg": "2° or 45°", "dwell_s": "1 µs or 2 µs"},
}


def micrograph():
    return Micrograph(np.zeros((3, 4), np.uint8), (5.0, 6.0), "a tag", dict(TOLD))


def test_nothing_given_changes_nothing():
    same = Given().applied_to(micrograph())
    assert same.metadata == TOLD
    assert (same.pixel_size_nm, same.pixel_size_source) == ((5.0, 6.0), "a tag")


def test_what_is_given_wins_and_settles_what_the_file_disagreed_about():
    given = Given(7.5, tilt_deg=0.0, beam_current_a=50e-12)
    changed = given.applied_to(micrograph())
    assert changed.pixel_size_nm == (7.5, 7.5)
    assert changed.pixel_size_source == "given"
    assert changed.metadata["tilt_deg"] == 0.0
    assert "tilt_correction" not in changed.metadata
    assert changed.metadata["conflicts"] == {"dwell_s": "1 µs or 2 µs"}
    assert electrons_per_pixel(changed.metadata) == pytest.approx(50 * 1 * 4 * 6.24)
    assert TOLD["conflicts"] == {"tilt_deg": "2° or 45°", "dwell_s": "1 µs or 2 µs"}


@pytest.mark.parametrize(
    "values",
    [
        {"pixel_size_nm": 0.0},
        {"pixel_size_nm": float("nan")},
        {"tilt_deg": 400.0},
        {"dwell_s": 0.0},
        {"dwell_s": float("inf")},
        {"beam_current_a": 50.0},
    ],
)
def test_what_cannot_be_true_is_refused_in_a_sentence(values):
    with pytest.raises(ValueError, match=r"^A (pixel size|tilt|dwell time|beam current) .*\.$"):
        Given(**values)
