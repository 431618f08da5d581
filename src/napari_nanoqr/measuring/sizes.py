"""Sizes of modules, edge bias, roughness and blur, from modules to nanometres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.measuring.edges import EdgeBits, edge_bits
from napari_nanoqr.measuring.fitted import SymbolFit
from napari_nanoqr.measuring.quantity import Quantity
from napari_nanoqr.measuring.roughness import Roughness, roughness_of

_LEAST_ALONE = 10
"""Modules between two light ones from which the spread of their widths is told."""


@dataclass(frozen=True)
class Sizes:
    """Lengths of one code, all in nm.

    Parameters
    ----------
    module_width_nm, module_height_nm : Quantity
        Mean extent of a dark module along rows and columns.
    sigma_width_nm, sigma_height_nm : Quantity or None
        Standard deviation of these from module to module.
    edge_bias_nm, edge_bias_x_nm, edge_bias_y_nm : Quantity
        How far milled areas reach beyond their nominal edges: of all, of the edges between
        columns, of those between rows.
    roughness_nm : Quantity or None
        Line-edge roughness.
    blur_nm : Quantity
        Standard deviation of what softens the edges.
    """

    module_width_nm: Quantity
    module_height_nm: Quantity
    sigma_width_nm: Quantity | None
    sigma_height_nm: Quantity | None
    edge_bias_nm: Quantity
    edge_bias_x_nm: Quantity
    edge_bias_y_nm: Quantity
    roughness_nm: Quantity | None
    blur_nm: Quantity


def sizes_of(
    image: NDArray[np.float32],
    fit: SymbolFit,
    modules: NDArray[np.bool_],
    pitch_nm: tuple[Quantity, Quantity],
    *,
    milled_dark: bool = True,
) -> Sizes:
    """Return the lengths of a code.

    Parameters
    ----------
    image : (y, x) float32 array
        The image.
    fit : SymbolFit
        Of the symbol in it.
    modules : (rows, columns) bool array
        What is written, True = dark.
    pitch_nm : tuple of Quantity
        Pitch from row to row and from column to column.
    milled_dark : bool
        The dark modules are the milled ones.

    Returns
    -------
    Sizes
        An edge is where the signal is half-way between those of large areas.
    """
    covariance, scale = fit.shape_covariance, np.array([pitch.value for pitch in pitch_nm])
    doubts = [pitch.uncertainty or 0.0 for pitch in pitch_nm]
    bias, sigma = np.array(fit.shape.bias), np.array(fit.shape.sigma)
    bias_doubts = np.sqrt(np.diag(covariance)[:2].clip(0)) * scale
    extents = [
        Quantity(scale[k] * (1 + 2 * bias[k]), float(np.hypot(2 * bias_doubts[k], doubts[k])), "nm")
        for k in (0, 1)
    ]
    sign = 1.0 if milled_dark else -1.0
    biases = [Quantity(sign * bias[k] * scale[k], float(bias_doubts[k]), "nm") for k in (0, 1)]
    half = scale / 2
    both = Quantity(
        sign * float(half @ bias),
        float(np.sqrt(max(float(half @ covariance[:2, :2] @ half), 0))),
        "nm",
    )
    blur = float(np.sqrt(np.mean((sigma * scale) ** 2)))
    gradient = sigma * scale**2 / (2 * blur)
    softness = Quantity(
        blur, float(np.sqrt(max(float(gradient @ covariance[2:, 2:] @ gradient), 0))), "nm"
    )
    bits = [edge_bits(image, fit, k) for k in (0, 1)]
    spreads = [_spread(bits[k], scale[k]) for k in (0, 1)]
    # edges between rows run along columns, and are softened along themselves as those between
    # columns are across
    rough = [
        (found, scale[k])
        for k in (0, 1)
        if (found := roughness_of(bits[k], fit.shape.sigma[1 - k])) is not None
    ]
    return Sizes(
        module_width_nm=extents[1],
        module_height_nm=extents[0],
        sigma_width_nm=spreads[1],
        sigma_height_nm=spreads[0],
        edge_bias_nm=both,
        edge_bias_x_nm=biases[1],
        edge_bias_y_nm=biases[0],
        roughness_nm=_mean_roughness(rough),
        blur_nm=softness,
    )


def _mean_roughness(found: list[tuple[Roughness, float]]) -> Quantity | None:
    """Return the root mean square over both orientations."""
    if not found:
        return None
    variances = [(one.sigma * scale) ** 2 for one, scale in found]
    value = float(np.sqrt(np.mean(variances)))
    each = [
        one.sigma * scale * one.uncertainty * scale if one.sigma > 0 else 0.0
        for one, scale in found
    ]
    largest = max(one.uncertainty * scale for one, scale in found)
    doubt = float(np.sqrt(np.square(each).sum()) / len(found) / value) if value > 0 else largest
    return Quantity(value, doubt, "nm")


def _spread(bits: EdgeBits, scale: float) -> Quantity | None:
    """Return the standard deviation of the extent of single dark modules, noise taken out.

    Noise is seen in the bits of a side: each half of them gives the extent anew.
    """
    halves = []
    width = int(bits.at.max(initial=0)) + 1
    for half in (0, 1):
        some = bits.bit % 2 == half
        # dark comes after the edge of a module that lies before it
        first = some & (bits.sign < 0)
        last = some & (bits.sign > 0)
        size = (int(bits.line.max(initial=0)) + 2) * width
        sums = []
        for which, shift in ((first, 0), (last, 1)):
            number = (bits.line[which] - shift) * width + bits.at[which]
            weight = np.bincount(number.clip(0), bits.weight[which], size)
            total = np.bincount(number.clip(0), (bits.weight * bits.outward)[which], size)
            with np.errstate(invalid="ignore", divide="ignore"):
                sums.append(np.where(weight > 0, total / weight, np.nan))
        halves.append(sums[0] + sums[1])
    known = np.isfinite(halves[0]) & np.isfinite(halves[1])
    count = int(known.sum())
    if count < _LEAST_ALONE:
        return None
    one, other = halves[0][known], halves[1][known]
    shared = float(np.cov(one, other)[0, 1])
    doubt = float(np.sqrt((one.var() * other.var() + shared**2) / count))
    value = float(np.sqrt(max(shared, 0.0)))
    uncertainty = doubt / (2 * value) if value**2 > doubt else float(np.sqrt(doubt))
    return Quantity(value * scale, uncertainty * scale, "nm")
