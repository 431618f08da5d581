"""Compile loops: other threads run beside them, and it is done once for an installation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def compiled(function: Kernel, *, fastmath: bool = False) -> Kernel:
    """Compile a function when it is first called, and keep the result on disk.

    Parameters
    ----------
    function : callable
        Loops over numpy arrays.
    fastmath : bool
        Sums may be taken in any order, several terms at once.

    Returns
    -------
    callable
        The same, as machine code; it lets other Python threads run.
    """
    return cast(Kernel, numba.njit(nogil=True, cache=True, fastmath=fastmath)(function))
