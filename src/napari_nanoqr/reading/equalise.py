"""From an image and a grid to a calibrated log-likelihood for every module.

Each module is a pulse that also reaches its neighbours. A filter matched to the pulse gathers
what the image knows of a module; what the neighbours leak into it is cancelled as far as they
are known and weighed down as far as they are not; and with what comes out the pulse is learned
again, from all modules.
"""

from __future__ import annotations

import itertools
from copy import copy

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.blank import blank_probability
from napari_nanoqr.reading.evidence import Levels, Values, bounded, fit_levels
from napari_nanoqr.reading.field import even, fit_field
from napari_nanoqr.reading.first_look import padded, rough_pulse, set_surround
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.likelihoods import ModuleLikelihoods, likelihoods_of, mixed
from napari_nanoqr.reading.matched import equalised
from napari_nanoqr.reading.pulse import Pulse, fit_pulse, inner, neighbours
from napari_nanoqr.reading.regrid import settled
from napari_nanoqr.reading.subsample import MARGIN, sample_cells
from napari_nanoqr.symbols.kinds import layout_of

_WORTH_SAMPLING = 0.03
"""Move of a corner in modules from which on the image is sampled again."""

_NOISE_FALLS_BEHIND = 0.75
"""Power of the contrast by which noise exceeds the modules where charging leaves little of them:
shot noise falls with the root of the gain, the detector's and what a field's fit misses not at all.
"""

_BLANK_RANGE = 3.0
"""Where nothing is written any level may be seen, from -3 to 3, dark being -1 and light 1."""

_LOST = 0.5
"""Probability from which on a module is taken for one in a blank area."""

Known = tuple[NDArray[np.bool_], NDArray[np.bool_]]
"""Modules of a symbol, True = dark, and which of them are known."""

FIRST_PASSES = 2
"""How often the pulse is learned again when modules are looked at for the first time."""

_TURNS = ((0, 0), (1, 1), (0, 1), (1, 0))
"""Rows and columns, even or odd, of the modules that are weighed by turns: those that touch at an
edge last."""

_FIRST_ROUNDS = 3
"""Before anything is decided, an uneven brightness and the pulse are fitted in turn."""


def module_likelihoods(
    image: NDArray[np.float32],
    grid: Grid,
    *,
    inverted: bool | None = None,
    known: Known | None = None,
    passes: int = FIRST_PASSES,
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
    return Equaliser(image, grid, inverted).look(known, passes, together=together)


class Equaliser:
    """What is learned of one symbol's modules, and of what they look like.

    Parameters
    ----------
    image, grid, inverted
        As :func:`module_likelihoods` takes them.

    Raises
    ------
    ValueError
        Where no symbol has the grid's shape.
    """

    def __init__(
        self, image: NDArray[np.float32], grid: Grid, inverted: bool | None = None
    ) -> None:
        layout = layout_of(grid.shape)
        self._image, self._grid, self._inverted = image, grid, inverted
        self._dark, self._certain = layout.dark, layout.certain
        self._sampled = self._cells = sample_cells(image, grid)
        self._signs = padded(np.zeros(grid.shape))
        self._variance = np.zeros_like(self._signs)
        self._counted = np.pad(self._certain, MARGIN)
        self._lost = np.zeros(grid.shape)
        self._field = even(self._signs.shape)
        self._levels: Levels | None = None
        self._pulse = self._before_all()

    def look(
        self, known: Known | None = None, passes: int = 1, *, together: bool = False
    ) -> ModuleLikelihoods:
        """Weigh the modules, the first time or on from where it ended the last time.

        Parameters
        ----------
        known, passes, together
            As :func:`module_likelihoods` takes them.
        """
        if known is not None:
            self._dark = np.where(known[1], known[0], self._dark)
            self._certain = self._certain | known[1]
        first = self._levels is None
        if first:
            self._pulse = self._before_all()
        self._tell(self._certain & (self._lost < _LOST))
        llr: NDArray[np.float64] | None = None
        for number in range(0 if first else 1, 1 + passes):
            llr = self._turn(again=number > 0, together=together and number == passes)
            if llr is None:
                break
        return likelihoods_of(llr, self._lost, self._levels, self._pulse, self._grid)

    def in_turn(self, modules: NDArray[np.bool_], seen: ModuleLikelihoods) -> NDArray[np.float32]:
        """Weigh modules by turns, with those before them taken for what a symbol would have there.

        Every second module of every second row comes at a time, so that most neighbours of the
        last ones have been told.

        Parameters
        ----------
        modules : (rows, columns) bool array
            The symbol, True = dark.
        seen : ModuleLikelihoods
            What :meth:`look` said last; it stands for those that come first.

        Returns
        -------
        (rows, columns) float32 array
            ln P(light) / P(dark); no value depends on a module that comes later.
        """
        other = self._copied()
        parity = np.indices(modules.shape) % 2
        turns = [(parity[0] == row) & (parity[1] == column) for row, column in _TURNS]
        llr, told = seen.llr.copy(), np.zeros_like(modules)
        for before, now in itertools.pairwise(turns):
            told |= before
            llr[now] = other.look((modules, told), together=True).llr[now]
        return llr

    def _copied(self) -> Equaliser:
        """Return one that goes on from here without changing this one."""
        other = copy(self)
        for name in ("_signs", "_variance", "_counted"):
            setattr(other, name, getattr(self, name).copy())
        return other

    def _before_all(self) -> Pulse:
        """Count what is certain, and return what it says of the pulse."""
        self._tell(self._certain)
        inner(self._counted)[...] = self._certain
        self._open_share = float(not self._certain.all())
        return rough_pulse(self._sampled, self._signs)

    def _tell(self, trusted: NDArray[np.bool_]) -> None:
        """Take modules for what is known of them."""
        inner(self._signs)[trusted] = np.where(self._dark[trusted], -1.0, 1.0)
        inner(self._variance)[trusted] = 0.0

    def _turn(self, *, again: bool, together: bool) -> NDArray[np.float64] | None:
        """Learn what modules look like, and weigh them by that; None where nothing is seen."""
        pulse, signs, certain, dark = self._pulse, self._signs, self._certain, self._dark
        if not self._counted.any():
            # all of it looked covered or gone
            return None
        if again:
            self._settle(pulse)
        for _ in range(1 if again else _FIRST_ROUNDS):
            self._field = fit_field(self._sampled, pulse, signs, self._open_share, self._field)
            self._cells = self._field.removed(self._sampled)
            set_surround(self._cells, signs, pulse)
            contrast = self._field.contrast
            pulse = fit_pulse(self._cells, signs, self._variance, self._counted, contrast)
            if not self._field.brightness.any():
                break
        self._pulse = pulse
        if pulse.amplitude == 0 or self._inverted not in (None, pulse.amplitude < 0):
            return None
        values, scale, sigma = equalised(self._cells, pulse, signs, self._open_share, contrast)
        scale *= inner(contrast) ** -_NOISE_FALLS_BEHIND
        around = inner(neighbours(signs, 1))
        beside = (around[0, 1] + around[2, 1] + around[1, 0] + around[1, 2]) / 4
        across = (around[0, 0] + around[0, 2] + around[2, 0] + around[2, 2]) / 4
        levelled = Values(values, scale, beside, across)
        self._levels = fit_levels(levelled, certain & (self._lost < _LOST), ~dark, sigma)
        llr = self._levels.log_likelihood(levelled)
        soft = np.tanh(llr / 2)
        self._lost = blank_probability(levelled, self._levels, certain, dark)
        there = self._lost < _LOST
        trusted = certain & there
        # what is blank leaks as what it looks like, whatever was written there
        inner(signs)[...] = np.where(there, soft, np.clip(values, -_BLANK_RANGE, _BLANK_RANGE))
        inner(self._variance)[...] = 1 - soft**2
        self._tell(trusted)
        inner(self._counted)[...] = there
        self._open_share = float((1 - soft**2)[~trusted].mean()) if not trusted.all() else 0.0
        if together:
            from napari_nanoqr.reading.sampling import sampled

            drawn = ~trusted & there
            joint = sampled(self._cells, pulse, signs, contrast, np.pad(drawn, MARGIN))
            llr = np.where(drawn, bounded(inner(joint)), llr)
        return mixed(llr, self._lost)

    def _settle(self, pulse: Pulse) -> None:
        """Move the grid to where the modules fit the image best."""
        doubt, contrast = float(self._variance.mean()), self._field.contrast
        moved = settled(self._cells, pulse, self._signs, doubt, self._grid, contrast)
        if _distance(moved, self._grid) > _WORTH_SAMPLING * self._grid.pitch_px:
            self._grid, self._sampled = moved, sample_cells(self._image, moved)


def _distance(one: Grid, other: Grid) -> float:
    """Return how far two grids are apart at most, in pixels, on a lattice of nine points."""
    rows, columns = one.shape
    lattice = np.indices((3, 3)).transpose(1, 2, 0) / 2 * np.array([rows, columns])
    apart = one.to_pixels(lattice) - other.to_pixels(lattice)
    return float(np.sqrt((apart**2).sum(axis=-1).max()))
