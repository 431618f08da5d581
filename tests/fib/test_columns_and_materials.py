"""Beams and volumes per dose are the published ones, and unknown ones are refused."""

from __future__ import annotations

import pytest

from napari_nanoqr.fib.columns import Beam, beams, find_beam
from napari_nanoqr.fib.materials import SPREAD, VolumePerDose, materials, volume_per_dose


def test_the_default_beam_is_26_picoampere() -> None:
    assert str(find_beam()) == "26 pA · 12.5 nm (Ga 30 kV, Helios G4)"


@pytest.mark.parametrize(
    ("current", "spot_nm"),
    [("1 pA", 5.3), (7, 9.5), ("0.26 nA", 36.6), ("260pA", 36.6), ("65 NA", 1500), (50, 10)],
)
def test_a_beam_is_found_by_its_current(current: str | float, spot_nm: float) -> None:
    assert find_beam(current).spot_nm == spot_nm


def test_every_beam_is_found_by_its_name() -> None:
    assert [find_beam(str(beam)) for beam in beams()] == list(beams())


@pytest.mark.parametrize("current", ["27 pA", 0.26, "lots", "1.2.3 pA", "", -26])
def test_an_unknown_current_is_refused_with_what_there_is(current: str | float) -> None:
    with pytest.raises(ValueError, match=r"Known: 1 pA|is not a current"):
        find_beam(current)


def test_a_current_of_another_column_is_not_this_ones() -> None:
    with pytest.raises(ValueError, match=r"Zeiss column has no beam of 26 pA.*50 pA, 0.7 nA"):
        find_beam("26 pA", "Zeiss")


@pytest.mark.parametrize("values", [(0, 10), (26, -1), (float("nan"), 10), (float("inf"), 10)])
def test_a_beam_that_cannot_be_is_refused(values: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="positive number"):
        Beam(*values)


def test_crn_lies_between_its_neighbours_in_the_table() -> None:
    crn = volume_per_dose("CrN")
    assert volume_per_dose("Cr").value == crn.low == 0.10
    assert crn.low < crn.value < volume_per_dose("TiN").value == 0.15
    assert crn.high == volume_per_dose("Cr").high == 0.28
    assert crn.value == pytest.approx((0.10 * 0.15) ** 0.5, abs=0.005)


def test_tables_that_differ_are_the_bracket() -> None:
    assert (volume_per_dose("Si").low, volume_per_dose("Si").high) == (0.15, 0.27)
    assert volume_per_dose("W").high == pytest.approx(0.12 * SPREAD)
    assert volume_per_dose("Glass") == volume_per_dose("SiO2")
    assert volume_per_dose("Si", "Xe").value == 0.38


def test_every_listed_material_has_a_value() -> None:
    for ion in ("Ga", "Xe"):
        assert all(volume_per_dose(name, ion).value > 0 for name in materials(ion))


@pytest.mark.parametrize(("material", "ion"), [("Unobtainium", "Ga"), ("CrN", "Xe"), ("", "Ga")])
def test_an_unknown_material_is_refused_with_what_there_is(material: str, ion: str) -> None:
    with pytest.raises(ValueError, match=r"not known: give it in um\^3/nC. Known: .*Si"):
        volume_per_dose(material, ion)


def test_a_bracket_out_of_order_is_refused() -> None:
    with pytest.raises(ValueError, match="low <= value <= high"):
        VolumePerDose(0.1, 0.2, 0.3)
