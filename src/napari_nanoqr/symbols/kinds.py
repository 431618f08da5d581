"""All kinds of symbols, by their size or by their version."""

from __future__ import annotations

from napari_nanoqr.symbols.layout import Layout
from napari_nanoqr.symbols.micro import VERSIONS, micro_layout
from napari_nanoqr.symbols.qr import qr_layout
from napari_nanoqr.symbols.rectangular import SIZES, rectangular_layout


class NoSymbol(ValueError):
    """No kind of symbol has this size or version."""


def layout_of(shape: tuple[int, ...]) -> Layout:
    """Return the layout of the symbols of a size: each belongs to one version of one kind.

    Parameters
    ----------
    shape : tuple of int
        Modules, rows and columns.

    Raises
    ------
    NoSymbol
        Where no symbol is that large.
    """
    if shape in SIZES:
        return rectangular_layout(*shape)
    if len(shape) == 2 and shape[0] == shape[1]:
        if shape[0] in (11, 13, 15, 17):
            return micro_layout(f"M{(shape[0] - 9) // 2}")
        version, odd = divmod(shape[0] - 17, 4)
        if not odd and 1 <= version <= 40:
            return qr_layout(version)
    raise NoSymbol(f"{' x '.join(map(str, shape))} modules are not a symbol.")


def layout_named(version: int | str) -> Layout:
    """Return the layout of a version.

    Parameters
    ----------
    version : int or str
        1 to 40 for QR codes, ``"M1"`` to ``"M4"`` for Micro QR codes, e.g. ``"R13x43"`` for rMQR
        codes.

    Raises
    ------
    NoSymbol
        Where there is no such version.
    """
    if isinstance(version, int) and 1 <= version <= 40:
        return qr_layout(version)
    if version in VERSIONS:
        return micro_layout(str(version))
    if version in (sizes := {f"R{rows}x{columns}": (rows, columns) for rows, columns in SIZES}):
        return rectangular_layout(*sizes[str(version)])
    raise NoSymbol(f"Version {version} does not exist: use 1 to 40, M1 to M4, or e.g. R11x43.")
