"""A design: one symbol, placed on a film at its true size."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.film import Film
from napari_nanoqr.files import write_text
from napari_nanoqr.symbols.kinds import layout_named
from napari_nanoqr.symbols.symbol import Symbol

FORMAT = "napari-nanoqr design"
"""What the first key of a design file says."""

Mill = Literal["dark", "light"]


class BadDesign(ValueError):
    """A file or a dictionary that holds no design."""


@dataclass(frozen=True)
class Design:
    """A symbol on a film.

    Parameters
    ----------
    symbol : Symbol
        What is written.
    pitch_nm : float
        Distance of module centres in nm; the side of a module.
    mill : {"dark", "light"}
        Which modules the beam removes.
    quiet_zone : int
        Modules that are kept as a light border, 0 to 4. With ``mill="light"`` they are milled.
    film : Film
        What is milled.
    name : str
        What the layers are named after.

    Raises
    ------
    ValueError
        Where a value is out of range.
    """

    symbol: Symbol
    pitch_nm: float = 49.0
    mill: Mill = "dark"
    quiet_zone: int = 4
    film: Film = field(default_factory=Film)
    name: str = "design"

    def __post_init__(self) -> None:
        if not 1 <= self.pitch_nm <= 1e6:
            raise ValueError(f"A pitch of {self.pitch_nm:g} nm is out of range: use 1 nm to 1 mm.")
        if self.mill not in ("dark", "light"):
            raise ValueError(f"Mill {self.mill!r} does not exist: use 'dark' or 'light'.")
        if self.quiet_zone not in range(5):
            raise ValueError(f"A quiet zone of {self.quiet_zone} modules: use 0 to 4.")

    @property
    def size_nm(self) -> tuple[float, float]:
        """Height and width of the symbol in nm, without the quiet zone."""
        rows, columns = self.symbol.matrix.shape
        return rows * self.pitch_nm, columns * self.pitch_nm

    @property
    def field_size_nm(self) -> tuple[float, float]:
        """Height and width in nm with the quiet zone all round."""
        height, width = self.size_nm
        return (
            height + 2 * self.quiet_zone * self.pitch_nm,
            width + 2 * self.quiet_zone * self.pitch_nm,
        )

    @property
    def area_um2(self) -> float:
        """Area of the symbol in um^2, without the quiet zone."""
        return self.symbol.matrix.size * (self.pitch_nm / 1000) ** 2

    @property
    def modules(self) -> NDArray[np.bool_]:
        """Modules with the quiet zone, ``(rows, columns)``, True = dark."""
        return np.pad(self.symbol.matrix, self.quiet_zone)

    @property
    def milled(self) -> NDArray[np.bool_]:
        """Modules with the quiet zone, ``(rows, columns)``, True = to be milled."""
        return self.modules if self.mill == "dark" else ~self.modules

    def to_dict(self) -> dict[str, Any]:
        """Return the design as plain values, complete enough to build it again."""
        symbol = self.symbol
        return {
            "format": FORMAT,
            "format_version": 1,
            "name": self.name,
            "payload_hex": symbol.payload.hex(),
            "text": symbol.text,
            "version": symbol.version,
            "error": symbol.error,
            "mask": symbol.mask,
            "modules": ["".join("#" if dark else "." for dark in row) for row in symbol.matrix],
            "pitch_nm": self.pitch_nm,
            "mill": self.mill,
            "quiet_zone": self.quiet_zone,
            "film": asdict(self.film),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Design:
        """Build a design from what :meth:`to_dict` gave.

        Parameters
        ----------
        values : dict
            Plain values, as read from JSON.

        Returns
        -------
        Design
            An equal design; the modules are those of the file, whoever encoded them.

        Raises
        ------
        BadDesign
            Where something is missing, or the modules do not hold the payload.
        """
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise BadDesign("This is not a nanoqr design.")
        try:
            return cls(
                _symbol(values),
                float(values["pitch_nm"]),
                values["mill"],
                int(values["quiet_zone"]),
                Film.from_dict(values["film"]),
                str(values["name"]),
            )
        except (KeyError, TypeError, AttributeError) as problem:
            raise BadDesign(f"This design is not complete: {problem}.") from problem
        except BadDesign:
            raise
        except ValueError as problem:
            raise BadDesign(f"This design makes no sense: {problem}") from problem

    def save(self, path: str | Path) -> None:
        """Write the design as a JSON file.

        Parameters
        ----------
        path : str or Path
            The file; an existing one is replaced once the new one is complete.

        Raises
        ------
        OSError
            Where it cannot be written.
        """
        write_text(Path(path), json.dumps(self.to_dict(), indent=1) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Design:
        """Read a design file.

        Parameters
        ----------
        path : str or Path
            A file that :meth:`save` wrote.

        Returns
        -------
        Design
            The design.

        Raises
        ------
        BadDesign
            Where the file holds no design.
        OSError
            Where it cannot be read.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError) as problem:
            raise BadDesign(f"{Path(path).name} is not a nanoqr design: {problem}") from problem
        return cls.from_dict(values)


def _symbol(values: dict[str, Any]) -> Symbol:
    """Read drawn modules, and make sure that they hold what the design says."""
    from napari_nanoqr.symbols.decode import decode_modules

    rows, version = values["modules"], values["version"]
    layout = layout_named(int(version) if str(version).isdecimal() else version)
    height, width = layout.shape
    if [len(row) for row in rows] != [width] * height:
        raise BadDesign(f"Its modules are not {height} x {width}.")
    decoded = decode_modules(np.array([[c == "#" for c in row] for row in rows]))
    symbol = decoded.symbol
    if symbol.payload != bytes.fromhex(values["payload_hex"]) or decoded.wrong.any():
        raise BadDesign("Its modules do not hold its payload.")
    if (symbol.error, symbol.mask) != (values["error"], int(values["mask"])):
        raise BadDesign("Its modules have another error-correction level or mask than it says.")
    return symbol
