"""What a material is to a beam: its density, and the volume that a dose removes from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from napari_nanoqr.fib.library_files import BadLibraryFile, Fields
from napari_nanoqr.fib.yields import (
    IONS,
    UM3_PER_NC,
    compare_yields,
    molar_mass,
    parse_formula,
)

TABLE_KEV = 30.0
"""Energy for which the volumes per dose of a :class:`Material` hold."""

TRANSFER_SPREAD = 2.0
"""Factor either way on a value that was carried over from another ion or energy. Only one pair
can be held against a table: xenon against gallium on silicon, 1.26 by the formula, 1.41 there."""


@dataclass(frozen=True)
class VolumePerDose:
    """Volume that a dose removes, in um^3/nC.

    Parameters
    ----------
    value : float
        What to plan with.
    low, high : float
        Bracket within which the true value is expected.
    source : str
        Where the numbers come from.
    estimate : bool
        Whether nobody measured it: derived from other materials or ions, or calculated.

    Raises
    ------
    ValueError
        Where the values are not positive or not in order.
    """

    value: float
    low: float
    high: float
    source: str = "given by the user"
    estimate: bool = False

    def __post_init__(self) -> None:
        if not (0 < self.low <= self.value <= self.high < math.inf):
            raise ValueError(
                f"A volume per dose of {self.value:g} um^3/nC between {self.low:g} and "
                f"{self.high:g} cannot be: use positive numbers, low <= value <= high."
            )

    @classmethod
    def exactly(cls, value: float) -> VolumePerDose:
        """Return a calibrated value, taken as free of uncertainty."""
        return cls(float(value), float(value), float(value))

    @classmethod
    def within(cls, value: float, percent: float) -> VolumePerDose:
        """Return a calibrated value that is known within some percent."""
        share = percent / 100
        return cls(float(value), value * (1 - share), value * (1 + share))

    def __str__(self) -> str:
        return f"{self.value:.4g} um^3/nC ({self.low:.3g} to {self.high:.3g}; {self.source})"


def calibrate(
    dose_nc_per_um2: float,
    depth_nm: float,
    depth_error_nm: float,
    *,
    dose_error_percent: float = 0.0,
) -> VolumePerDose:
    """Turn a measured depth into a volume per dose.

    Parameters
    ----------
    dose_nc_per_um2 : float
        Ion dose that was milled with, in nC/um^2.
    depth_nm : float
        Depth of the floor in nm, by AFM or in a cross-section. It must lie within the film.
    depth_error_nm : float
        Uncertainty of the depth in nm.
    dose_error_percent : float
        Uncertainty of the dose in percent, e.g. of the current.

    Returns
    -------
    VolumePerDose
        Depth over dose, with the two uncertainties added in quadrature.

    Raises
    ------
    ValueError
        Where a value is not positive, or as uncertain as it is large.
    """
    if not (0 < dose_nc_per_um2 < math.inf and 0 < depth_nm < math.inf):
        raise ValueError(
            f"A depth of {depth_nm:g} nm from a dose of {dose_nc_per_um2:g} nC/um^2 calibrates "
            "nothing: both have to be positive."
        )
    if not (0 <= depth_error_nm < math.inf and 0 <= dose_error_percent < math.inf):
        raise ValueError("An uncertainty cannot be negative.")
    share = math.hypot(depth_error_nm / depth_nm, dose_error_percent / 100)
    if share >= 1:
        raise ValueError(
            f"A depth of {depth_nm:g} nm that is uncertain by {100 * share:.0f} % calibrates "
            "nothing: mill deeper, or measure more exactly."
        )
    value = depth_nm / 1000 / dose_nc_per_um2
    source = f"calibrated: {depth_nm:g} ± {depth_error_nm:g} nm at {dose_nc_per_um2:g} nC/um^2"
    return VolumePerDose(value, value * (1 - share), value * (1 + share), source)


@dataclass(frozen=True)
class Material:
    """A material that a beam may meet.

    Parameters
    ----------
    name : str
        What it is called, e.g. ``"CrN"``.
    formula : str
        Chemical formula without brackets; "" where there is none.
    density_g_cm3 : float, optional
        Density in g/cm^3.
    volumes : mapping of str to VolumePerDose
        Volume per dose of ions of 30 keV at normal incidence, by ion.
    also : tuple of str
        Other names.
    source : str
        Where the density comes from.

    Raises
    ------
    ValueError
        Where the formula is none or the density is not positive.
    """

    name: str
    formula: str = ""
    density_g_cm3: float | None = None
    volumes: Mapping[str, VolumePerDose] = field(default_factory=dict, hash=False)
    also: tuple[str, ...] = ()
    source: str = "given by the user"

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("A material needs a name.")
        if self.formula:
            parse_formula(self.formula)
        if self.density_g_cm3 is not None and not 0 < self.density_g_cm3 < 30:
            raise ValueError(
                f"A density of {self.density_g_cm3:g} g/cm^3 cannot be: nothing is denser than 23."
            )

    @property
    def molar_mass_g_mol(self) -> float | None:
        """Mass of a formula unit in g/mol; None without a formula."""
        return molar_mass(self.formula) if self.formula else None

    @property
    def um3_per_nc_per_atom(self) -> float | None:
        """Volume per dose at a yield of one atom per ion; None without formula and density.

        Yield x molar volume per atom / (e N_A).
        """
        if not self.formula or self.density_g_cm3 is None:
            return None
        atoms = sum(parse_formula(self.formula).values())
        return molar_mass(self.formula) / atoms / self.density_g_cm3 * UM3_PER_NC

    def volume_per_dose(
        self, ion: str = "Ga", energy_kev: float = TABLE_KEV
    ) -> VolumePerDose | None:
        """Return the volume that ions remove per charge.

        Parameters
        ----------
        ion : str
            What the beam consists of.
        energy_kev : float
            Its energy in keV.

        Returns
        -------
        VolumePerDose or None
            The listed one at 30 keV. For another energy, or an ion that is not listed, the
            listed one (that of the ion itself or, failing this, of gallium) times the ratio
            of the yields, see :func:`~napari_nanoqr.fib.yields.compare_yields`, as an estimate
            with :data:`TRANSFER_SPREAD` on both ends. None where nothing is known.
        """
        listed = self.volumes.get(ion)
        if listed is not None and math.isclose(energy_kev, TABLE_KEV):
            return listed
        reference = ion if listed is not None else "Ga"
        known = self.volumes.get(reference)
        if known is None or not self.formula:
            return None
        ratio = compare_yields(self.formula, ion, energy_kev, reference, TABLE_KEV)
        if ratio is None:
            return None
        return VolumePerDose(
            known.value * ratio,
            known.low * ratio / TRANSFER_SPREAD,
            known.high * ratio * TRANSFER_SPREAD,
            f"estimate: {ratio:.3g} times that of {TABLE_KEV:g} kV {reference} (ratio of the "
            f"yields of Yamamura and Tawara), a factor {TRANSFER_SPREAD:g} either way; "
            f"{reference}: {known.source}",
            estimate=True,
        )

    @property
    def ions(self) -> tuple[str, ...]:
        """Ions whose volume per dose at 30 keV is listed or can be estimated."""
        names = dict.fromkeys((*self.volumes, *IONS))
        return tuple(ion for ion in names if self.volume_per_dose(ion) is not None)

    def to_dict(self) -> dict[str, Any]:
        """Return the material as plain values, as they stand in a file."""
        volumes = {
            ion: {
                "value": volume.value, "low": volume.low, "high": volume.high,
                "source": volume.source, "estimate": volume.estimate,
            }
            for ion, volume in self.volumes.items()
        }  # fmt: skip
        density = {} if self.density_g_cm3 is None else {"density_g_cm3": self.density_g_cm3}
        return {
            "name": self.name, "formula": self.formula, **density, "also": list(self.also),
            "source": self.source, "volume_per_dose_um3_per_nc": volumes,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, values: Any, where: str = "material") -> Material:
        """Build a material from the plain values of a file.

        Parameters
        ----------
        values : object
            What the file holds; only the name is needed.
        where : str
            How to call it in messages as long as its name is not known.

        Raises
        ------
        BadLibraryFile
            Where they describe no material; the message says which field and why.
        """
        fields = Fields(values, where)
        name = fields.text("name")
        fields.where = name
        volumes = {
            ion: _volume_from_dict(volume, f"{name}, {ion}")
            for ion, volume in Fields(
                fields.values.pop("volume_per_dose_um3_per_nc", {}),
                f'{name}: "volume_per_dose_um3_per_nc"',
            ).values.items()
        }
        also = fields.list("also", [])
        if not all(isinstance(other, str) for other in also):
            raise BadLibraryFile(f'{name}: "also" has to be a list of texts.')
        formula = fields.text("formula", "")
        density = fields.optional("density_g_cm3")
        source = fields.text("source", "given by the user")
        fields.end()
        try:
            return cls(name, formula, density, volumes, tuple(also), source)
        except ValueError as problem:
            raise BadLibraryFile(f"{name}: {problem}") from problem


def _volume_from_dict(values: Any, where: str) -> VolumePerDose:
    fields = Fields(values, where)
    value = fields.number("value")
    low, high = fields.number("low", value), fields.number("high", value)
    source = fields.text("source", "given by the user")
    estimate = fields.values.pop("estimate", False)
    fields.end()
    if not isinstance(estimate, bool):
        raise BadLibraryFile(f'{where}: "estimate" has to be true or false.')
    try:
        return VolumePerDose(value, low, high, source, estimate)
    except ValueError as problem:
        raise BadLibraryFile(f"{where}: {problem}") from problem
