"""Garbage is collected in the window's thread only, for as long as other threads run.

Python collects cyclic garbage in whichever thread happens to allocate. Closed windows are such
garbage, and Qt may be told of the end of a widget in the window's thread only: elsewhere its
destructor waits for ever, or ends the program.
"""

from __future__ import annotations

import gc
import time

_FULL_EVERY_S = 60.0
"""A collection of everything takes some tenths of a second beside napari, and is seldom needed."""


class GarbageHold:
    """Keeps other threads from collecting; :meth:`collect` does so in their place.

    All methods belong to the window's thread.
    """

    def __init__(self) -> None:
        self._held = self._was_on = False
        self._last_full = 0.0

    def hold(self) -> None:
        """Turn automatic collection off, until :meth:`release`."""
        if not self._held:
            self._held, self._was_on = True, gc.isenabled()
            self._last_full = time.monotonic()
            gc.disable()

    def release(self) -> None:
        """Leave collection to Python again, unless it was off before."""
        if self._held and self._was_on:
            gc.enable()
        self._held = False

    def collect(self) -> None:
        """Collect what Python would have collected by now."""
        if not (self._held and self._was_on):
            return
        young, middle, old = (
            0 < limit < count
            for count, limit in zip(gc.get_count(), gc.get_threshold(), strict=True)
        )
        if not young:
            return
        full = middle and old and time.monotonic() - self._last_full > _FULL_EVERY_S
        gc.collect(2 if full else 1 if middle else 0)
        if full:
            self._last_full = time.monotonic()
