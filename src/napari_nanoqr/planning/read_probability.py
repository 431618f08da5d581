"""How probably our reader will read a symbol: predicted from its channel, or counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import sqrt
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

from napari_nanoqr.fib.pattern import Pattern
from napari_nanoqr.fib.plan import MillPlan
from napari_nanoqr.physics.simulate import pattern_of, simulate_micrograph
from napari_nanoqr.planning.channel import (
    Cancelled,
    Channel,
    design_of,
    expected_film,
    measure_channel,
)
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.planning.needed import least_rho, share_read

DOSE_ERROR = 0.15
"""By which the dose that is predicted to be enough may differ from the one that is counted."""

_CONFIDENCE = 0.95

_MOST_CUT_OFF = 0.06
"""Of an image at each side, so that the symbol is not in its middle; the quiet zone stays."""

Progress = Callable[[int, int, str], None]
"""Called with steps done, steps planned, and a sentence."""


@dataclass(frozen=True)
class ReadProbability:
    """How probably an image of a symbol is read, and how sure that is.

    Parameters
    ----------
    probability : float
        Share of such images that are read.
    low, high : float
        Predicted: with 15 % less and more electrons, which is about how far predictions are from
        what is counted. Counted: Wilson's interval at 95 %.
    how : {"predicted", "counted"}
        Where it comes from.
    images : int
        Images that were read, 0 where none was.
    """

    probability: float
    low: float
    high: float
    how: Literal["predicted", "counted"]
    images: int = 0

    @property
    def interval(self) -> tuple[float, float]:
        """Low and high end."""
        return self.low, self.high

    def __str__(self) -> str:
        said = f"{percent(self.probability)} %"
        if percent(self.low) != percent(self.high):
            said += f" ({percent(self.low)} to {percent(self.high)} %)"
        return said + (f", counted on {self.images} images" if self.images else "")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "read_probability": round(self.probability, 4),
            "interval": [round(self.low, 4), round(self.high, 4)],
            "how": self.how,
        }


def percent(share: float) -> str:
    """Return a share in percent for people, with nothing rounded to certainty."""
    if share > 0.999:
        return ">99.9"
    if 0 < share < 0.001:
        return "<0.1"
    return f"{100 * share:.{3 if share > 0.1 else 2}g}"


def read_probability(channel: Channel, version: int | str, error: str) -> ReadProbability:
    """Predict how probably a symbol is read.

    Parameters
    ----------
    channel : Channel
        What each of its modules tells.
    version : int or str
        1 to 40, ``"M1"`` to ``"M4"``, or e.g. ``"R13x43"``.
    error : {"L", "M", "Q", "H"}
        Error-correction level.

    Returns
    -------
    ReadProbability
        That it is found, and all of its blocks are decoded.

    Raises
    ------
    NoSymbol, KeyError
        Where there is no such version, or it has no such level.

    Notes
    -----
    Each Reed-Solomon block is taken for a code that fails as the normal approximation says, with
    as many more bits to carry as our reader leaves for being sure, and the loss of its search.
    Before that the symbol has to be found by its finder patterns. With n modules these stand out
    by a normal number of standard deviations, rho sqrt(n) on average. How many it takes was
    counted on codes that would be read in images in which they are hardly seen: M4-Q, R13x27-H
    and 1-H.
    """
    read, low, high = (
        share_read(sqrt(electrons) * channel.rho, version, error)
        for electrons in (1.0, 1 - DOSE_ERROR, 1 + DOSE_ERROR)
    )
    return ReadProbability(read, low, high, "predicted")


def dose_margin(channel: Channel, version: int | str, error: str) -> float:
    """Return how many times the electrons that a symbol takes there are.

    Parameters
    ----------
    channel, version, error
        As for :func:`read_probability`.

    Returns
    -------
    float
        1 where 99 of 100 images are expected to be read, 0 where nothing is told. Above about 10
        there is plenty, and no more can be said.
    """
    return (channel.rho / least_rho(version, error)) ** 2


def predict_reading(plan: MillPlan, sem: SemCondition | None = None) -> ReadProbability:
    """Predict how probably the symbol of a plan is read, from a few predicted micrographs of it.

    Parameters
    ----------
    plan : MillPlan
        What is milled.
    sem : SemCondition, optional
        How it is imaged.

    Returns
    -------
    ReadProbability
        For images of that kind; see `count_reading` for one that is read in earnest.
    """
    symbol = plan.design.symbol
    return read_probability(measure_channel(plan, sem), symbol.version, symbol.error)


def count_reading(
    source: MillPlan | Pattern,
    sem: SemCondition | None = None,
    *,
    images: int = 100,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ReadProbability:
    """Read predicted micrographs of a plan's symbol, and count.

    Parameters
    ----------
    source : MillPlan or Pattern
        What is milled. A pattern has to tell its design.
    sem : SemCondition, optional
        How it is imaged; pixel size and pitch are known to the reader.
    images : int
        Each at another angle and place, with noise of its own. They take a tenth of a second and
        more each.
    seed : int
        Of poses and noise.
    progress : callable, optional
        Called after each image with the number done, the number planned, and a sentence.
    cancelled : callable, optional
        Asked before each image; True ends the count with what was read until then.

    Returns
    -------
    ReadProbability
        Of the payload; a wrong answer counts as none.

    Raises
    ------
    Cancelled
        Where no image was read at all.
    ValueError
        Where the number of images is not positive.
    """
    from napari_nanoqr.reading.read import read_codes

    if images < 1:
        raise ValueError(f"{images} images are not enough to count: use 1 or more.")
    sem = sem or SemCondition()
    pattern = pattern_of(source) if isinstance(source, MillPlan) else source
    design = design_of(pattern)
    payload = design.symbol.payload
    film = expected_film(pattern)
    read = done = 0
    for number in range(images):
        if cancelled is not None and cancelled():
            break
        rng = np.random.default_rng([seed, number])
        micrograph = simulate_micrograph(
            pattern, milled=film, rotation_deg=float(rng.uniform(0, 360)),
            seed=int(rng.integers(1 << 31)), **sem.arguments(),
        )  # fmt: skip
        cut = (rng.uniform(0, _MOST_CUT_OFF, 4) * np.repeat(micrograph.image.shape, 2)).astype(int)
        bottom, right = micrograph.image.shape[0] - cut[1], micrograph.image.shape[1] - cut[3]
        image = np.ascontiguousarray(micrograph.image[cut[0] : bottom, cut[2] : right])
        found = read_codes(replace(micrograph, image=image), pitch_nm=design.pitch_nm)
        read += any(reading.payload == payload for reading in found)
        done += 1
        if progress is not None:
            progress(done, images, f"{read} of {done} images read")
    if not done:
        raise Cancelled
    low, high = wilson_interval(read, done)
    return ReadProbability(read / done, low, high, "counted", done)


def wilson_interval(hits: int, trials: int) -> tuple[float, float]:
    """Return the interval in which a probability lies, at 95 %.

    Parameters
    ----------
    hits, trials : int
        How often it came true, of how many.

    Returns
    -------
    low, high : float
        Wilson's score interval.

    References
    ----------
    E. B. Wilson, Journal of the American Statistical Association 22 (1927) 209.
    """
    z = NormalDist().inv_cdf(0.5 + _CONFIDENCE / 2)
    share, weight = hits / trials, z * z / trials
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * sqrt(share * (1 - share) / trials + weight / trials / 4)
    return max(0.0, middle - half), min(1.0, middle + half)
