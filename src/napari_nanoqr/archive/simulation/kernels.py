"""The loops over pixels: what the beam milled, what the SEM sees of it, and its noise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.compiled import compiled

Floats = NDArray[np.float32]


def _see(
    dose: Floats,
    tail: Floats,
    weights: Floats,
    glow: Floats,
    signal: Floats,
    per_dose: float,
    edge: float,
    affine: NDArray[np.float64],
    rows_moved: NDArray[np.float64],
    bend: NDArray[np.float64],
    probe: tuple[float, float],
    lines: NDArray[np.float64],
    stripped: float,
    seen: Floats,
) -> None:
    """Fill in the relative signal of each pixel; see `micrograph.field_signal`."""
    height, width = dose.shape
    fractions = weights.shape[0]
    rows, columns = seen.shape
    nodes = bend.shape[1] - 1
    last = signal.shape[0] - 1
    here = np.empty((2, nodes + 2))
    for i in range(rows):
        # the bent field between the two lattice rows above and below, for this row
        at = min(i * nodes / rows, nodes - 1e-9)
        above = int(at)
        share = at - above
        for axis in range(2):
            for node in range(nodes + 1):
                here[axis, node] = (
                    bend[axis, above, node] * (1 - share)
                    + bend[axis, min(above + 1, nodes), node] * share
                )
        for j in range(columns):
            along = j * nodes / columns
            node = int(along)
            part = along - node
            py = i - rows_moved[0, i] - here[0, node] * (1 - part) - here[0, node + 1] * part
            px = j - rows_moved[1, i] - here[1, node] * (1 - part) - here[1, node + 1] * part
            y = affine[0, 0] * py + affine[0, 1] * px + affine[0, 2]
            x = affine[1, 0] * py + affine[1, 1] * px + affine[1, 2]
            total = 0.0
            depth = 0.0
            # two Gauss-Hermite nodes along each axis stand for the probe
            for sy in range(2):
                qy = y + (2 * sy - 1) * probe[0]
                my = min(max(int(np.floor(qy)), 1), height - 2)
                fy = min(max(int((qy - my) * fractions), 0), fractions - 1)
                for sx in range(2):
                    qx = x + (2 * sx - 1) * probe[1]
                    mx = min(max(int(np.floor(qx)), 1), width - 2)
                    fx = min(max(int((qx - mx) * fractions), 0), fractions - 1)
                    d = tail[my, mx]
                    for a in range(3):
                        d += weights[fy, a] * (
                            weights[fx, 0] * dose[my - 1 + a, mx - 1]
                            + weights[fx, 1] * dose[my - 1 + a, mx]
                            + weights[fx, 2] * dose[my - 1 + a, mx + 1]
                        )
                    depth += d
                    level = d * per_dose
                    low = min(int(level), last - 1)
                    rest = min(level - low, 1.0)
                    total += signal[low] * (1 - rest) + signal[low + 1] * rest
            value = total / 4
            if edge > 0:
                my = min(max(int(np.floor(y)), 1), height - 2)
                fy = min(max(int((y - my) * fractions), 0), fractions - 1)
                mx = min(max(int(np.floor(x)), 1), width - 2)
                fx = min(max(int((x - mx) * fractions), 0), fractions - 1)
                d = tail[my, mx]
                for a in range(3):
                    for b in range(3):
                        d += glow[fy, a] * glow[fx, b] * dose[my - 1 + a, mx - 1 + b]
                # a point glows by how much lower its surroundings lie
                value += edge * max(d - depth / 4, 0.0)
            for line in range(lines.shape[0]):
                off = lines[line, 0] * y + lines[line, 1] * x + lines[line, 2]
                if abs(off) < lines[line, 3]:
                    value = stripped
            seen[i, j] = value


def _count(expected: Floats, normal: Floats, read: float, black: float, gain: float,
           white: float, grey: NDArray[Any]) -> None:  # fmt: skip
    """Fill in grey values: Poisson and read noise together, by their first three cumulants."""
    rows, columns = expected.shape
    for i in range(rows):
        for j in range(columns):
            mean, z = expected[i, j], normal[i, j]
            variance = mean + read * read
            skewed = (z * z - 1) * mean / (6 * variance)
            value = (mean + np.sqrt(variance) * z + skewed - black) * gain
            grey[i, j] = int(min(max(value + 0.5, 0.0), white))


def _vary(dose: Floats, row: int, column: int, seed: int, spread: float) -> None:
    """Give each module a dose of its own that depends on its place on the sheet alone."""
    rows, columns = dose.shape
    for i in range(rows):
        for j in range(columns):
            key = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
            key += np.uint64(row + i) * np.uint64(0xD1B54A32D192ED03)
            key += np.uint64(column + j) * np.uint64(0x8CB92BA72F3D8DD7)
            # the last steps of splitmix64 (Steele et al., OOPSLA 2014)
            key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            key ^= key >> np.uint64(31)
            # four evenly spread numbers add up to nearly a Gaussian of variance 1/3
            total = 0.0
            for part in range(4):
                total += np.float64((key >> np.uint64(16 * part)) & np.uint64(0xFFFF)) / 65536.0
            dose[i, j] *= 1 + spread * (total - 2.0) * 1.7320508


see = compiled(_see, fastmath=True)
vary = compiled(_vary)
count = compiled(_count, fastmath=True)
