"""The library of materials: what a dose removes from each, with its uncertainty and source."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from napari_nanoqr.fib.library_files import (
    OWN,
    BadLibraryFile,
    Fields,
    read_library_file,
    write_library_file,
)
from napari_nanoqr.fib.material import TABLE_KEV, Material, VolumePerDose

__all__ = [
    "Material", "VolumePerDose", "find_material", "load_materials", "materials",
    "save_materials", "volume_per_dose",
]  # fmt: skip

FORMAT = "napari-nanoqr materials"

# the user's materials, by name in lower case; they win over the library
_loaded: dict[str, Material] = {}


def materials(ion: str | None = None) -> tuple[Material, ...]:
    """Return the materials that are known, by name.

    Parameters
    ----------
    ion : str, optional
        Only those whose volume per dose for this ion is listed or can be estimated.

    Returns
    -------
    tuple of Material
        The library, with what :func:`load_materials` added or changed.
    """
    known = {material.name.lower(): material for material in _library()} | _loaded
    return tuple(
        known[name]
        for name in sorted(known)
        if ion is None or known[name].volume_per_dose(ion) is not None
    )


def find_material(name: str) -> Material:
    """Find a material by its name.

    Parameters
    ----------
    name : str
        Name or another name of it, e.g. ``"CrN"`` or ``"glass"``; case does not matter.

    Returns
    -------
    Material
        What is known of it.

    Raises
    ------
    ValueError
        Where it is not known; the message lists what is.
    """
    wanted = name.strip().lower()
    known = materials()
    for material in known:
        if material.name.lower() == wanted:
            return material
    for material in known:
        if wanted in (other.lower() for other in material.also):
            return material
    names = ", ".join(material.name for material in known)
    raise ValueError(f"The material {name} is not known. Known: {names}.")


def volume_per_dose(material: str, ion: str = "Ga", energy_kev: float = TABLE_KEV) -> VolumePerDose:
    """Look up the volume that ions remove per charge at normal incidence.

    Parameters
    ----------
    material : str
        Name of a material, e.g. ``"CrN"``, or ``"glass"`` (taken as SiO2); case does not matter.
    ion : str
        What the beam consists of: ``"Ga"``, ``"Xe"``, ``"Ne"``, ``"He"``.
    energy_kev : float
        Energy of the ions in keV.

    Returns
    -------
    VolumePerDose
        Default value to be replaced by a calibration on the film itself.

    Raises
    ------
    ValueError
        Where it is not known; the message lists what is.

    Notes
    -----
    Where two tables have a material for 30 kV gallium they are the bracket; where one has it, a
    factor 1.5 either way: the geometric mean of the six ratios between the two tables is 1.46.
    Nothing is published for CrN. It is bracketed by Cr (0.10) and TiN (0.15) of the same
    table; 0.12, their geometric mean, is used. The other table gives Cr 0.28, so that is the
    upper end of the bracket. Other ions and energies: :meth:`Material.volume_per_dose`.
    """
    try:
        found = find_material(material).volume_per_dose(ion, energy_kev)
    except ValueError:
        found = None
    if found is None:
        known = ", ".join(each.name for each in materials(ion)) or "none"
        raise ValueError(
            f"The volume per dose of {material} for {ion} ions is not known: give it in um^3/nC. "
            f"Known: {known}."
        )
    return found


def save_materials(path: Path | str, described: list[Material] | tuple[Material, ...]) -> None:
    """Write materials to a file that :func:`load_materials` reads.

    Parameters
    ----------
    path : Path or str
        A JSON file; what stands there is replaced once the new file is complete.
    described : list of Material
        What to write, e.g. the calibrated materials of a laboratory.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    values = [material.to_dict() for material in described]
    write_library_file(Path(path), FORMAT, {"materials": values})


def load_materials(path: Path | str) -> tuple[Material, ...]:
    """Read materials from a file, to be used as long as the program runs.

    Parameters
    ----------
    path : Path or str
        A file of :func:`save_materials`, or one written by hand.

    Returns
    -------
    tuple of Material
        The materials of the file. A known name changes that material: what the file does not
        say stays as it is, so that a name and a calibrated volume per dose are enough.

    Raises
    ------
    BadLibraryFile
        Where the file holds no materials; nothing of it is used then.
    OSError
        Where it cannot be read.
    """
    known = {material.name.lower(): material for material in materials()}
    read = tuple(
        _merge(known.get(material.name.lower()), material) for material in _read(Path(path))
    )
    _loaded.update({material.name.lower(): material for material in read})
    return read


def _merge(known: Material | None, given: Material) -> Material:
    if known is None:
        return given
    said = {
        name: value
        for name, value in (
            ("formula", given.formula), ("density_g_cm3", given.density_g_cm3),
            ("also", given.also),
        )
        if value
    }  # fmt: skip
    changed: dict[str, Any] = {**said, "volumes": {**known.volumes, **given.volumes}}
    if given.density_g_cm3 is not None:
        changed["source"] = given.source
    return replace(known, **changed)


def _read(path: Path) -> list[Material]:
    fields = Fields(read_library_file(path, FORMAT), path.name)
    listed = fields.list("materials")
    try:
        fields.end()
        read = [
            Material.from_dict(values, f"material {number}")
            for number, values in enumerate(listed, start=1)
        ]
    except BadLibraryFile as problem:
        raise BadLibraryFile(f"{path.name}: {problem}") from problem
    names = [material.name.lower() for material in read]
    for material in read:
        if names.count(material.name.lower()) > 1:
            raise BadLibraryFile(f"{path.name} has {material.name} more than once.")
    return read


@cache
def _library() -> tuple[Material, ...]:
    return tuple(_read(OWN / "materials.json"))
