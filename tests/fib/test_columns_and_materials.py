"""Beams and volumes per dose are the published ones, and unknown ones are refused."""

from __future__ import annotations

from itertools import pairwise

import pytest

from napari_nanoqr.fib.columns import Beam, beams, columns, find_beam, find_column
from napari_nanoqr.fib.material import Material
from napari_nanoqr.fib.materials import (
    VolumePerDose,
    find_material,
    materials,
    volume_per_dose,
)


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


@pytest.mark.parametrize("tail", [(-0.1, 4), (1, 4), (0.1, 0.5), (0.1, 101)])
def test_a_tail_that_cannot_be_is_refused(tail: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="tail holds from 0 to below 1"):
        Beam(26, 12.5, tail_fraction=tail[0], tail_width=tail[1])


def test_columns_of_all_four_ions_come_with_the_program() -> None:
    assert {column.ion for column in columns()} == {"Ga", "Xe", "Ne", "He"}
    assert find_column("orion nanofab HE").spots == ((1.0, 0.5),)
    assert all(column.source and column.settling_us is None for column in columns())


def test_a_larger_current_has_a_larger_spot() -> None:
    for column in columns():
        assert all(less[1] < more[1] for less, more in pairwise(column.spots))


def test_an_unknown_column_is_refused_with_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"column Hero is not known\. Known: Helios G4, Zeiss"):
        find_column("Hero")


def test_crn_lies_between_its_neighbours_in_the_table() -> None:
    crn = volume_per_dose("CrN")
    assert volume_per_dose("Cr").value == crn.low == 0.10
    assert crn.low < crn.value < volume_per_dose("TiN").value == 0.15
    assert crn.high == volume_per_dose("Cr").high == 0.28
    assert crn.value == pytest.approx((0.10 * 0.15) ** 0.5, abs=0.005)
    assert crn.estimate
    assert not volume_per_dose("TiN").estimate


def test_tables_that_differ_are_the_bracket() -> None:
    assert (volume_per_dose("Si").low, volume_per_dose("Si").high) == (0.15, 0.27)
    assert volume_per_dose("W").high == pytest.approx(0.12 * 1.5)
    assert volume_per_dose("Glass") == volume_per_dose("SiO2")
    assert volume_per_dose("Si", "Xe").value == 0.38


def test_every_material_a_user_may_want_is_there() -> None:
    wanted = "CrN TiN Al2O3 Si3N4 SiC DLC SiO2 glass Si W Au Pt Cr Ti Al C Cu Fe Ni Mo Ta PMMA"
    for name in wanted.split():
        material = find_material(name)
        assert material.density_g_cm3 is not None
        assert material.source
        for ion in ("Ga", "Xe", "Ne", "He"):
            volume = volume_per_dose(name, ion)
            assert 0 < volume.low <= volume.value <= volume.high
            assert volume.source


def test_every_listed_material_has_a_value() -> None:
    for ion in ("Ga", "Xe", "Ne", "He"):
        found = materials(ion)
        assert len(found) == len(materials())
        assert all(volume_per_dose(material.name, ion).value > 0 for material in found)
    assert materials("Ar") == ()


@pytest.mark.parametrize(("name", "per_atom"), [("CrN", 0.0557), ("TiN", 0.0594), ("Si", 0.125)])
def test_volume_per_dose_follows_from_yield_and_density(name: str, per_atom: float) -> None:
    assert find_material(name).um3_per_nc_per_atom == pytest.approx(per_atom, rel=2e-3)


def test_names_are_told_apart() -> None:
    names = [name.lower() for each in materials() for name in (each.name, *each.also)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("material", "ion"), [("Unobtainium", "Ga"), ("", "Ga"), ("", "Xe")])
def test_an_unknown_material_is_refused_with_what_there_is(material: str, ion: str) -> None:
    with pytest.raises(ValueError, match=r"not known: give it in um\^3/nC. Known: .*Si"):
        volume_per_dose(material, ion)


def test_an_unknown_ion_is_refused() -> None:
    with pytest.raises(ValueError, match=r"CrN for Ar ions is not known.*Known: none"):
        volume_per_dose("CrN", "Ar")


def test_an_unknown_material_is_not_found() -> None:
    with pytest.raises(ValueError, match=r"Unobtainium is not known. Known: Al, Al2O3, Au"):
        find_material("Unobtainium")


def test_a_bracket_out_of_order_is_refused() -> None:
    with pytest.raises(ValueError, match="low <= value <= high"):
        VolumePerDose(0.1, 0.2, 0.3)


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"name": " "}, "needs a name"),
        ({"formula": "Cr(N)2"}, "without brackets"),
        ({"formula": "Xy2"}, "element Xy"),
        ({"density_g_cm3": 0}, "density of 0"),
        ({"density_g_cm3": 6140}, "nothing is denser"),
    ],
)
def test_a_material_that_cannot_be_is_refused(values: dict[str, object], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        Material(**{"name": "film", **values})  # type: ignore[arg-type]
