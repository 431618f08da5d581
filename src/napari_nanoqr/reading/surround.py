"""Give a symbol without quiet zone one: where dark modules and the film around look the same.

When the light modules are milled and no quiet zone with them, the outer ring of each finder
pattern runs into the untouched film, and no reader finds it. What was milled can still be told
from the film around, so that the film around can be painted over.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]


def light_surround(image: Grey) -> Grey:
    """Paint what lies around the smallest rectangle with all that was milled in its shade.

    Parameters
    ----------
    image : (y, x) float32 array
        Smoothed, so that a threshold tells milled from not milled.

    Returns
    -------
    (y, x) float32 array
        The image with an even surround; unchanged where no area stands out.
    """
    from scipy.ndimage import gaussian_filter, label

    film, milled = _shades(image)
    if film == milled:
        return image
    seen = (image - film) / (milled - film) > 0.5
    pitch = _pitch(seen)
    # single specks of noise are no area
    density = gaussian_filter(seen.astype(np.float32), 2 * pitch)
    areas, count = label(density > 0.2)
    if count == 0:
        return image
    largest = 1 + int(np.argmax(np.bincount(areas.ravel())[1:]))
    corners = _hull(np.argwhere(seen & (areas == largest)))
    if len(corners) < 3:
        return image
    result = image.copy()
    result[~_within(_rectangle(corners), image.shape)] = milled
    return result


def _shades(image: Grey) -> tuple[float, float]:
    """Return the shade of the film, from the image's margin, and the one furthest from it."""
    rim = max(1, min(image.shape) // 20)
    margin = np.concatenate(
        [part.ravel() for part in (image[:rim], image[-rim:], image[:, :rim], image[:, -rim:])]
    )
    film = float(np.median(margin))
    low, high = (float(v) for v in np.percentile(image, (5, 95)))
    return film, low if film - low > high - film else high


def _pitch(seen: NDArray[np.bool_]) -> float:
    """Estimate a module's size: runs of equal modules are two modules long in the mean."""
    lengths = []
    for line in (seen.ravel(), seen.T.ravel()):
        edges = np.flatnonzero(np.diff(line.astype(np.int8)))
        runs = np.diff(edges)
        # of the runs only those of milled modules: the others may be film
        mine = runs[line[edges[:-1] + 1]] if runs.size else runs
        lengths.append(mine[mine >= 2])
    every = np.concatenate(lengths)
    return float(np.clip(every.mean() / 2, 2, 40)) if every.size else 4.0


def _hull(points: NDArray[np.int_]) -> NDArray[np.float64]:
    """Return the corners of the convex hull in order (Andrew's monotone chain)."""
    # only the first and last point of each row can be corners
    rows, first = np.unique(points[:, 0], return_index=True)
    last = np.append(first[1:], len(points)) - 1
    edge = np.concatenate((points[first], points[last]))
    edge = edge[np.lexsort((edge[:, 1], edge[:, 0]))]
    if rows.size < 2:
        return np.zeros((0, 2))

    def chain(sequence: NDArray[np.int_]) -> list[NDArray[np.int_]]:
        kept: list[NDArray[np.int_]] = []
        for point in sequence:
            while len(kept) > 1:
                a, b = kept[-1] - kept[-2], point - kept[-2]
                if a[0] * b[1] - a[1] * b[0] > 0:
                    break
                kept.pop()
            kept.append(point)
        return kept[:-1]

    return np.array(chain(edge) + chain(edge[::-1]), dtype=float)


def _rectangle(hull: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corners of the smallest rectangle around a convex polygon.

    One of its sides lies on a side of the polygon (H. Freeman and R. Shapira, 1975).
    """
    best, smallest = hull, np.inf
    for start, end in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        along = (end - start) / np.linalg.norm(end - start)
        across = np.array([-along[1], along[0]])
        u, v = hull @ along, hull @ across
        if np.ptp(u) * np.ptp(v) < smallest:
            smallest = np.ptp(u) * np.ptp(v)
            ends = ((u.min(), v.min()), (u.max(), v.min()), (u.max(), v.max()), (u.min(), v.max()))
            best = np.array([a * along + b * across for a, b in ends])
    return best


def _within(corners: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the pixels inside a convex polygon."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    result = np.ones(shape, dtype=bool)
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        edge = (end - start) / max(float(np.linalg.norm(end - start)), 1e-9)
        result &= edge[0] * (x - start[1]) - edge[1] * (y - start[0]) > 0
    return result
