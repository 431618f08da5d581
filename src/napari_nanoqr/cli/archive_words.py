"""Sizes, times and areas of archives, in words for people."""

from __future__ import annotations


def in_percent(share: float) -> str:
    """Return a share in percent."""
    return f"{100 * share:.3g} %"


def counted(count: int, what: str) -> str:
    """Return a number of things."""
    return f"{count:,} {what}" + "s" * (count != 1)


def in_digits(value: float) -> str:
    """Return a large number."""
    return f"{value:,.0f}" if value < 1e6 else f"{value:.2g}"


def in_area(mm2: float) -> str:
    """Return an area, given in mm^2."""
    return f"{mm2 / 100:.4g} cm^2" if mm2 >= 1000 else f"{mm2:.3g} mm^2"


def in_bytes(count: float) -> str:
    """Return a number of bytes in the unit that fits."""
    for power, unit in ((5, "PB"), (4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if count >= 1000**power:
            return f"{count / 1000**power:.4g} {unit}"
    return f"{count:.0f} bytes"


def in_time(seconds: float) -> str:
    """Return a time, given in s, in the unit that fits."""
    year = 365.25 * 86400
    if seconds >= 100 * year:
        return f"{in_digits(seconds / year)} years"
    if seconds >= year:
        return f"{seconds / year:.3g} years"
    for length, unit in ((2 * 86400, "days"), (7200, "h"), (120, "min")):
        if seconds >= length:
            return f"{seconds / {'days': 86400, 'h': 3600, 'min': 60}[unit]:.3g} {unit}"
    return f"{seconds:.3g} s"
