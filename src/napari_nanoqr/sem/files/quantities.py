"""Numbers as microscopes write them: units, prefixes, and what cannot be true."""

from __future__ import annotations

import math
import re
from typing import TypeGuard

_PREFIXES = {
    "f": 1e-15,
    "p": 1e-12,
    "n": 1e-9,
    "u": 1e-6,
    "µ": 1e-6,  # U+00B5 micro sign
    "μ": 1e-6,  # U+03BC Greek mu
    "m": 1e-3,
    "c": 1e-2,
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
}
_NAMES = {
    "volt": "V",
    "volts": "V",
    "ev": "V",
    "kev": "kV",
    "micron": "um",
    "micrometre": "um",
    "micrometers": "um",
    "nanometre": "nm",
    "nanometers": "nm",
    "microns": "um",
    "å": "100pm",
    "angstrom": "100pm",
    "sec": "s",
    "secs": "s",
    "meter": "m",
    "metre": "m",
    "nanometer": "nm",
    "micrometer": "um",
    "millimeter": "mm",
}
_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*$", re.DOTALL)

# Below, no scanned beam resolves anything; above, no electron column scans that far: a field
# of 1000 px would be a metre wide. Values outside are defaults or damage.
SMALLEST_PIXEL_NM = 1e-3
LARGEST_PIXEL_NM = 1e6

PixelSize = tuple[float, float]

# What can be true of a scanned image, with room on both sides: a zero is a field that was not
# filled in, and the largest currents are those of plasma ion sources.
_LIMITS = {
    "dwell_s": (1e-11, 10.0),
    "beam_current_a": (1e-16, 1e-2),
    "landing_energy_ev": (1.0, 1e6),
    "tilt_deg": (-180.0, 180.0),
    "tilt_correction_deg": (-180.0, 180.0),
    "averaged": (1, 1_000_000),
}
_UNITS = {"dwell_s": "s", "beam_current_a": "A", "landing_energy_ev": "eV"}
_WRITTEN = ((1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"))


def tidy(value: float) -> float:
    """Drop the last digits, which only the conversion of units put there."""
    return float(f"{value:.12g}")


def number(text: object) -> float | None:
    """Finite number in front of a text such as ``"593.3 nm"``, or None."""
    return quantity(text)[0]


def quantity(text: object) -> tuple[float | None, str]:
    """Split ``"593.3 nm"`` into number and unit; ``(None, "")`` where there is no number."""
    if isinstance(text, bool) or text is None:
        return None, ""
    match = _QUANTITY.match(str(text))
    if match is None:
        return None, ""
    value = float(match[1])
    return (value, match[2]) if math.isfinite(value) else (None, "")


def in_si(text: object, base: str, unit: str | None = None) -> float | None:
    """Value in the SI unit ``base`` (``"m"``, ``"s"``, ``"A"``, ``"V"``).

    Parameters
    ----------
    text : object
        A number, or a text that begins with one.
    base : str
        The unit without prefix that the result is in.
    unit : str, optional
        Unit of the number where the text has none behind it.

    Returns
    -------
    float or None
        None where there is no finite number or its unit is another one.
    """
    value, written = quantity(text)
    if value is None:
        return None
    name = written or unit or ""
    name = _NAMES.get(name.lower(), name)
    factor = 1.0
    if name.startswith("100"):
        factor, name = 100.0, name[3:]
    if not name.endswith(base):
        return None
    prefix = _PREFIXES.get(name[: len(name) - len(base)])
    return None if prefix is None else tidy(value * factor * prefix)


def in_nm(text: object, unit: str | None = None) -> float | None:
    """Length in nm, None where it is not a length."""
    metres = in_si(text, "m", unit)
    return None if metres is None else tidy(metres * 1e9)


def pixel_size(y_nm: float | None, x_nm: float | None) -> PixelSize | None:
    """Pixel size ``(y, x)`` in nm if both can be true; one alone stands for both."""
    y_nm = x_nm if y_nm is None else y_nm
    x_nm = y_nm if x_nm is None else x_nm
    if y_nm is None or x_nm is None:
        return None
    # NaN fails the comparison too
    if not all(SMALLEST_PIXEL_NM <= size <= LARGEST_PIXEL_NM for size in (y_nm, x_nm)):
        return None
    return (tidy(y_nm), tidy(x_nm))


def plausible(value: object, key: str) -> TypeGuard[float]:
    """Tell whether a value of the metadata can be true, under the key that it has there."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    low, high = _LIMITS[key]
    return low <= value <= high


def in_words(key: str, value: float) -> str:
    """Write a value of the metadata for people: ``14.17 pA``, ``3.2 µs``, ``52°``.

    Parameters
    ----------
    key : str
        ``"dwell_s"``, ``"beam_current_a"``, ``"landing_energy_ev"``, or an angle in degrees.
    value : float
        In the unit that the key names.
    """
    unit = _UNITS.get(key)
    if unit is None:
        return f"{value:.4g}°"
    size, prefix = next(
        ((size, prefix) for size, prefix in _WRITTEN if abs(value) >= size * (1 - 1e-9)),
        _WRITTEN[-1],
    )
    return f"{value / size:.4g} {prefix}{unit}"


def differ(first: float, second: float, tolerance: float = 0.01) -> bool:
    """Tell whether two values differ by more than ``tolerance`` of the larger."""
    return abs(first - second) > tolerance * max(abs(first), abs(second))


def plain(text: str) -> str | int | float:
    """Return a field as a number if it is nothing but a finite one, else as it is.

    Long or zero-padded digits stay text: they are names, such as serial numbers.
    """
    value, unit = quantity(text)
    if value is None or unit:
        return text.strip()
    digits = text.strip()
    if re.fullmatch(r"[-+]?\d+", digits):
        return int(digits) if re.fullmatch(r"[-+]?(0|[1-9]\d{0,14})", digits) else digits
    return value
