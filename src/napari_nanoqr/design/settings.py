"""Everything but the payload that a design is made from."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_nanoqr.design.design import Design, Mill
from napari_nanoqr.design.film import Film
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.urls import upper_case_url


@dataclass(frozen=True)
class DesignSettings:
    """How payloads become designs.

    Parameters
    ----------
    error : {"L", "M", "Q", "H"}
        Error-correction level.
    version : int or str, optional
        By default the smallest that holds the payload.
    mask : int, optional
        By default the best.
    symbology : str, optional
        Kind of symbol, see :func:`~napari_nanoqr.symbols.encode.encode`.
    eci : bool
        Text may be stored in another character set than UTF-8.
    allow_upper : bool
        Scheme and host of a URL may become capital letters.
    pitch_nm : float
        Side of a module.
    mill : {"dark", "light"}
        Which modules the beam removes.
    quiet_zone : int
        Modules, 0 to 4.
    film : Film
        What is milled.
    """

    error: str = "M"
    version: int | str | None = None
    mask: int | None = None
    symbology: str | None = None
    eci: bool = False
    allow_upper: bool = False
    pitch_nm: float = 49.0
    mill: Mill = "dark"
    quiet_zone: int = 4
    film: Film = field(default_factory=Film)

    def design(self, payload: str | bytes, name: str = "design") -> Design:
        """Make a design.

        Parameters
        ----------
        payload : str or bytes
            What to store.
        name : str
            What layers are named after.

        Returns
        -------
        Design
            Of the payload.

        Raises
        ------
        PayloadTooLong
            Where it does not fit.
        ValueError
            Where it is empty, or a setting makes no sense.
        """
        if self.allow_upper and isinstance(payload, str):
            payload = upper_case_url(payload)
        symbol = encode(
            payload, self.error, self.version, self.mask, symbology=self.symbology, eci=self.eci
        )
        return Design(symbol, self.pitch_nm, self.mill, self.quiet_zone, self.film, name)
