"""The film that carries the data, and what it lies on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Layer:
    """A layer between the film and its substrate.

    Parameters
    ----------
    material : str
        Formula, a key of the table of materials.
    thickness_nm : float
        In nm.

    Raises
    ------
    ValueError
        Where the thickness is not positive.
    """

    material: str
    thickness_nm: float

    def __post_init__(self) -> None:
        _check(self.thickness_nm)

    def __str__(self) -> str:
        return f"{self.thickness_nm:g} nm {self.material}"


def parse_layers(text: str) -> tuple[Layer, ...]:
    """Read layers as people write them.

    Parameters
    ----------
    text : str
        From the top, e.g. ``"5 nm Cr, 100 nm SiO2"``; "on" and semicolons part layers as well.
        Empty for none.

    Returns
    -------
    tuple of Layer
        The layers.

    Raises
    ------
    ValueError
        Where a part is no thickness in nm and a material.
    """
    layers = []
    for part in filter(None, map(str.strip, re.split(r"[,;]|\bon\b", text))):
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?)\s*nm\s+(\S.*)", part)
        if not found:
            raise ValueError(f"{part!r} is no layer: write its thickness and material, '5 nm Cr'.")
        layers.append(Layer(found[2].strip(), float(found[1])))
    return tuple(layers)


@dataclass(frozen=True)
class Film:
    """A thin film, and what it lies on.

    Parameters
    ----------
    material : str
        Formula of the film, a key of the table of materials, e.g. ``"CrN"``.
    thickness_nm : float
        Film thickness in nm, which is also the depth to mill.
    substrate : str
        What lies beneath all, e.g. ``"glass"``.
    below : tuple of Layer
        Layers between the film and the substrate, from the top.

    Raises
    ------
    ValueError
        Where a thickness is not positive.
    """

    material: str = "CrN"
    thickness_nm: float = 15.0
    substrate: str = "glass"
    below: tuple[Layer, ...] = ()

    def __post_init__(self) -> None:
        _check(self.thickness_nm)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Film:
        """Build a film from the plain values that ``dataclasses.asdict`` gives.

        Raises
        ------
        TypeError, ValueError
            Where they describe no film.
        """
        below = tuple(Layer(**layer) for layer in values.get("below", ()))
        return cls(**{**values, "below": below})

    def __str__(self) -> str:
        layers = [f"{self.thickness_nm:g} nm {self.material}", *map(str, self.below)]
        return " on ".join([*layers, self.substrate])


def _check(thickness_nm: float) -> None:
    if not 0 < thickness_nm < 1e5:
        raise ValueError(f"A film of {thickness_nm:g} nm cannot be: give its thickness in nm.")
