"""The film that carries the data, and what it lies on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Film:
    """A thin film on a substrate.

    Parameters
    ----------
    material : str
        Formula of the film, a key of the table of volumes per dose, e.g. ``"CrN"``.
    thickness_nm : float
        Film thickness in nm, which is also the depth to mill.
    substrate : str
        What lies beneath, e.g. ``"glass"``.

    Raises
    ------
    ValueError
        Where the thickness is not positive.
    """

    material: str = "CrN"
    thickness_nm: float = 15.0
    substrate: str = "glass"

    def __post_init__(self) -> None:
        if not 0 < self.thickness_nm < 1e5:
            raise ValueError(
                f"A film of {self.thickness_nm:g} nm cannot be: give its thickness in nm."
            )

    def __str__(self) -> str:
        return f"{self.thickness_nm:g} nm {self.material} on {self.substrate}"
