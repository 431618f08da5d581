"""What to change where a code could not be read, in sentences for people."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from napari_nanoqr.reading.reading import Margin
from napari_nanoqr.reading.unread import Unread

if TYPE_CHECKING:
    from napari_nanoqr.reading.diagnosis import Diagnosis

FEWEST_PIXELS = 2.6
"""Pixels a module below which a search finds no symbols."""

_FEW_PIXELS = 3.5
_MUCH_LEAK = 0.48
"""From 0.4 modules of blur on."""

_MUCH_COVERED = 0.08
_MUCH_OUTSIDE = 0.02
_MUCH_CLIPPED = 0.15
_MANY_TIMES = 50.0
_NO_LESS = 0.95


def advise(
    seen: Diagnosis, dose_factor: float | None, *, frames: int = 1, decoded: bool = False
) -> str:
    """Say in a sentence what to change, so that a symbol that was seen can be read.

    Parameters
    ----------
    seen : Diagnosis
        What the image shows.
    dose_factor : float or None
        How many times the electrons it needs.
    frames : int
        Frames that were averaged.
    decoded : bool
        The blocks were decoded, and what they hold makes no sense.

    Returns
    -------
    str
        A sentence, about what matters most.
    """
    if decoded:
        return "It is complete, but what it holds follows no standard: another program wrote it."
    if seen.outside > _MUCH_OUTSIDE:
        return f"{percent(seen.outside)} of it lies outside of the image: take a larger field."
    if seen.covered > _MUCH_COVERED:
        return (
            f"{percent(seen.covered)} of it is covered or gone: more electrons will not bring "
            "that back; clean it, or image another copy."
        )
    if seen.clipped > _MUCH_CLIPPED:
        return (
            f"{percent(seen.clipped)} of its pixels are pure black or white: lower contrast "
            "and brightness of the detector."
        )
    if seen.pitch_px < _FEW_PIXELS:
        return (
            f"Its modules are only {seen.pitch_px:.1f} pixels wide: magnify until they have 6 "
            "or more."
        )
    if seen.leak > _MUCH_LEAK:
        return "Its modules melt into one another: mend focus and astigmatism first."
    if dose_factor is None or dose_factor <= 1.05:
        return (
            "There are electrons enough: look for vibration, drift or damage, take a second "
            "image, and enter pixel size and pitch."
        )
    if dose_factor > _MANY_TIMES:
        return f"It needs more than {_MANY_TIMES:.0f} times the electrons, or a larger pixel."
    count = max(ceil(dose_factor * frames), frames + 1)
    return f"Dwell {dose_factor:.2g} times as long, or average {count} such frames."


def what_failed(unread: list[Unread]) -> str:
    """Say which symbols were seen, and how far they are from being read."""
    if len(unread) > 1:
        nearest = min(unread, key=lambda seen: seen.dose_factor or float("inf"))
        head = f"{len(unread)} codes were seen and none could be read. The clearest: "
    else:
        (nearest,) = unread
        head = "A code was seen, but could not be read: "
    return f"{head}{describe_unread(nearest)}. {nearest.advice}"


def describe_unread(seen: Unread) -> str:
    """Say what is known of a symbol that could not be read, without a full stop."""
    pitch = f"{seen.pitch_px:.3g} px" if seen.pitch_nm is None else f"{seen.pitch_nm:.3g} nm"
    words = [seen.name, f"pitch {pitch}", f"{percent(seen.expected_error_rate)} wrong modules"]
    if seen.failed_stage == "decode" and seen.blocks > 1 and seen.failed_blocks:
        words.append(f"{len(seen.failed_blocks)} of {seen.blocks} blocks not decoded")
    return ", ".join(words)


def nothing_seen(
    shape: tuple[int, int],
    frames: int,
    pixel_size_nm: float | None,
    pitch_nm: float | None,
    *more: str,
) -> str:
    """Say what to try where no symbol was seen at all.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    frames : int
        Frames that were averaged.
    pixel_size_nm, pitch_nm : float or None
        As far as they are known.
    *more : str
        Further things to try.
    """
    tries = []
    if min(shape) < 21 * FEWEST_PIXELS:
        tries.append(
            f"take more pixels: {min(shape)} are too few for the smallest QR code, which has 21 "
            "modules a side"
        )
    if pixel_size_nm is None:
        tries.append("enter the pixel size and the pitch")
    elif pitch_nm is None:
        tries.append("enter the pitch")
    elif pitch_nm / pixel_size_nm < FEWEST_PIXELS:
        tries.append(
            f"magnify more, or check pitch and pixel size: a module would be "
            f"{pitch_nm / pixel_size_nm:.1f} pixels wide, 3 are the least and 6 to 10 are good"
        )
    else:
        tries.append("check pitch and pixel size, or leave the pitch out")
    tries += more
    tries.append("see to focus and astigmatism")
    tries.append("take several frames, or a longer dwell" if frames == 1 else "take more frames")
    return "No code was found. Try this: " + "; ".join(tries) + "."


def percent(share: float) -> str:
    """Say a share with two digits."""
    return f"{100 * share:.0f} %" if share >= 0.095 else f"{100 * share:.2g} %"


def margin_in_words(margin: Margin, exact: bool = True) -> str:
    """Say with how many electrons a code would still be readable; in numbers, too, or in short."""
    if margin.share > _NO_LESS:
        return "at its limit, fewer electrons would not do"
    share = percent(margin.share).replace(" ", "\N{NO-BREAK SPACE}")
    words = f"readable with {share} of the electrons"
    return f"{words}: {margin.stop}" if exact and margin.stop.per_pixel is not None else words
