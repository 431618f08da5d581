"""From an image and a grid to a calibrated log-likelihood for every module.

Each module is a pulse that also reaches its neighbours. A filter matched to the pulse gathers
what the image knows of a module; what the neighbours leak into it is cancelled as far as they
are known and weighed down as far as they are not; and with what comes out the pulse is learned
again, from all modules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.blank import blank_probability
from napari_nanoqr.reading.evidence import Levels, Values, bounded, fit_levels
from napari_nanoqr.reading.field import even, fit_field
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.matched import equalised
from napari_nanoqr.reading.pulse import Pulse, fit_pulse, inner, neighbours
from napari_nanoqr.reading.pulse_shapes import REACH
from napari_nanoqr.reading.regrid import settled
from napari_nanoqr.reading.subsample import CELLS, MARGIN, sample_cells
from napari_nanoqr.symbols.kinds import layout_of

_WORTH_SAMPLING = 0.03
"""Move of a corner in modules from which on the image is sampled again."""

_NOISE_FALLS_BEHIND = 0.75
"""Power of the contrast by which noise exceeds the modules where charging leaves little of them:
shot noise falls with the root of the gain, the detector's and what a field's fit misses not at all.
"""

_BLANK_RANGE = 3.0
"""Where nothing is written any level may be seen, from -3 to 3, dark being -1 and light 1."""

_FIRST_ROUNDS = 3
"""Before anything is decided, an uneven brightness and the pulse are fitted in turn."""


@dataclass(frozen=True, eq=False)
class ModuleLikelihoods:
    """What the image says about each module.

    Parameters
    ----------
    llr : (side, side) float32 array
        ln P(light) / P(dark), from the image alone: positive = light. Bounded, since a few
        modules in a thousand are covered by something else.
    amplitude : float
        Half the distance between the grey values of light and dark areas.
    sigma : float
        Noise of a module after equalising, in grey values; rho = amplitude / sigma, for
        modules of which half of the neighbours are light. Where milling saturates, the levels
        of others lie closer or further apart: the error rate below knows that, rho does not.
    expected_error_rate : float
        Share of the modules that a threshold gets wrong, as the likelihoods expect it.
    inverted : bool
        Dark modules are the brighter ones.
    grid : Grid
        Where the modules were sampled.
    blank : (side, side) float32 array
        How likely each module lies in an area that is covered or gone; its likelihood is
        reduced accordingly.
    """

    llr: NDArray[np.float32]
    amplitude: float
    sigma: float
    expected_error_rate: float
    inverted: bool
    grid: Grid
    blank: NDArray[np.float32]

    @property
    def rho(self) -> float:
        """Half the distance between the levels over the noise of a module."""
        return self.amplitude / self.sigma if self.sigma > 0 else 0.0


def module_likelihoods(
    image: NDArray[np.float32],
    grid: Grid,
    *,
    inverted: bool | None = None,
    known: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None,
    passes: int = 2,
    together: bool = False,
) -> ModuleLikelihoods:
    """Return a log-likelihood for every module of a symbol.

    Parameters
    ----------
    image : (y, x) float32 array
        The image, neither smoothed nor flattened.
    grid : Grid
        Where the symbol is, to about a tenth of a module; its shape tells the kind of symbol.
    inverted : bool, optional
        Dark modules are the brighter ones; by default the function patterns tell.
    known : (modules, mask), optional
        ``(side, side)`` bool arrays: further modules that are known (True = dark), and which.
    passes : int
        How often the pulse is learned again from all modules, and the neighbours' leak
        cancelled with what is known of them by then.
    together : bool
        In the end weigh all modules together (`napari_nanoqr.reading.sampling`): takes longer,
        and sees more where the image is soft.

    Returns
    -------
    ModuleLikelihoods
        The likelihoods; zero where the image has no contrast, or the other polarity than was
        told.

    Raises
    ------
    ValueError
        Where no symbol has the grid's shape.
    """
    layout = layout_of(grid.shape)
    dark, certain = layout.dark, layout.certain
    if known is not None:
        dark, certain = np.where(known[1], known[0], dark), certain | known[1]
    seen = sample_cells(image, grid)
    signs = _padded(np.where(certain, np.where(dark, -1.0, 1.0), 0.0))
    variance = np.zeros_like(signs)
    counted = np.pad(certain, MARGIN)
    trusted, lost = certain, np.zeros(certain.shape)
    open_share = float(not certain.all())
    pulse, levels, llr = _rough_pulse(seen, signs), None, None
    field, cells = even(signs.shape), seen
    for number in range(1 + passes):
        if number > 0:
            moved = settled(cells, pulse, signs, float(variance.mean()), grid, field.contrast)
            if _distance(moved, grid) > _WORTH_SAMPLING * grid.pitch_px:
                grid, seen = moved, sample_cells(image, moved)
        for _ in range(_FIRST_ROUNDS if number == 0 else 1):
            field = fit_field(seen, pulse, signs, open_share, field)
            cells = field.removed(seen)
            _set_surround(cells, signs, pulse)
            pulse = fit_pulse(cells, signs, variance, counted, field.contrast)
            if not field.brightness.any():
                break
        if pulse.amplitude == 0 or inverted not in (None, pulse.amplitude < 0):
            llr = None
            break
        values, scale, sigma = equalised(cells, pulse, signs, open_share, field.contrast)
        scale *= inner(field.contrast) ** -_NOISE_FALLS_BEHIND
        around = inner(neighbours(signs, 1))
        beside = (around[0, 1] + around[2, 1] + around[1, 0] + around[1, 2]) / 4
        across = (around[0, 0] + around[0, 2] + around[2, 0] + around[2, 2]) / 4
        levelled = Values(values, scale, beside, across)
        levels = fit_levels(levelled, trusted, ~dark, sigma)
        llr = levels.log_likelihood(levelled)
        soft = np.tanh(llr / 2)
        lost = blank_probability(levelled, levels, certain, dark)
        trusted = certain & (lost < 0.5)
        # what is blank leaks as what it looks like, whatever was written there
        looks = np.where(lost < 0.5, soft, np.clip(values, -_BLANK_RANGE, _BLANK_RANGE))
        inner(signs)[...] = np.where(trusted, np.where(dark, -1.0, 1.0), looks)
        inner(variance)[...] = np.where(trusted, 0.0, 1 - soft**2)
        inner(counted)[...] = lost < 0.5
        open_share = float((1 - soft**2)[~trusted].mean()) if not trusted.all() else 0.0
        if together and number == passes:
            from napari_nanoqr.reading.sampling import sampled

            drawn = ~trusted & (lost < 0.5)
            joint = sampled(cells, pulse, signs, field.contrast, np.pad(drawn, MARGIN))
            llr = np.where(drawn, bounded(inner(joint)), llr)
        llr = _mixed(llr, lost)
    return _result(llr, lost, levels, pulse, grid)


def _result(
    llr: NDArray[np.float64] | None,
    lost: NDArray[np.float64],
    levels: Levels | None,
    pulse: Pulse,
    grid: Grid,
) -> ModuleLikelihoods:
    amplitude = abs(pulse.amplitude)
    if llr is None or levels is None or levels.rho <= 0 or amplitude <= 0:
        return ModuleLikelihoods(
            np.zeros(grid.shape, np.float32),
            0.0,
            0.0,
            0.5,
            pulse.amplitude < 0,
            grid,
            np.zeros(grid.shape, np.float32),
        )
    error = float((1 / (1 + np.exp(np.abs(llr)))).mean())
    return ModuleLikelihoods(
        llr.astype(np.float32),
        amplitude,
        amplitude / levels.rho,
        error,
        pulse.amplitude < 0,
        grid,
        lost.astype(np.float32),
    )


def _distance(one: Grid, other: Grid) -> float:
    """Return how far two grids are apart at most, in pixels, on a lattice of nine points."""
    rows, columns = one.shape
    lattice = np.indices((3, 3)).transpose(1, 2, 0) / 2 * np.array([rows, columns])
    apart = one.to_pixels(lattice) - other.to_pixels(lattice)
    return float(np.sqrt((apart**2).sum(axis=-1).max()))


def _mixed(llr: NDArray[np.float64], lost: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return likelihoods of modules that say nothing with a probability."""
    dark = 1 / (1 + np.exp(llr))
    result: NDArray[np.float64] = np.log((1 - lost) * (1 - dark) + lost / 2) - np.log(
        (1 - lost) * dark + lost / 2
    )
    return result


def _padded(signs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put a quiet zone around the modules."""
    return np.pad(signs, MARGIN, constant_values=1.0)


def _set_surround(cells: NDArray[np.float32], signs: NDArray[np.float64], pulse: Pulse) -> None:
    """Set the margin's modules to what the image shows there, one value for each side, in place.

    A symbol without a quiet zone may stand on a dark ground, or beside something else.
    """
    if pulse.amplitude == 0:
        return
    seen = (cells - pulse.expected(signs)).mean(axis=(0, 1)) / pulse.amplitude + signs
    for _ in range(4):
        # the four sides in turn; each corner follows the side that comes later
        for ring in range(MARGIN):
            # untouched film around the symbol can be brighter than light modules between dark
            value = np.median(seen[ring, MARGIN:-MARGIN])
            signs[ring, :] = np.clip(value, -3, 3)
        seen, signs = np.rot90(seen), np.rot90(signs)


def _rough_pulse(cells: NDArray[np.float32], signs: NDArray[np.float64]) -> Pulse:
    """Return the levels of large areas, from modules whose neighbours in the symbol are known.

    Without the margin, about which nothing is known yet.
    """
    inside = inner(signs)
    around = neighbours(inside, 1)[:, :, 1:-1, 1:-1]
    use = (around != 0).all(axis=(0, 1))
    own, others = around[1, 1][use], around.sum(axis=(0, 1))[use] - around[1, 1][use]
    design = np.stack((np.ones_like(own), own, others / 8), axis=1)
    seen = inner(cells.mean(axis=(0, 1)))[1:-1, 1:-1][use]
    offset, near, far = np.linalg.lstsq(design, seen, rcond=None)[0]
    taps = np.zeros((CELLS, CELLS, 2 * REACH + 1, 2 * REACH + 1))
    taps[:, :, 1:-1, 1:-1] = far / 8
    taps[:, :, REACH, REACH] = near
    return Pulse(taps, float(offset), 1.0)
