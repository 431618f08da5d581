"""Images of an archive held against what was written: fixity and margin of every tile."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_nanoqr.archive.collect import collect_images
from napari_nanoqr.archive.events import Event, Outcome, log_events
from napari_nanoqr.archive.fields import read_field
from napari_nanoqr.archive.header import TileHeader
from napari_nanoqr.archive.manifest import ArchiveManifest
from napari_nanoqr.archive.sources import image_sources
from napari_nanoqr.archive.state import ReadingState
from napari_nanoqr.archive.tasks import ReadingOptions, UnreadImage
from napari_nanoqr.archive.tile_kind import step
from napari_nanoqr.archive.verdict import TileVerdict, least_margin, rewrite_list, tile_verdicts
from napari_nanoqr.archive.workers import open_workers
from napari_nanoqr.progress import Progress, go_on

FORMAT = "napari-nanoqr archive verification"


@dataclass(frozen=True, eq=False)
class ArchiveVerification:
    """What images say of an archive that was written.

    Attributes
    ----------
    archive : str
        Its number.
    tiles : tuple of TileVerdict
        Every tile of the archive; of a sample those of the fields that were imaged.
    wrong : tuple of (int, int)
        Sheet and tile of those that were read and are not what was written.
    images : int
        Images that were read.
    unread : tuple of UnreadImage
        Images that could not be opened.
    others : int
        Tiles of other archives that the images show.
    """

    archive: str
    tiles: tuple[TileVerdict, ...]
    wrong: tuple[tuple[int, int], ...]
    images: int
    unread: tuple[UnreadImage, ...]
    others: int = 0

    @property
    def good(self) -> bool:
        """Whether every tile is what was written, with margin to spare."""
        return bool(self.tiles) and not self.wrong and not self.unread and not self.rewrite

    @property
    def rewrite(self) -> tuple[TileVerdict, ...]:
        """Tiles that are worth writing again."""
        wrong = set(self.wrong)
        return tuple(each for each in self.tiles if each.reason or (each.sheet, each.tile) in wrong)

    @property
    def median_margin_db(self) -> float | None:
        """Median of the margins of the tiles that were read."""
        margins = [each.margin_db for each in self.tiles if each.margin_db is not None]
        return float(np.median(margins)) if margins else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "format": FORMAT,
            "format_version": 1,
            "archive": self.archive,
            "good": self.good,
            "tiles": [each.to_dict() for each in self.tiles],
            "wrong": [list(place) for place in self.wrong],
            "rewrite": len(self.rewrite),
            "least_margin_db": least_margin(self.tiles),
            "median_margin_db": self.median_margin_db,
            "images": self.images,
            "unread": [asdict(each) for each in self.unread],
            "other_tiles": self.others,
        }

    def to_text(self) -> str:
        """Return what people read first."""
        whole = sum(each.state == "whole" for each in self.tiles) - len(self.wrong)
        lines = [f"Archive {self.archive}: {whole:,} of {len(self.tiles):,} tiles are as written."]
        lost = sum(each.state == "missing" for each in self.tiles)
        weak = sum(each.state == "weak" for each in self.tiles)
        if lost or weak or self.wrong:
            lines.append(f"Missing: {lost:,}. Weak: {weak:,}. Not as written: {len(self.wrong):,}.")
        least, median = least_margin(self.tiles), self.median_margin_db
        if least is not None:
            lines.append(f"Margin: least {least:.1f} dB, median {median:.1f} dB.")
        lines.append(f"Images: {self.images} read.")
        lines += [f"  {each.name}: {each.reason}" for each in self.unread]
        if self.others:
            lines.append(f"Tiles of other archives: {self.others}.")
        if self.rewrite:
            lines.append(f"Worth writing again: {len(self.rewrite):,} tiles.")
        return "\n".join(lines)

    @property
    def rewrite_csv(self) -> str:
        """The tiles that are worth writing again, see `rewrite_list`."""
        return rewrite_list(self.tiles, set(self.wrong))


def verify_archive(
    manifest: ArchiveManifest,
    images: Iterable[Path | str],
    *,
    sample: bool = False,
    scheduler: str | None = None,
    jobs: int | None = None,
    pixel_size_nm: float | None = None,
    log: bool = True,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ArchiveVerification:
    """Hold images against what was written.

    Parameters
    ----------
    manifest : ArchiveManifest
        Of the archive; what its tiles are comes from its pattern files.
    images : iterable of path
        Files, folders and mosaics.
    sample : bool
        The images show a part of the archive only: tiles of fields that none of them shows are
        left out.
    scheduler, jobs
        See `napari_nanoqr.archive.workers.open_workers`.
    pixel_size_nm : float, optional
        Where the files do not tell it.
    log : bool
        Add a fixity check to the events of the archive.
    progress, cancelled : callable, optional
        See `napari_nanoqr.progress`.

    Returns
    -------
    ArchiveVerification
        A tile is as written where its header and the digest in it are those of the pattern file,
        and all its codewords were read.

    Raises
    ------
    Cancelled
        Where it is no longer wanted.
    ValueError
        Where there is no image.
    OSError
        Where the archive cannot be read or its log not be written.
    """
    plan, number = manifest.plan, bytes.fromhex(manifest.index.archive)
    options = ReadingOptions(pixel_size_nm, plan.settings.pitch_nm)
    with (
        tempfile.TemporaryDirectory(prefix="nanoqr-verify-") as place,
        ReadingState(Path(place)) as state,
    ):
        with open_workers(scheduler, jobs) as workers:
            unread = collect_images(
                image_sources(images), state, workers, options,
                progress=progress, cancelled=cancelled,
            )  # fmt: skip
        known, seen = state.summary(number), state.sightings(number)
        read, archives = len(state.images), state.archives
    verdicts = tile_verdicts(plan, known, seen)
    if sample:
        fields = {(each.sheet, each.field) for each in verdicts if each.images}
        verdicts = [each for each in verdicts if (each.sheet, each.field) in fields]
    told = {(header.sheet, header.tile): header for header, *_ in known}
    wrong = tuple(_wrong(manifest, verdicts, told, cancelled))
    others = sum(count for other, count in archives.items() if other != number)
    result = ArchiveVerification(
        manifest.index.archive, tuple(verdicts), wrong, read, tuple(unread), others
    )
    if log:
        log_events(manifest.folder, [_event(result, sample)])
    return result


def _wrong(
    manifest: ArchiveManifest,
    verdicts: Sequence[TileVerdict],
    told: dict[tuple[int, int], TileHeader],
    cancelled: Callable[[], bool] | None,
) -> Iterable[tuple[int, int]]:
    """Yield the tiles whose header is not that of the pattern file."""
    fields: dict[tuple[int, int], list[TileVerdict]] = {}
    for each in verdicts:
        if (each.sheet, each.tile) in told:
            fields.setdefault((each.sheet, each.field), []).append(each)
    side, settings = manifest.plan.settings.field_modules, manifest.plan.settings
    for (sheet, field), tiles in sorted(fields.items()):
        go_on(cancelled)
        levels, _ = read_field(
            manifest.field_path(sheet, field), doses=manifest.doses, pitch_nm=settings.pitch_nm,
            shape=(side, side),
        )  # fmt: skip
        kind, away = settings.tile, step(settings.tile)
        drawn = [
            levels[away * each.row :, away * each.column :][: kind.side, : kind.side]
            for each in tiles
        ]
        for each, header in zip(tiles, kind.headers(drawn), strict=True):
            if header != told[each.sheet, each.tile]:
                yield each.sheet, each.tile


def _event(result: ArchiveVerification, sample: bool) -> Event:
    lost = sum(each.state == "missing" for each in result.tiles)
    failed = lost or result.wrong
    outcome: Outcome = "success" if result.good else ("fail" if failed else "warning")
    what = "a sample of its fields" if sample else "all its fields"
    return Event(
        "fixity check", f"{result.images} images of {what} were read and held against the pattern "
        "files.", outcome, result.to_text().replace("\n", " "), (result.archive,),
    )  # fmt: skip
