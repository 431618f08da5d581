"""The fields of Archive read that few people change: how images are looked at, keys, cores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from magicgui.widgets import FileEdit, LineEdit, SpinBox

from napari_nanoqr.widgets.archive_write_fields import chosen
from napari_nanoqr.widgets.export_choices import number_field


class ArchiveReadFields:
    """Fields of Archive read, and their settings."""

    def __init__(self) -> None:
        self.pixel_size = number_field(
            "Pixel size (nm)", 0, 1e6, 0.1, "Where the files do not tell it", zero="as found"
        )
        self.pixel_size.native.setDecimals(4)
        self.pitch = number_field(
            "Pitch (nm)", 0, 1e6, 1, "Side of a module, where it is known", zero="unknown"
        )
        self.archive = LineEdit(value="", label="Archive")
        self.archive.tooltip = "Its number, where images show several; empty: most of the tiles"
        self.identity = FileEdit(mode="rm", label="Keys", value=())
        self.identity.tooltip = "Files with secret keys of age or SSH"
        self.passphrase = FileEdit(mode="r", label="or passphrase in", value="")
        self.passphrase.tooltip = "A text file; its first line is the passphrase"
        self.jobs = SpinBox(value=0, min=0, max=1024, label="At once")
        self.jobs.tooltip = "Images that are read at the same time; 0 takes as many as cores"
        self.scheduler = LineEdit(value="", label="Scheduler")
        self.scheduler.tooltip = (
            "Of a running dask.distributed cluster, tcp://HOST:PORT; or processes, on this machine"
        )

    @property
    def sections(self) -> dict[str, tuple[Any, ...]]:
        """All of them, by the title of their section."""
        return {
            "Pixel size, pitch, archive": (self.pixel_size, self.pitch, self.archive),
            "Encryption": (self.identity, self.passphrase),
            "Cores, cluster": (self.jobs, self.scheduler),
        }

    def settings(self) -> dict[str, Any]:
        """Return the fields under the names of the options of ``nanoqr archive read``."""
        keys = [str(path) for path in self.identity.value or ()]
        return {
            "pixel_size": float(self.pixel_size.value) or None,
            "pitch": float(self.pitch.value) or None,
            "archive": self.archive.value.strip() or None,
            # an empty field is the current folder for magicgui
            "identity": [key for key in keys if key.strip() not in ("", ".")] or None,
            "passphrase_file": str(self.passphrase.value) if chosen(self.passphrase) else None,
            "jobs": self.jobs.value or None,
            "scheduler": self.scheduler.value.strip() or None,
        }

    def apply(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of the command; names that are missing stay."""
        if "identity" in settings:
            self.identity.value = tuple(Path(path) for path in settings["identity"] or ())
        if "passphrase_file" in settings:
            self.passphrase.line_edit.value = settings["passphrase_file"] or ""
        for name, number in (
            ("pixel_size", self.pixel_size), ("pitch", self.pitch), ("jobs", self.jobs),
        ):  # fmt: skip
            if name in settings:
                number.value = settings[name] or 0
        for name, line in (("archive", self.archive), ("scheduler", self.scheduler)):
            if name in settings:
                line.value = settings[name] or ""
