"""Yields follow Yamamura and Tawara, and carry a volume per dose over to another ion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanoqr.fib.material import TRANSFER_SPREAD, Material, VolumePerDose
from napari_nanoqr.fib.materials import find_material, volume_per_dose
from napari_nanoqr.fib.yields import (
    IONS,
    compare_yields,
    molar_mass,
    parse_formula,
    sputter_yield,
)


@pytest.mark.parametrize(
    ("formula", "atoms"),
    [
        ("Al2O3", {"Al": 2, "O": 3}),
        ("CrN", {"Cr": 1, "N": 1}),
        ("Cr0.52N0.48", {"Cr": 0.52, "N": 0.48}),
        ("CHC", {"C": 2, "H": 1}),
    ],
)
def test_a_formula_is_read(formula: str, atoms: dict[str, float]) -> None:
    assert parse_formula(formula) == atoms


@pytest.mark.parametrize("formula", ["", "crn", "2Al", "Al2(O3)", "Zz", "Cr0N", "Cr N", "Si1.2.3"])
def test_what_is_no_formula_is_refused(formula: str) -> None:
    with pytest.raises(ValueError, match=r"not a formula|not known here|0 times"):
        parse_formula(formula)


def test_masses_are_those_of_the_periodic_table() -> None:
    assert molar_mass("CrN") == pytest.approx(66.003, abs=0.01)
    assert molar_mass("Al2O3") == pytest.approx(101.961, abs=0.01)


def test_xenon_on_silicon_is_as_the_manual_says() -> None:
    per_atom = find_material("Si").um3_per_nc_per_atom
    assert per_atom is not None
    assert sputter_yield("Xe", "Si") * per_atom == pytest.approx(0.38, rel=0.02)


@given(
    st.sampled_from(["C", "Al", "Si", "Ti", "Cr", "Mo", "W", "Au"]),
    st.floats(5, 50),
)
def test_heavier_ions_sputter_more(element: str, energy_kev: float) -> None:
    yields = [sputter_yield(ion, element, energy_kev) for ion in IONS]
    assert yields == sorted(yields)
    assert yields[0] > 0


def test_nothing_is_sputtered_below_the_threshold() -> None:
    assert sputter_yield("He", "W", 0.05) == 0
    assert compare_yields("W", "He", 0.05, "Ga", 30) is None


@pytest.mark.parametrize(("ion", "element"), [("Ar", "Si"), ("Ga", "N"), ("Ga", "Zz")])
def test_yields_that_are_not_known_are_refused(ion: str, element: str) -> None:
    with pytest.raises(ValueError, match="not known"):
        sputter_yield(ion, element)


def test_the_ratio_of_two_ions_hardly_depends_on_the_target() -> None:
    targets = ["C", "Al", "Si", "Ti", "Cr", "Fe", "Ni", "Cu", "Mo", "Ta", "W", "Au", "Pt"]
    for ion, low, high in (("Xe", 1.23, 1.40), ("Ne", 0.29, 0.38), ("He", 0.004, 0.015)):
        ratios = [compare_yields(target, ion, 30, "Ga", 30) for target in targets]
        assert all(ratio is not None and low <= ratio <= high for ratio in ratios)


def test_a_gas_alone_has_no_ratio() -> None:
    assert compare_yields("N2", "Xe", 30, "Ga", 30) is None


def test_an_ion_that_is_not_listed_is_estimated_from_gallium() -> None:
    gallium, xenon = volume_per_dose("CrN"), volume_per_dose("CrN", "Xe")
    ratio = xenon.value / gallium.value
    assert ratio == pytest.approx(sputter_yield("Xe", "Cr") / sputter_yield("Ga", "Cr"))
    assert xenon.low == pytest.approx(gallium.low * ratio / TRANSFER_SPREAD)
    assert xenon.high == pytest.approx(gallium.high * ratio * TRANSFER_SPREAD)
    assert xenon.estimate
    assert xenon.source.startswith("estimate")


def test_the_listed_xenon_value_lies_in_the_bracket_of_the_estimate() -> None:
    gallium_only = Material("Si", "Si", 2.33, {"Ga": volume_per_dose("Si")})
    estimate = gallium_only.volume_per_dose("Xe")
    assert estimate is not None
    assert estimate.low < volume_per_dose("Si", "Xe").value < estimate.high


def test_another_energy_is_estimated_from_30_kv() -> None:
    slow, fast = volume_per_dose("CrN", "Ga", 5), volume_per_dose("CrN", "Ga", 30)
    assert slow.value < fast.value
    assert slow.estimate
    assert fast == volume_per_dose("CrN")
    assert volume_per_dose("Si", "Xe", 5).value == pytest.approx(
        0.38 * sputter_yield("Xe", "Si", 5) / sputter_yield("Xe", "Si", 30)
    )


def test_without_a_formula_nothing_is_estimated() -> None:
    material = Material("mystery", volumes={"Ga": VolumePerDose.exactly(0.2)})
    assert material.volume_per_dose("Xe") is None
    assert material.ions == ("Ga",)
    assert material.um3_per_nc_per_atom is None
