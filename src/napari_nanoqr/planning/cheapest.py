"""The cheapest of a symbol's masks and polarities in beam time that keeps its margin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.design import Design, Mill
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.planning.margin import measure_margin
from napari_nanoqr.planning.read_probability import Progress
from napari_nanoqr.progress import Cancelled
from napari_nanoqr.symbols.kinds import layout_named, layout_of
from napari_nanoqr.symbols.penalty import edge_scores, finder_likes, penalties
from napari_nanoqr.symbols.symbol import Symbol

KEPT = 0.95
"""Share of the margin that has to be kept: what the same symbol under another mask differs by
from one set of images to the next."""

FINDER_LIKE = 0.002
"""Share of the beam time for which one more finder-like pattern is put up with: half of what masks
differ by is worth about a dozen."""


@dataclass(frozen=True)
class MaskOption:
    """One mask and polarity.

    Parameters
    ----------
    mask : int
        Data mask.
    mill : {"dark", "light"}
        Which modules the beam removes; with light ones the quiet zone as well.
    milled_modules : int
        How many it removes.
    beam_time_s : float
        Time with the beam on.
    finder_likes : int
        Rows and columns that look like a finder pattern's, those of the finder patterns included.
    penalty : int
        By which the standard ranks masks; the lowest is best.
    margin : float or None
        How many times the electrons it takes there are; None where it was not asked for.
    """

    mask: int
    mill: Mill
    milled_modules: int
    beam_time_s: float
    finder_likes: int
    penalty: int
    margin: float | None = None


@dataclass(frozen=True)
class MaskChoice:
    """The mask and polarity to take, and what they save.

    Parameters
    ----------
    design : Design
        The design with both.
    chosen : MaskOption
        The cheapest that keeps the margin.
    standard : MaskOption
        The encoder's own mask with dark modules milled.
    options : tuple of MaskOption
        All, by what they cost; those that were not looked at have no margin.
    """

    design: Design
    chosen: MaskOption
    standard: MaskOption
    options: tuple[MaskOption, ...]

    @property
    def saved_s(self) -> float:
        """Beam time that is saved."""
        return self.standard.beam_time_s - self.chosen.beam_time_s

    @property
    def saved_share(self) -> float:
        """The same as a share of what the encoder's own mask takes."""
        return self.saved_s / self.standard.beam_time_s

    def __str__(self) -> str:
        chosen, standard = self.chosen, self.standard
        said = f"mask {chosen.mask}, {chosen.mill} modules milled: {chosen.beam_time_s:.3g} s"
        return (
            f"{said}, {100 * self.saved_share:.2g} % less than with mask {standard.mask} and "
            f"{standard.mill} modules"
        )


def mask_options(design: Design, beam: Beam | None = None) -> tuple[MaskOption, ...]:
    """Return what each mask and polarity of a design's symbol takes.

    Parameters
    ----------
    design : Design
        Its mask and polarity do not matter; its quiet zone is milled with light modules.
    beam : Beam, optional
        By default that of `plan_milling`.

    Returns
    -------
    tuple of MaskOption
        Cheapest first; finder-like patterns count as a little beam time, and of equals the
        standard's penalty decides.
    """
    plan = plan_milling(design, beam)
    seconds = plan.beam_on_time_s / plan.milled_modules
    symbols = [remasked(design.symbol, mask) for mask in range(_masks(design.symbol))]
    matrices = np.stack([symbol.matrix for symbol in symbols])
    options = []
    for symbol, rank, like in zip(symbols, _ranks(matrices), finder_likes(matrices), strict=True):
        for mill in _MILLS:
            milled = int(np.count_nonzero(replace(design, symbol=symbol, mill=mill).milled))
            options.append(
                MaskOption(symbol.mask, mill, milled, milled * seconds, int(like), int(rank))
            )
    fewest = min(option.finder_likes for option in options)

    def cost(option: MaskOption) -> tuple[float, int, bool]:
        more = option.finder_likes - fewest
        price = option.beam_time_s * (1 + FINDER_LIKE * more)
        return price, option.penalty, option.mill == "light"

    return tuple(sorted(options, key=cost))


def cheapest_mask(
    design: Design,
    beam: Beam | None = None,
    sem: SemCondition | None = None,
    *,
    least_margin: float = KEPT,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> MaskChoice:
    """Choose the mask and polarity that take the least beam time and keep the margin.

    Parameters
    ----------
    design : Design
        Payload, version, level, quiet zone, pitch and film are kept.
    beam : Beam, optional
        By default that of `plan_milling`.
    sem : SemCondition, optional
        How it will be imaged.
    least_margin : float
        Share that has to be kept of the margin that the encoder's own mask has with dark modules
        milled. 0 takes the cheapest without looking.
    progress : callable, optional
        Called after each option that was predicted.
    cancelled : callable, optional
        Asked now and then; True stops.

    Returns
    -------
    MaskChoice
        With what it saves.

    Raises
    ------
    Cancelled
        Where `cancelled` said so.
    ValueError
        Where the plan cannot be.

    Notes
    -----
    Options are predicted one after the other, cheapest first, each from micrographs of the symbol
    itself, until one keeps the margin: that of the encoder's own mask is the last that could.
    """
    options = list(mask_options(design, beam))
    own = min(
        (option for option in options if option.mill == "dark"),
        key=lambda option: (option.penalty, option.mask),
    )

    def margin(option: MaskOption) -> float:
        if cancelled is not None and cancelled():
            raise Cancelled
        plan = plan_milling(_as(design, option), beam)
        symbol = design.symbol
        return measure_margin(plan, symbol.version, symbol.error, sem, cancelled=cancelled)[1]

    def measured(option: MaskOption) -> MaskOption:
        index = options.index(option)
        options[index] = replace(option, margin=margin(option))
        if progress is not None:
            done = sum(each.margin is not None for each in options)
            progress(done, len(options), f"mask {option.mask}, {option.mill} modules milled")
        return options[index]

    # what looks less like finder patterns is no reason to take longer
    cheaper = [option for option in options if option.beam_time_s <= own.beam_time_s]
    chosen = cheaper[0]
    if least_margin > 0:
        own = measured(own)
        assert own.margin is not None
        for option in cheaper:
            is_own = option.mask == own.mask and option.mill == own.mill
            chosen = own if is_own else measured(option)
            assert chosen.margin is not None
            if chosen is own or chosen.margin >= least_margin * own.margin:
                break
    return MaskChoice(_as(design, chosen), chosen, own, tuple(options))


def remasked(symbol: Symbol, mask: int) -> Symbol:
    """Return a symbol under another mask: the same codewords, written otherwise.

    Parameters
    ----------
    symbol : Symbol
        Any.
    mask : int
        Data mask.

    Raises
    ------
    ValueError
        Where the symbol's kind has no such mask.
    """
    layout = layout_named(symbol.version)
    if mask not in range(_masks(symbol)):
        raise ValueError(f"Mask {mask} does not exist: use 0 to {_masks(symbol) - 1}.")
    matrix = symbol.matrix ^ layout.masks[symbol.mask] ^ layout.masks[mask]
    layout.put_format(matrix, symbol.error, mask)
    return replace(symbol, matrix=matrix, mask=mask)


def _ranks(symbols: NDArray[np.bool_]) -> NDArray[np.int_]:
    """Return the number by which the standard chooses masks, lowest first."""
    layout = layout_of(symbols.shape[1:])
    if layout.symbology == "Micro QR":
        return -edge_scores(symbols)
    # there is nothing to choose where there is one mask
    return penalties(symbols) if len(symbols) > 1 else np.zeros(1, dtype=int)


_MILLS: tuple[Mill, Mill] = ("dark", "light")


def _masks(symbol: Symbol) -> int:
    return len(layout_named(symbol.version).masks)


def _as(design: Design, option: MaskOption) -> Design:
    return replace(design, symbol=remasked(design.symbol, option.mask), mill=option.mill)
