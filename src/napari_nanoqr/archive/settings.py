"""How an archive is written: code, outer code, geometry, stream; without any secret."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from napari_nanoqr.archive.fields import FIELD_SUFFIXES, check_pitch
from napari_nanoqr.archive.layout import RATES, SIDE
from napari_nanoqr.archive.tile_kind import TileKind, capacity, step, tile_kind
from napari_nanoqr.design.film import Film

SHEETS_MM = {"A3": (420.0, 297.0), "A4": (297.0, 210.0), "A5": (210.0, 148.0)}
"""Height and width of paper sizes (ISO 216)."""

LEAST_LOSS, MOST_LOSS = 1e-6, 0.3
"""Of the tiles; beyond it a group has less data than parity."""

MOST_COPIES = 16


@dataclass(frozen=True)
class ArchiveSettings:
    """How an archive is written.

    Parameters
    ----------
    rate : str
        Of the code of the tiles: "1/2", "2/3", "4/5" or "0.88"; or e.g. "QR 40-L" for tiles that
        are QR codes of a version and an error-correction level.
    bits_per_module : int
        1, or 2 for recesses of four depths.
    tile_loss : float
        Share of the tiles that are expected to be lost, 1e-6 to 0.3.
    failure : float
        Probability, for each group of the outer code, that more of its tiles are lost than can
        be, where tiles are lost independently of each other.
    pitch_nm : float
        Side of a module in nm, with at most three decimals.
    tiles_per_field : int
        Tiles on a side of a field of view; of QR codes it takes more, see
        :attr:`~napari_nanoqr.archive.tile_kind.TileKind.usual_across`.
    field_gap_modules : int
        Empty modules between two fields.
    sheet_mm : (float, float)
        Height and width of a sheet that are written on; A4 by default.
    copies : int
        How often the data and their parity are written, each time on sheets of its own.
    suffix : str
        Of the pattern files.
    compress : bool
        With zstd, before encryption.
    recipients : tuple of str
        Public keys of age (``age1...`` or ``ssh-...``) of those that may read; empty for a stream
        that is open to all.
    passphrase : str or None
        Instead of recipients. It is never written anywhere.
    film : Film
        What is milled.
    escape_nm : float
        Thickness of film over which the signal of the SEM that will read falls to 1/e; the depths
        of two bits a module are chosen for it.

    Raises
    ------
    ValueError
        Where a value is out of range; the message says what it may be.
    """

    rate: str = "4/5"
    bits_per_module: int = 1
    tile_loss: float = 0.015
    failure: float = 1e-12
    pitch_nm: float = 49.0
    tiles_per_field: int = 2
    field_gap_modules: int = 4
    sheet_mm: tuple[float, float] = SHEETS_MM["A4"]
    copies: int = 1
    suffix: str = ".oas"
    compress: bool = False
    recipients: tuple[str, ...] = ()
    passphrase: str | None = field(default=None, repr=False)
    film: Film = field(default_factory=Film)
    escape_nm: float = 2.0

    def __post_init__(self) -> None:
        kind = tile_kind(self.rate, self.bits_per_module)
        if not LEAST_LOSS <= self.tile_loss <= MOST_LOSS:
            raise ValueError(
                f"A loss of {self.tile_loss:g} of the tiles cannot be planned for: give "
                f"{LEAST_LOSS:g} to {MOST_LOSS:g}, 0.01 for one in a hundred."
            )
        if not 1e-30 <= self.failure <= 0.1:
            raise ValueError(
                f"A failure probability of {self.failure:g} cannot be: give 1e-30 to 0.1."
            )
        check_pitch(self.pitch_nm)
        if not 1 <= self.tiles_per_field <= 16:
            raise ValueError(
                f"{self.tiles_per_field} tiles on the side of a field cannot be: use 1 to 16."
            )
        if self.field_modules < SIDE:
            raise ValueError(
                f"A field of {self.field_modules} modules cannot hold a control page: take more "
                f"tiles on its side, {kind.usual_across} for one of usual size."
            )
        if not kind.gap <= self.field_gap_modules <= 1000:
            raise ValueError(
                f"A gap of {self.field_gap_modules} modules cannot be: use {kind.gap} to 1000."
            )
        if len(self.sheet_mm) != 2 or not all(0 < side <= 1e4 for side in self.sheet_mm):
            raise ValueError("A sheet has a height and a width, each of up to 10,000 mm.")
        if not 0.1 <= self.escape_nm <= 1000:
            raise ValueError(
                f"An escape depth of {self.escape_nm:g} nm cannot be: use 0.1 to 1000."
            )
        if not 1 <= self.copies <= MOST_COPIES:
            raise ValueError(f"{self.copies} copies cannot be: use 1 to {MOST_COPIES}.")
        if self.suffix not in FIELD_SUFFIXES:
            raise ValueError(
                f"{self.suffix} is no suffix of a field's file: use one of "
                f"{', '.join(FIELD_SUFFIXES)}."
            )
        if self.recipients and self.passphrase is not None:
            raise ValueError("Encrypt for recipients or with a passphrase, not both.")
        if self.passphrase == "":
            raise ValueError("The passphrase is empty.")

    @property
    def encrypted(self) -> bool:
        """Whether only those that have a key can read it."""
        return bool(self.recipients) or self.passphrase is not None

    @property
    def tile(self) -> TileKind:
        """What its tiles are."""
        return tile_kind(self.rate, self.bits_per_module)

    @property
    def tile_bytes(self) -> int:
        """Payload of a tile."""
        return capacity(self.tile)

    @property
    def field_modules(self) -> int:
        """Modules on a side of a field."""
        return step(self.tile) * self.tiles_per_field - self.tile.gap

    @property
    def tile_step_nm(self) -> float:
        """From one tile of a field to the next."""
        return step(self.tile) * self.pitch_nm

    @property
    def step_nm(self) -> float:
        """From one field to the next."""
        return (self.field_modules + self.field_gap_modules) * self.pitch_nm

    @property
    def area_mm2(self) -> float:
        """Of a sheet."""
        return self.sheet_mm[0] * self.sheet_mm[1]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values: no passphrase, and of the recipients only how many there are."""
        values = asdict(self)
        del values["passphrase"]
        return values | {"sheet_mm": list(self.sheet_mm), "recipients": len(self.recipients)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ArchiveSettings:
        """Return the settings that :meth:`to_dict` described, but for who may read.

        Raises
        ------
        TypeError, ValueError
            Where they describe none.
        """
        kept = {key: value for key, value in values.items() if key != "recipients"}
        kept["sheet_mm"] = tuple(kept["sheet_mm"])
        kept["film"] = Film.from_dict(kept["film"])
        return cls(**kept)


def parse_rate(word: str) -> str:
    """Return the rate that people mean by a word such as ``0.8``, ``4/5`` or ``0.88``.

    Raises
    ------
    ValueError
        Where there is none.
    """
    values = {rate: _number(rate) for rate in RATES}
    try:
        wanted = _number(word)
    except (ValueError, ZeroDivisionError):
        wanted = math.nan
    for rate, value in values.items():
        if abs(value - wanted) < 0.006:
            return rate
    raise ValueError(f"A rate of {word!r} cannot be: use 0.5, 0.67, 0.8 or 0.88.")


def parse_sheet(word: str) -> tuple[float, float]:
    """Return height and width in mm of a paper size or of ``WIDTHxHEIGHT``.

    Raises
    ------
    ValueError
        Where the word is neither.
    """
    if word.upper() in SHEETS_MM:
        return SHEETS_MM[word.upper()]
    found = re.fullmatch(r"\s*([0-9.]+)\s*[xX×]\s*([0-9.]+)\s*(?:mm)?\s*", word)
    try:
        if found:
            return float(found[2]), float(found[1])
    except ValueError:
        pass
    raise ValueError(
        f"{word!r} is no sheet: write {', '.join(SHEETS_MM)} or WIDTHxHEIGHT in mm, 100x100."
    )


def _number(word: str) -> float:
    above, _, below = word.partition("/")
    return float(above) / float(below or 1)
