"""The bits of a symbol's codewords as its modules show them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.forms import Form
from napari_nanoqr.symbols.layout import Layout
from napari_nanoqr.symbols.placement import bit_order

SURE = 30.0
"""Logarithm of the odds of a bit that was decoded already, or is taken for granted."""


@dataclass(frozen=True, eq=False)
class SoftBits:
    """The bits of all codewords, data before parity.

    Parameters
    ----------
    ratios : (8 n,) float32 array
        Natural logarithm of P(bit is 0) / P(bit is 1).
    known : (8 n,) bool array
        Bits that are certain.
    """

    ratios: NDArray[np.float32]
    known: NDArray[np.bool_]

    @classmethod
    def of(cls, llr: NDArray[np.float32], layout: Layout, error: str, mask: int) -> SoftBits:
        """Return the bits as the modules show them."""
        structure = layout.blocks[error]
        order = bit_order(structure)
        # a dark module is a 1 where the mask is not set: its ratio counts for the bit as it is
        turned = np.where(layout.masks[mask], -llr, llr)[layout.codeword_places]
        # bits that are not placed are zero
        bits = np.ones(8 * structure.codewords, dtype=np.float32)
        known = np.ones(bits.shape, dtype=bool)
        bits[order], known[order] = turned[: order.size], False
        return cls(bits, known)

    def block(self, positions: NDArray[np.int_]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return those of some codewords, ``(n, 8)``."""
        return self.ratios.reshape(-1, 8)[positions], self.known.reshape(-1, 8)[positions]

    def told(self, positions: NDArray[np.int_], codewords: NDArray[np.uint8]) -> SoftBits:
        """Return the bits with some codewords as certain as can be."""
        ratios = self.ratios.reshape(-1, 8).copy()
        ratios[positions] = np.where(np.unpackbits(codewords).reshape(-1, 8), -SURE, SURE)
        return SoftBits(ratios.ravel(), self.known)

    def in_form(self, form: Form) -> SoftBits:
        """Return the bits with those that a form fixes."""
        ratios, known = self.ratios.copy(), self.known.copy()
        data = np.s_[: form.fixed.size]
        ratios[data] += form.leaning
        ratios[data][form.fixed] = np.where(form.ones[form.fixed], -SURE, SURE)
        known[data] |= form.fixed
        return SoftBits(ratios, known)


def modules_of(
    bits: NDArray[np.bool_], known: NDArray[np.bool_], layout: Layout, error: str, mask: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the modules of those bits that are known, True = dark, and which they are."""
    order = bit_order(layout.blocks[error])
    places = tuple(place[: order.size] for place in layout.codeword_places)
    dark, certain = np.zeros((2, *layout.dark.shape), dtype=bool)
    dark[places], certain[places] = bits[order], known[order]
    return (dark ^ layout.masks[mask]) & certain, certain
