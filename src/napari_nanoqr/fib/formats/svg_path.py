"""Points, paths and transforms of SVG (W3C, SVG 1.1, chapters 7, 8 and 9)."""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.formats.xml_tree import Element

MOST_PARTS = 20_000
"""Parts of one path; each is compared with all others."""

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
_TOKEN = re.compile(rf"\s*,?\s*(?:([A-Za-z])|({_NUMBER}))")
_CALL = re.compile(r"\s*,?\s*(\w+)\s*\(([^()]*)\)")
_TAKES = {"m": 2, "l": 2, "h": 1, "v": 1, "z": 0}
_DRAWS = {"m", "l", "h", "v"}
_CURVES = {"c": "a curve", "s": "a curve", "q": "a curve", "t": "a curve", "a": "an arc"}


def points_of(element: Element) -> NDArray[np.float64]:
    """Return the corners of a polygon or polyline, ``(n, 2)``.

    Raises
    ------
    BadPattern
        Where they are not pairs of numbers.
    """
    values = _numbers(element, element.attributes.get("points", ""), "points")
    if len(values) % 2:
        raise element.bad("has an odd number of coordinates.")
    return _ring(np.array(values).reshape(-1, 2))


def path_polygons(element: Element) -> list[NDArray[np.float64]]:
    """Return the corners of each part of a path, ``(n, 2)``; open parts are filled as if closed.

    Raises
    ------
    BadPattern
        Where it has curves, or its data make no sense.
    """
    data = element.attributes.get("d", "")
    parts: list[list[tuple[float, float]]] = []
    x = y = 0.0
    for command, values in _commands(element, data):
        relative, kind = command.islower(), command.lower()
        if kind == "m":
            dx, dy = (x, y) if relative else (0.0, 0.0)
            x, y = values[0] + dx, values[1] + dy
            parts.append([(x, y)])
            continue
        if not parts:
            raise element.bad("has a path that does not begin with M.")
        if kind == "z":
            x, y = parts[-1][0]
            parts.append([(x, y)])
            continue
        if kind == "h":
            x = values[0] + x * relative
        elif kind == "v":
            y = values[0] + y * relative
        else:
            x, y = values[0] + x * relative, values[1] + y * relative
        parts[-1].append((x, y))
    # where nothing follows a z or an M, there is no part
    return [_ring(np.array(part)) for part in parts if len(part) > 1]


def _commands(element: Element, data: str) -> list[tuple[str, list[float]]]:
    """Split the data of a path into commands with as many numbers as each takes."""
    found: list[tuple[str, list[float]]] = []
    command, values = "", list[float]()
    given = at = 0
    data = data.strip()
    while at < len(data):
        token = _TOKEN.match(data, at)
        if not token:
            raise element.bad(f"has a path that cannot be read at {data[at : at + 20]!r}.")
        at = token.end()
        if token[1]:
            if values or (command.lower() in _DRAWS and not given):
                raise element.bad(f"has a path whose {command} lacks a number.")
            command, given = token[1], 0
            kind = command.lower()
            if kind in _CURVES:
                raise element.bad(f"has {_CURVES[kind]} ({command}); only straight edges are read.")
            if kind not in _TAKES:
                raise element.bad(f"has a path with an unknown command {command!r}.")
            if kind == "z":
                found.append((command, []))
            continue
        if not command or command in "zZ":
            raise element.bad(f"has a path with a number out of place: {token[2]!r}.")
        given += 1
        values.append(element.to_number(token[2], "path"))
        if len(values) == _TAKES[command.lower()]:
            found.append((command, values))
            values = []
            # further pairs of a move are lines
            command = {"m": "l", "M": "L"}.get(command, command)
    if values or (command.lower() in _DRAWS and not given):
        raise element.bad(f"has a path whose last {command} lacks a number.")
    return found


def transform_of(element: Element) -> NDArray[np.float64]:
    """Return the transform of an element as a ``(3, 3)`` matrix.

    Raises
    ------
    BadPattern
        Where it cannot be read.
    """
    text = element.attributes.get("transform", "").strip()
    total = np.eye(3)
    at = 0
    while at < len(text):
        call = _CALL.match(text, at)
        if not call:
            raise element.bad(f"has a transform that cannot be read: {text[at : at + 30]!r}.")
        at = call.end()
        matrix = _matrix(call[1], _numbers(element, call[2], "transform"))
        if matrix is None:
            raise element.bad(f"has a transform that cannot be read: {call[0].strip()[:30]!r}.")
        total = total @ matrix
    return total


def _matrix(name: str, v: list[float]) -> NDArray[np.float64] | None:
    if name == "matrix" and len(v) == 6:
        return np.array([[v[0], v[2], v[4]], [v[1], v[3], v[5]], [0, 0, 1]])
    if name == "translate" and len(v) in (1, 2):
        return np.array([[1, 0, v[0]], [0, 1, v[1] if len(v) == 2 else 0], [0, 0, 1.0]])
    if name == "scale" and len(v) in (1, 2):
        return np.diag([v[0], v[-1], 1.0])
    if name == "rotate" and len(v) in (1, 3):
        cos, sin = math.cos(math.radians(v[0])), math.sin(math.radians(v[0]))
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        x, y = v[1:] or (0.0, 0.0)
        turn[:2, 2] = np.array((x, y)) - turn[:2, :2] @ (x, y)
        return turn
    if name in ("skewX", "skewY") and len(v) == 1:
        skew = np.eye(3)
        skew[(0, 1) if name == "skewX" else (1, 0)] = math.tan(math.radians(v[0]))
        return skew
    return None


def apart(rings: list[NDArray[np.float64]]) -> bool:
    """Whether the extents of all parts of a path lie beside each other."""
    if len(rings) > MOST_PARTS:
        return False
    low = np.array([ring.min(axis=0) for ring in rings])
    high = np.array([ring.max(axis=0) for ring in rings])
    # what touches does not overlap, but for what rounding leaves
    slack = 1e-6 * float((high - low).max())
    for index in range(len(rings) - 1):
        rest = slice(index + 1, None)
        shared = np.minimum(high[index], high[rest]) - np.maximum(low[index], low[rest])
        if (shared > slack).all(axis=1).any():
            return False
    return True


def _numbers(element: Element, text: str, what: str) -> list[float]:
    # numbers may follow each other without a space, where a sign or a point tells them apart
    if re.sub(rf"{_NUMBER}|[\s,]", "", text):
        raise element.bad(f"has {what} that are not all numbers: {text.strip()[:30]!r}.")
    return [element.to_number(word, what) for word in re.findall(_NUMBER, text)]


def _ring(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leave out a last corner that repeats the first."""
    closed = len(corners) > 1 and bool((corners[0] == corners[-1]).all())
    return corners[:-1] if closed else corners
