"""Plans in the background: only the last that was asked for counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer

from napari_nanoqr.archive.bag import is_bag, list_sources
from napari_nanoqr.archive.electrons import reading_warning
from napari_nanoqr.archive.plan import ArchivePlan, plan_archive
from napari_nanoqr.cli.archive_plan import parse_size
from napari_nanoqr.widgets.archive_write_inputs import plan_inputs
from napari_nanoqr.widgets.background import BackgroundCall
from napari_nanoqr.widgets.reading_layers import warm_up

_PATIENCE_MS = 120


@dataclass(frozen=True)
class Planned:
    """A plan, and how large what was chosen is.

    Parameters
    ----------
    plan : ArchivePlan
        What it takes.
    sizes : dict
        Bytes of each file and folder; empty where none is chosen.
    warning : str or None
        Why it may not be read, where that is to be feared.
    """

    plan: ArchivePlan
    sizes: dict[Path, int]
    warning: str | None = None


class Planner(QObject):
    """Plans for a panel, in another thread.

    Parameters
    ----------
    parent : QObject
        Whose plans they are; none arrives once it is gone.
    planned, failed : callable
        Get a `Planned`, or the problem, in the window's thread.
    """

    def __init__(
        self, parent: QObject, planned: Callable[[Planned], None],
        failed: Callable[[Exception], None],
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._planned, self._failed = planned, failed
        self._wanted: tuple[dict[str, Any], list[Path], str] | None = None
        self._worker: BackgroundCall[Planned] | None = None
        self._known: dict[Path, tuple[int, int]] = {}
        # what is typed comes letter by letter
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PATIENCE_MS)
        self._timer.timeout.connect(self._start)

    @property
    def busy(self) -> bool:
        """Whether a plan is still to come."""
        return self._wanted is not None or self._worker is not None

    def ask(self, values: dict[str, Any], paths: list[Path], size: str) -> None:
        """Ask for a plan of files, or where there are none of a size.

        Parameters
        ----------
        values : dict
            Settings of ``nanoqr archive write``.
        paths : list of Path
            Files and folders.
        size : str
            As people write it.
        """
        self._wanted = (values, paths, size)
        # how large a folder is may have changed, but not while its name is in the list
        self._known = {path: known for path, known in self._known.items() if path in paths}
        self._timer.start()

    def _start(self) -> None:
        if self._worker is not None or self._wanted is None:
            return
        wanted, self._wanted = self._wanted, None

        def answer(act: Callable[..., None]) -> Callable[..., None]:
            # one that is out of date is not shown
            return lambda value: act(value) if self._wanted is None else None

        def finished() -> None:
            if isalive(self):  # type: ignore[no-untyped-call]
                self._worker = None
                self._start()

        self._worker = BackgroundCall(
            lambda *_: self._plan(*wanted), answer(self._planned), answer(self._failed),
            finished=finished, owner=self,
        )  # fmt: skip

    def _plan(self, values: dict[str, Any], paths: list[Path], size: str) -> Planned:
        settings, needs = plan_inputs(values)
        warm_up()
        for path in paths:
            if path not in self._known:
                self._known[path] = _measure(path)
        found = [self._known[path] for path in paths]
        total, count = sum(each for each, _ in found), sum(many for _, many in found)
        if not paths:
            total, count = _size(size), 1
        plan = plan_archive(total, settings, needs, file_count=count)
        sizes = {path: self._known[path][0] for path in paths}
        return Planned(plan, sizes, reading_warning(settings, needs))


def _measure(path: Path) -> tuple[int, int]:
    """Return bytes and number of the files."""
    sources = list_sources([path / "data" if is_bag(path) else path])
    return sum(source.size for source in sources), len(sources)


def _size(text: str) -> int:
    from argparse import ArgumentTypeError

    try:
        return parse_size(text)
    except ArgumentTypeError as problem:
        raise ValueError(f"{str(problem)[:1].upper()}{str(problem)[1:]}.") from problem
