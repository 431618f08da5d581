"""Steps of a search; here those that ask native readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from napari_nanoqr.reading.confirm import confirm
from napari_nanoqr.reading.native import NativeAnswer, NativeReaders
from napari_nanoqr.reading.prepare import Attempt
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.report import reading_of
from napari_nanoqr.reading.scene import Scene
from napari_nanoqr.reading.small import confirm_small


class Step(Protocol):
    """One attempt at an image."""

    @property
    def sentence(self) -> str:
        """What is being tried, for people."""
        ...

    def run(self, scene: Scene) -> list[Reading]:
        """Return codes that are not among those already found."""
        ...


def native_steps(scene: Scene, readers: NativeReaders) -> Sequence[Step]:
    """Return the steps that ask native readers, most promising first."""
    return [NativeStep(attempt, readers) for attempt in scene.preparations.attempts()]


@dataclass(frozen=True)
class NativeStep:
    """Ask one native reader about one version of the image.

    Parameters
    ----------
    attempt : Attempt
        The version and the reader.
    readers : NativeReaders
        Whom to ask.
    """

    attempt: Attempt
    readers: NativeReaders

    @property
    def sentence(self) -> str:
        """What is being tried."""
        return f"{self.attempt.reader}, image {self.attempt.preparation}"

    def run(self, scene: Scene) -> list[Reading]:
        """Ask, and believe what can be confirmed."""
        picture = scene.covered(self.attempt.make(), self.attempt.stretch)
        answers = self.readers.read(self.attempt.reader, picture)
        new = Scene(scene.source, scene.preparations)
        # decoded ones first: the place of a failed one may lie on top of them
        for answer in sorted(answers, key=lambda a: a.payload is None):
            moved = replace(answer, corners_yx=self.attempt.to_source(answer.corners_yx))
            if scene.taken(moved.corners_yx) or new.taken(moved.corners_yx):
                continue
            reading = self._believe(moved, scene)
            if reading is not None and not scene.taken(reading.corners_yx):
                new.found.append(reading)
        return new.found

    def _believe(self, answer: NativeAnswer, scene: Scene) -> Reading | None:
        image = scene.preparations.base
        if answer.symbology == "QR":
            confirmed = confirm(image, answer)
        else:
            confirmed = confirm_small(image, answer, self.attempt.plain)
        if confirmed is None:
            return None
        return reading_of(confirmed, answer, self.attempt, scene.source)
