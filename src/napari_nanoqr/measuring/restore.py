"""Restore a micrograph step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from napari_nanoqr.progress import Progress, go_on
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.restore.steps import correct_tilt, destripe, flatten, register_stack


@dataclass(frozen=True)
class Restoring:
    """Which steps of restoring are taken, in this order. Without arguments, none.

    Parameters
    ----------
    register : bool
        Bring the frames of a stack into line and average them.
    rows : bool
        Register row by row.
    flatten : bool
        Even out slow changes of brightness and contrast.
    destripe : bool
        Take out stripes.
    tilt : bool or float
        Correct for the tilt that the file tells, or for one in degrees.
    straighten : bool
        Take out the distortion that a code in the image shows.
    pitch_nm : float, optional
        Distance of the code's modules as designed, by which straightening calibrates.
    """

    register: bool = False
    rows: bool = False
    flatten: bool = False
    destripe: bool = False
    tilt: bool | float = False
    straighten: bool = False
    pitch_nm: float | None = None

    @property
    def count(self) -> int:
        """Number of steps."""
        return len(self.steps)

    @property
    def steps(self) -> tuple[str, ...]:
        """What is done, as participles, in order."""
        wanted = {
            "registered": self.register or self.rows,
            "flattened": self.flatten,
            "destriped": self.destripe,
            "tilt-corrected": self.tilt is not False,
            "straightened": self.straighten,
        }
        return tuple(step for step, is_wanted in wanted.items() if is_wanted)


SENTENCES = {
    "registered": "Bringing frames into line",
    "flattened": "Evening out the brightness",
    "destriped": "Looking for stripes",
    "tilt-corrected": "Correcting the tilt",
    "straightened": "Reading the code to straighten by",
}
"""What is going on, for people."""


def restore(
    micrograph: Micrograph,
    restoring: Restoring,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[Micrograph]:
    """Take the steps one after the other, each on what the one before it gave.

    Parameters
    ----------
    micrograph : Micrograph
        What is restored; it stays as it is.
    restoring : Restoring
        Which steps.
    progress : callable, optional
        ``progress(done, planned, sentence)``, between the steps.
    cancelled : callable, optional
        Asked now and then.

    Yields
    ------
    Micrograph
        After each step; ``metadata["restored"]`` says what was done and found.

    Raises
    ------
    ValueError
        Where no step is wanted, or one cannot be taken, with why.
    Cancelled
        Where it was.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.add.outer(np.zeros(40), np.linspace(0, 60, 40))
    >>> image[10:30, 10:30] += 100
    >>> (flat,) = restore(Micrograph(image), Restoring(flatten=True))
    >>> [step["step"] for step in flat.metadata["restored"]]
    ['flattened']
    """
    if not restoring.steps:
        raise ValueError("Choose at least one step of restoring.")
    tilt = None if isinstance(restoring.tilt, bool) else restoring.tilt
    take: dict[str, Callable[[Micrograph], Micrograph]] = {
        "registered": lambda before: register_stack(
            before, rows=restoring.rows, cancelled=cancelled
        ),
        "flattened": flatten,
        "destriped": destripe,
        "tilt-corrected": lambda before: correct_tilt(before, tilt),
        "straightened": lambda before: _straightened(before, restoring.pitch_nm, cancelled),
    }
    for number, step in enumerate(restoring.steps):
        go_on(cancelled)
        if progress is not None:
            progress(number, restoring.count, f"{SENTENCES[step]} …")
        micrograph = take[step](micrograph)
        yield micrograph


def _straightened(
    before: Micrograph, pitch_nm: float | None, cancelled: Callable[[], bool] | None
) -> Micrograph:
    # loads the readers, which the other steps do without
    from napari_nanoqr.measuring.straighten import straighten

    return straighten(before, pitch_nm=pitch_nm, cancelled=cancelled)
