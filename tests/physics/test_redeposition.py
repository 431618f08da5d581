"""Sputtered atoms land on what faces them, and nothing appears or gets lost."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_nanoqr.physics.redeposition import landing

Field = NDArray[np.float32]


def land(height: Field, sent: Field, order: Field | None = None) -> tuple[Field, Field]:
    return landing(height, sent, np.zeros_like(height) if order is None else order, 1.0)


def trench(width: int, depth: float, cells: int = 160) -> Field:
    """A straight trench along y."""
    height = np.zeros((cells, cells), np.float32)
    height[:, (cells - width) // 2 : (cells + width) // 2] = -depth
    return height


@pytest.fixture(scope="module")
def rough() -> tuple[Field, Field]:
    """A hilly surface and atoms that leave it everywhere but near the border."""
    rng = np.random.default_rng(3)
    height = 40 * gaussian_filter(rng.normal(size=(96, 128)), 3)
    sent = np.zeros_like(height)
    sent[20:-20, 20:-20] = rng.uniform(size=(56, 88))
    return height.astype(np.float32), sent.astype(np.float32)


def test_nothing_falls_on_a_plain() -> None:
    flat = np.full((30, 40), -5, np.float32)
    fallen, behind = land(flat, np.ones_like(flat))
    assert not fallen.any()
    assert not behind.any()


def test_nothing_falls_on_a_hill_that_alone_is_sputtered() -> None:
    y, x = np.mgrid[-20:21, -20:21]
    hill = (30 - 0.05 * (x**2 + y**2)).astype(np.float32)
    assert land(hill, np.ones_like(hill))[0].max() < 1e-3


@pytest.mark.parametrize(("width", "depth"), [(40, 40), (20, 40), (60, 20)])
def test_what_escapes_a_trench_is_its_view_of_the_sky(width: int, depth: float) -> None:
    height = trench(width, depth)
    sent = np.where(height < 0, 1, 0).astype(np.float32)
    sent[:60], sent[100:] = 0, 0
    fallen, _ = land(height, sent)
    escaped = 1 - fallen.sum() / sent.sum()
    aspect = depth / width
    # view factor from the floor of an infinitely long trench to its mouth
    assert escaped == pytest.approx(np.hypot(1, aspect) - aspect, abs=0.04)


def test_no_more_lands_than_leaves(rough: tuple[Field, Field]) -> None:
    height, sent = rough
    fallen, behind = land(height, sent)
    assert 0.01 < fallen.sum() / sent.sum() < 1
    assert fallen.min() >= 0
    assert (behind <= fallen).all()


def test_atoms_do_not_pass_through_a_ridge() -> None:
    height = trench(20, 30)
    height[:, :20] = -30  # another trench, behind the ridge between them
    sent = np.zeros_like(height)
    sent[80, 75:85] = 1
    fallen, _ = land(height, sent)
    assert fallen[:, 68:92].sum() == pytest.approx(fallen.sum())
    assert fallen.sum() > 0.3 * sent.sum()


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_turned_surface_catches_the_same_turned(rough: tuple[Field, Field], turn: int) -> None:
    height, sent = rough
    straight = land(height, sent)[0]
    turned = land(np.rot90(height, turn), np.rot90(sent, turn))[0]
    assert np.rot90(turned, -turn) == pytest.approx(straight, abs=1e-5)


def test_what_lands_behind_the_beam_is_told() -> None:
    height = trench(20, 20)
    sent = np.zeros_like(height)
    sent[80, 70:90] = 1
    rows = np.repeat(np.arange(160, dtype=np.float32)[:, None], 160, axis=1)
    fallen, behind = land(height, sent, rows)
    assert behind[:80] == pytest.approx(fallen[:80])
    assert not behind[81:].any()
    assert fallen[:80].sum() == pytest.approx(fallen[81:].sum(), rel=1e-3)
    assert land(height, sent)[1] == pytest.approx(fallen / 2)
