"""Archive read: micrographs of sheets to files, with a verdict for each and a map of the tiles."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import FileEdit, SpinBox
from napari import Viewer
from napari.layers import Image
from numpy.typing import NDArray
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QLabel, QPushButton

from napari_nanoqr.archive.read import REPORT_TEXT, read_archive
from napari_nanoqr.archive.unpack import RECORDS
from napari_nanoqr.archive.verdict import rewrite_list
from napari_nanoqr.cli.archive_read import first_line, read_identities
from napari_nanoqr.cli.archive_words import counted
from napari_nanoqr.files import write_text
from napari_nanoqr.progress import Cancelled, IsCancelled, Progress
from napari_nanoqr.widgets.archive_layers import legend, put_layer
from napari_nanoqr.widgets.archive_read_fields import ArchiveReadFields
from napari_nanoqr.widgets.archive_read_map import STATE_COLOURS, TileMap
from napari_nanoqr.widgets.archive_read_numbers import ROWS, numbers
from napari_nanoqr.widgets.archive_read_stage import stage_affines
from napari_nanoqr.widgets.archive_read_table import FilesTable
from napari_nanoqr.widgets.archive_write_fields import chosen
from napari_nanoqr.widgets.archive_write_files import FilesList
from napari_nanoqr.widgets.layers import parts_of
from napari_nanoqr.widgets.mosaic import get_mosaic_reader
from napari_nanoqr.widgets.panel import BAD, GOOD, Panel, sentence_of
from napari_nanoqr.widgets.pixel_size import path_of
from napari_nanoqr.widgets.reading_layers import warm_up

if TYPE_CHECKING:
    from napari_nanoqr.archive.archive_reading import ArchiveReading

Affines = dict[int, NDArray[np.float64]]
Found = tuple["ArchiveReading", dict[int, TileMap], Affines]

_TABLE_HEIGHT = 170


class ArchiveRead(Panel):
    """Read an archive from micrographs of its fields of view.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where the map of the tiles is shown.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__("Archive read", "archive read")
        self.viewer = napari_viewer
        self.reading: ArchiveReading | None = None
        self._maps: dict[int, TileMap] = {}
        self._affines: Affines = {}
        self._on_stage = False
        self._group = uuid.uuid4().hex
        self._build()
        self._enable()

    def _build(self) -> None:
        self.images = FilesList("Images of the fields: files, folders or OME-Zarr mosaics.")
        self.add(self.images)
        self.layers_button = QPushButton("Add images that are open")
        self.layers_button.setToolTip("The files of the image layers in this window")
        self.layers_button.clicked.connect(self.add_layers)
        self.add_buttons(self.layers_button)
        self.output = FileEdit(mode="d", label="Files into", value="")
        self.output.tooltip = "A folder; the same one again goes on where reading stopped"
        self.add_form(self.output)
        self.fields = ArchiveReadFields()
        for title, fields in self.fields.sections.items():
            self.add_section(title, *fields)
        self.run_button = QPushButton("Read")
        self.run_button.clicked.connect(self.read)
        self.folder_button = QPushButton("Open folder")
        self.folder_button.clicked.connect(self._open_folder)
        self.report_button = QPushButton("Open report")
        self.report_button.clicked.connect(self._open_report)
        self.add_buttons(self.run_button, self.folder_button, self.report_button)
        self.add_status()
        self.labels = self.add_numbers(*ROWS)
        self.legend = QLabel()
        self.legend.setWordWrap(True)
        self.add(self.legend)
        self.table = FilesTable()
        self.table.setMinimumHeight(_TABLE_HEIGHT)
        self.add(self.table)
        self.copy_button = QPushButton("Copy SHA-256")
        self.copy_button.setToolTip("Of the selected files, or of all")
        self.copy_button.clicked.connect(self.copy_digests)
        self.rewrite_button = QPushButton("Save rewrite list …")
        self.rewrite_button.setToolTip("Tiles that are missing or weak, and where they are")
        self.rewrite_button.clicked.connect(self.save_rewrite_list)
        self.add_buttons(self.copy_button, self.rewrite_button)
        self.sheet = SpinBox(value=1, min=1, max=1, label="Sheet")
        self._sheet_form = self.add_form(self.sheet)
        self.show_button = QPushButton("Show images")
        self.show_button.setToolTip("At their places, where they tell where the stage was")
        self.show_button.clicked.connect(self.show_images)
        self.map_button = QPushButton("Show map")
        self.map_button.setToolTip("What became of each tile, in lengths of the sheet")
        self.map_button.clicked.connect(self.show_map)
        self.add_buttons(self.show_button, self.map_button)
        self.images.changed.connect(self._enable)
        self.output.changed.connect(lambda *_: self._enable())
        self.sheet.changed.connect(lambda *_: self._update_map())

    def _enable(self) -> None:
        idle, read = self.worker is None, self.reading is not None
        self.run_button.setEnabled(bool(self.images.paths) and idle)
        self.show_button.setEnabled(bool(self.images.paths))
        self.folder_button.setEnabled(self.folder is not None and self.folder.is_dir())
        self.report_button.setEnabled(self.report is not None)
        self.table.setVisible(read)
        self.copy_button.setEnabled(read)
        self.rewrite_button.setEnabled(read)
        self.map_button.setEnabled(bool(self._maps))
        self._sheet_form.setRowVisible(self.sheet.native, len(self._maps) > 1)

    @property
    def folder(self) -> Path | None:
        """Where the files go; None where no folder is chosen."""
        return Path(self.output.value) if chosen(self.output) else None

    @property
    def report(self) -> Path | None:
        """The report of the last reading, where there is one."""
        if self.folder is None:
            return None
        path = self.folder / RECORDS / REPORT_TEXT
        return path if path.is_file() else None

    def add_layers(self) -> None:
        """Add the files of the image layers that are open."""
        paths = [path_of(layer) for layer in self.viewer.layers if isinstance(layer, Image)]
        found = [Path(path) for path in paths if path]
        if found:
            self.images.add(found)
        else:
            self.say("No image that is open here was read from a file.", BAD)

    # -- reading ----------------------------------------------------------------------------

    def read(self) -> None:
        """Read the images in the background; what was read before is passed over."""
        folder, paths = self.folder, self.images.paths
        if folder is None:
            self.say("Choose the folder that the files go into first.", BAD)
            return
        try:
            values = self.settings()
            keys = [key for path in values["identity"] or () for key in read_identities(Path(path))]
            secret = values["passphrase_file"]
            secret = None if secret is None else first_line(Path(secret))
        except (ValueError, OSError) as problem:
            self.say(sentence_of(problem), BAD)
            return

        def call(progress: Progress, cancelled: IsCancelled) -> Found | None:
            try:
                reading = read_archive(
                    paths, folder, scheduler=values["scheduler"], jobs=values["jobs"],
                    archive=values["archive"], pixel_size_nm=values["pixel_size"],
                    pitch_nm=values["pitch"], identities=keys, passphrase=secret,
                    progress=progress, cancelled=cancelled,
                )  # fmt: skip
            except Cancelled:
                return None
            warm_up()
            sheets = sorted({each.sheet for each in reading.tiles})
            maps = {sheet: TileMap.of(reading.tiles, sheet) for sheet in sheets}
            return reading, maps, stage_affines(paths, folder, reading)

        def done(found: Found | None) -> None:
            if found is None:
                self.say("Stopped. What was read is kept: Read goes on from there.")
            else:
                self.show_reading(*found)

        self.run(call, done, busy=(self.run_button,))

    def cancel(self) -> None:
        """Stop reading; what was read is kept."""
        if self.worker is not None:
            self.cancel_button.setEnabled(False)
            self.say("Stopping …")
            self.worker.stop()

    # -- the result -------------------------------------------------------------------------

    def show_reading(
        self, reading: ArchiveReading, maps: dict[int, TileMap], affines: Affines
    ) -> None:
        """Show what came of a reading."""
        self.reading, self._maps, self._affines = reading, maps, affines
        for name, text in numbers(reading).items():
            self.labels[name].setText(text)
        self.table.show_verdicts(reading.files)
        with self.sheet.changed.blocked():
            self.sheet.max = 1 + max(maps, default=0)
        if maps:
            self._put_map(first=not self.viewer.layers)
        self._enable()
        first = reading.to_text().splitlines()[0]
        self.say(" ".join([first, *reading.notes]), GOOD if reading.exact else BAD)

    def _update_map(self) -> None:
        if "tiles" in parts_of(self.viewer, self._group):
            self._put_map(first=False)

    def show_map(self) -> None:
        """Show the map, and look at it."""
        if self._maps:
            self._put_map(first=True)

    def show_images(self) -> None:
        """Open mosaics and folders of images below the map."""
        for path in self.images.paths:
            if get_mosaic_reader(path) is None:
                self.say(f"{path.name} does not tell where its images lie.", BAD)
                continue
            try:
                self.viewer.open(str(path), plugin="napari-nanoqr")
            except (ValueError, OSError) as problem:
                self.say(sentence_of(problem), BAD)
        tiles = parts_of(self.viewer, self._group).get("tiles")
        if tiles is not None:
            layers = self.viewer.layers
            layers.move(layers.index(tiles), len(layers))
            tiles.opacity = 0.4
            self._on_stage = True
            self._place(tiles)
            # what the status bar tells is of the selected layer
            layers.selection.active = tiles

    def _put_map(self, first: bool) -> None:
        sheet = self.sheet.value - 1
        found = self._maps.get(sheet)
        if found is None:
            self.say(f"Nothing of sheet {sheet + 1} was read.", BAD)
            return
        self.legend.setText(legend(STATE_COLOURS, found.counts))
        name = self.reading.archive[:8] if self.reading is not None else "archive"
        name = f"{name} · sheet {sheet + 1}" if len(self._maps) > 1 else name
        data, options, kind = found.layer(name)
        # what lies under it is to be seen
        seen = any(isinstance(layer, Image) for layer in self.viewer.layers)
        options["opacity"] = 0.4 if seen else 0.9
        put_layer(self.viewer, self._group, "tiles", (data, options, kind), self._words)
        layer = parts_of(self.viewer, self._group)["tiles"]
        layer.visible = True
        self._place(layer)
        if first:
            self.viewer.fit_to_view(layers=[layer])

    def _place(self, layer: Any) -> None:
        """Put the map where the stage saw the sheet, once the images are shown."""
        affine = self._affines.get(self.sheet.value - 1)
        layer.affine = affine if self._on_stage and affine is not None else np.eye(3)

    def _words(self, y: float, x: float) -> str:
        found = self._maps.get(self.sheet.value - 1)
        return "" if found is None else found.words(y, x)

    def copy_digests(self) -> None:
        """Copy the checksums of the selected files."""
        count = len(self.table.copy_digests().splitlines())
        self.say(f"Copied: SHA-256 of {counted(count, 'file')}.")

    def save_rewrite_list(self) -> None:
        """Ask for a file, and save the tiles that are worth writing again."""
        path, _ = QFileDialog.getSaveFileName(
            self, "Save rewrite list", "rewrite.csv", "Tables (*.csv)"
        )
        reading = self.reading
        if not path or reading is None:
            return

        def save() -> None:
            text = rewrite_list(reading.tiles)
            write_text(Path(path), text)
            count = len(text.splitlines()) - 1
            self.say(f"Saved: {counted(count, 'tile')} to write again, {Path(path).name}", GOOD)

        self.attempt(save)

    def _open_folder(self) -> None:
        if self.folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.folder)))

    def _open_report(self) -> None:
        if self.report is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.report)))

    # -- settings ---------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """Return the fields under the names of the options of ``nanoqr archive read``."""
        return {
            "": [str(path) for path in self.images.paths],
            "output": None if self.folder is None else str(self.folder),
        } | self.fields.settings()

    def apply_settings(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of the command."""
        if "" in settings:
            self.images.set_paths([Path(path) for path in settings[""] or ()])
        if "output" in settings:
            # an empty value would be taken for the current folder
            self.output.line_edit.value = settings["output"] or ""
        self.fields.apply(settings)
