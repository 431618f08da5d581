"""Readings in words for people."""

from __future__ import annotations

from collections.abc import Sequence

from napari_nanoqr.reading.advice import (
    describe_unread,
    margin_in_words,
    nothing_seen,
    percent,
)
from napari_nanoqr.reading.append import join_sets
from napari_nanoqr.reading.comparison import Comparison
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.readings import Readings
from napari_nanoqr.widgets.image_source import ImageSource

LONGEST_LABEL = 32

_MOST_LEFT_OVER = 3
_LONGEST_SET = 200


def label_of(reading: Reading, longest: int = LONGEST_LABEL) -> str:
    """Return the payload in a few characters, from its start and end: text, or hex."""
    if reading.text is None:
        words = f"hex {reading.payload.hex(' ')}"
    else:
        words = " ".join(reading.text.split())
    return shortened(words, longest)


def shortened(words: str, longest: int) -> str:
    """Return the start and the end of words that are too long."""
    if len(words) <= longest:
        return words
    half = (longest - 1) // 2
    return f"{words[: longest - 1 - half]}…{words[-half:]}"


def repairs(reading: Reading) -> str:
    """Say how many codewords were repaired, and how many were left."""
    if reading.corrected_codewords is None:
        return "not known"
    left = reading.correctable_left
    return f"{reading.corrected_codewords}" + (
        "" if left is None else f" ({left} of {reading.correctable_per_block} left)"
    )


def summary(readings: Readings) -> str:
    """Say in a line what was read."""
    words = ["1 code read" if len(readings) == 1 else f"{len(readings)} codes read"]
    which = "worst " if len(readings) > 1 else ""
    margins = [reading.margin for reading in readings if reading.margin is not None]
    known = [reading for reading in readings if reading.correctable_left is not None]
    if margins:
        least = max(margins, key=lambda margin: margin.share)
        words.append(which + margin_in_words(least, exact=False))
    elif known:
        worst = min(known, key=lambda reading: reading.correctable_left or 0)
        words.append(
            f"{which}{worst.correctable_left} of {worst.correctable_per_block} repairs left"
        )
    sizes = [reading.pitch_nm for reading in readings if reading.pitch_nm is not None]
    if sizes:
        low, high = f"{min(sizes):.3g}", f"{max(sizes):.3g}"
        words.append(
            f"pitch {low}\N{NO-BREAK SPACE}nm"
            if low == high
            else f"pitch {low} to {high}\N{NO-BREAK SPACE}nm"
        )
    if readings.unread:
        words.append(f"{len(readings.unread)} more seen, not read")
    return " · ".join(words)


def facts(reading: Reading) -> str:
    """Say in some lines how well a code was read, and how far it is from being lost."""
    lines = []
    if reading.structured_append is not None:
        index, count, _ = reading.structured_append
        lines.append(f"Number {index + 1} of a set of {count}")
    if reading.wrong is not None:
        wrong, of = int(reading.wrong.sum()), reading.wrong.size
        lines.append(f"{wrong} of {of} modules read wrong ({percent(wrong / of)})")
    margin = reading.margin
    if margin is not None:
        low, high = min(margin.noise), max(margin.noise)
        blocks = len(margin.noise)
        several = f" (block by block up to {high:.3g})" if blocks > 1 else ""
        lines.append(f"The noise could be {low:.3g} times as strong{several}")
        sentence = margin_in_words(margin)
        lines.append(sentence[:1].upper() + sentence[1:])
    return "\n".join(lines)


def left_over(readings: Readings) -> str:
    """Say what was seen and not read; the nearest ones where there are many."""
    lines = [
        f"Not read: {describe_unread(seen)}. {seen.advice}"
        for seen in sorted(readings.unread, key=lambda seen: seen.dose_factor or float("inf"))
    ]
    more = len(lines) - _MOST_LEFT_OVER
    if more > 0:
        lines = [*lines[:_MOST_LEFT_OVER], f"… and {more} more"]
    # of a single one all has been said in the status line
    return "\n".join(lines) if readings or len(lines) > 1 else ""


def sets_in_words(readings: Readings) -> str:
    """Say what became of sets of codes that hold one message together."""
    return "\n".join(shortened(str(joined), _LONGEST_SET) for joined in join_sets(readings))


def comparison_lines(comparisons: Sequence[Comparison]) -> str:
    """Say how an image compares with the design that was chosen."""
    if not comparisons:
        return "The design was not found in this image."
    return "\n".join(str(found) for found in comparisons)


def payload_text(reading: Reading) -> str:
    """Return the whole payload for people: text, or hex with its length."""
    if reading.text is not None:
        return reading.text
    return f"{len(reading.payload)} bytes, hex {reading.payload.hex(' ')}"


def no_code_advice(
    readings: Readings, source: ImageSource, pitch_nm: float | None, region: bool
) -> str:
    """Say why no code was read, and what to try with this image."""
    if readings.unread:
        return readings.advice
    size = source.pixel_size.nm
    more = [] if region else ["draw a region around the code with some space beside it"]
    if source.frames > 1 and not source.all_frames:
        more.append("average all frames")
    return nothing_seen(
        source.shape, source.frames, None if size is None else max(size), pitch_nm, *more
    )
