"""Where a symbol's modules stand in an image: a perspective, bent a little where needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""``(..., 2)`` float array; ``[y, x]`` in pixels, or ``[row, column]`` in modules."""


def homography(source: Points, target: Points) -> NDArray[np.float64]:
    """Return the perspective that takes four points to four others.

    Parameters
    ----------
    source, target : (4, 2) float arrays
        Corresponding points; no three on a line.

    Returns
    -------
    (3, 3) float array
        Acts on ``(a, b, 1)``, where a and b are a point's first and second coordinate.

    Raises
    ------
    ValueError
        Where three of the points lie on a line.
    """
    rows = []
    for (a, b), (c, d) in zip(source, target, strict=True):
        rows.append([a, b, 1, 0, 0, 0, -a * c, -b * c])
        rows.append([0, 0, 0, a, b, 1, -a * d, -b * d])
    try:
        solution = np.linalg.solve(np.array(rows, dtype=float), target.ravel())
    except np.linalg.LinAlgError:
        raise ValueError("three of the four points lie on a line") from None
    return np.append(solution, 1.0).reshape(3, 3)


def polynomials(points: Points, degree: int) -> NDArray[np.float64]:
    """Return all products of powers of two coordinates up to a total degree.

    Parameters
    ----------
    points : (n, 2) float array
        Coordinates, best within -1 to 1.
    degree : int
        0 or more.

    Returns
    -------
    (n, terms) float array
        Lower degrees first, so that a basis of higher degree begins with that of a lower.
    """
    a, b = points[..., 0], points[..., 1]
    # each term in one piece of memory
    terms = np.ones(((degree + 1) * (degree + 2) // 2, *a.shape))
    first = 1
    for d in range(1, degree + 1):
        # each of the degree before times a, and its last times b
        np.multiply(terms[first - d : first], a, out=terms[first : first + d])
        terms[first + d] = terms[first - 1] * b
        first += d + 1
    return np.moveaxis(terms, 0, -1)


@dataclass(frozen=True, eq=False)
class Grid:
    """A symbol's place in an image.

    Parameters
    ----------
    shape : tuple of int
        Modules, rows and columns.
    perspective : (3, 3) float array
        From module coordinates (row, column; the symbol spans 0 to its number of modules, the
        centre of the first module is 0.5, 0.5) to pixels (y, x).
    bend : (terms, 2) float array
        Polynomial coefficients of a displacement in modules that comes before the perspective;
        its variables run from -1 to 1 over the symbol.
    """

    shape: tuple[int, int]
    perspective: NDArray[np.float64]
    bend: NDArray[np.float64]

    @classmethod
    def from_corners(cls, corners_yx: Points, shape: tuple[int, int]) -> Grid:
        """Return the grid of a symbol whose outer corners are known.

        Parameters
        ----------
        corners_yx : (4, 2) float array
            Top left, top right, bottom right, bottom left in pixels.
        shape : tuple of int
            Modules, rows and columns.
        """
        rows, columns = shape
        ends = np.array([[0, 0], [0, columns], [rows, columns], [rows, 0]], dtype=float)
        return cls(shape, homography(ends, np.asarray(corners_yx, float)), np.zeros((1, 2)))

    @property
    def degree(self) -> int:
        """Degree of the bend's polynomial."""
        return {1: 0, 3: 1, 6: 2, 10: 3, 15: 4}[len(self.bend)]

    def scaled(self, modules: Points) -> Points:
        """Return module coordinates as the bend's variables, -1 to 1 over the symbol."""
        scaled: Points = 2 * modules / np.array(self.shape, dtype=float) - 1
        return scaled

    def to_pixels(self, modules: Points, basis: NDArray[np.float64] | None = None) -> Points:
        """Return where points given in module coordinates are in the image.

        Parameters
        ----------
        modules : (..., 2) float array
            Row and column.
        basis : (..., terms) float array, optional
            Their :func:`polynomials` of the bend's degree or more, where they are at hand.

        Returns
        -------
        (..., 2) float array
            y and x in pixels.
        """
        moved, p = self.bent_points(modules, basis), self.perspective
        result: Points = moved @ p[:2, :2].T
        weight = moved @ p[2, :2] + p[2, 2]
        # one coordinate after the other: that is several times quicker than both together
        for axis in (0, 1):
            result[..., axis] += p[axis, 2]
            result[..., axis] /= weight
        return result

    def bent_points(self, modules: Points, basis: NDArray[np.float64] | None = None) -> Points:
        """Return where the bend moves points: the perspective takes them to pixels from there.

        Parameters
        ----------
        modules, basis
            As `to_pixels` takes them.

        Returns
        -------
        (..., 2) float array
            Row and column.
        """
        if not self.bend.any():
            return modules
        if basis is None:
            basis = polynomials(self.scaled(modules), self.degree)
        moved: Points = modules + basis[..., : len(self.bend)] @ self.bend
        return moved

    def bent(self, change: NDArray[np.float64]) -> Grid:
        """Return the grid with coefficients added to its bend."""
        terms = max(len(change), len(self.bend))
        bend = np.zeros((terms, 2))
        bend[: len(self.bend)] += self.bend
        bend[: len(change)] += change
        return Grid(self.shape, self.perspective, bend)

    def transposed(self) -> Grid:
        """Return the grid of the same place with rows and columns exchanged."""
        exchange = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]], dtype=float)
        # terms of one degree run from the first variable's power to the second's
        order = np.concatenate(
            [np.arange((d + 1) * (d + 2) // 2 - 1, d * (d + 1) // 2 - 1, -1)
             for d in range(self.degree + 1)]
        )  # fmt: skip
        return Grid(self.shape[::-1], self.perspective @ exchange, self.bend[order][:, ::-1])

    @property
    def corners_yx(self) -> Points:
        """Outer corners in pixels: top left, top right, bottom right, bottom left."""
        rows, columns = self.shape
        return self.to_pixels(
            np.array([[0, 0], [0, columns], [rows, columns], [rows, 0]], dtype=float)
        )

    @property
    def pitch_px(self) -> float:
        """Mean distance of modules in pixels along the four sides."""
        corners = self.corners_yx
        sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
        rows, columns = self.shape
        return float(np.mean(sides / [columns, rows, columns, rows]))
