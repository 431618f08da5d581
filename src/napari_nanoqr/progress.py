"""How long jobs tell how far they are, and how they are stopped."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int, str], None]
"""``progress(done, planned, sentence)`` is called between the steps of a job."""

IsCancelled = Callable[[], bool]
"""``cancelled()`` returns whether a job is no longer wanted."""


class Cancelled(Exception):
    """What was asked for is no longer wanted."""


def go_on(cancelled: IsCancelled | None) -> None:
    """Return where a job is still wanted.

    Parameters
    ----------
    cancelled : callable, optional
        Returns whether it is not.

    Raises
    ------
    Cancelled
        Where it is not.
    """
    if cancelled is not None and cancelled():
        raise Cancelled
