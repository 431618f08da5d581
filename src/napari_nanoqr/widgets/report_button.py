"""The report of an image from SEM decode: one page for the lab book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_nanoqr.progress import Progress
from napari_nanoqr.widgets.layers import design_of
from napari_nanoqr.widgets.panel import BAD, GOOD, sentence_of
from napari_nanoqr.widgets.pixel_size import path_of
from napari_nanoqr.widgets.regions import region_boxes

if TYPE_CHECKING:
    from napari_nanoqr.widgets.sem_decode import SemDecode


class ReportButton(QPushButton):
    """Read and measure the chosen image, and write the report of it.

    Parameters
    ----------
    panel : SemDecode
        Whose image, region and design it is about.
    """

    def __init__(self, panel: SemDecode) -> None:
        super().__init__("Report …")
        self.setToolTip("Read and measure it: a page for the lab book, and JSON beside it")
        self._panel = panel
        self.clicked.connect(lambda: self._ask_and_write())

    def write(self, path: Path, *, show: bool = False) -> None:
        """Write the report in the background: the page, and its values beside it.

        Parameters
        ----------
        path : Path
            Of the page.
        show : bool
            Open it in the browser.
        """
        panel = self._panel
        image, source = panel.image.value, panel.image_source()
        if image is None or source is None:
            panel.say("Open a micrograph first.", BAD)
            return
        region, chosen = panel.region.value, panel.design.value
        try:
            boxes = [] if region is None else region_boxes(region, image, source.plane)
        except ValueError as problem:
            panel.say(sentence_of(problem), BAD)
            return
        # of several regions the report is that of the whole image
        box = boxes[0] if len(boxes) == 1 else None
        design = None if chosen is None else design_of(chosen)
        pitch = float(panel.pitch.value) or None
        name, file = image.name, path_of(image)

        def call(progress: Progress, cancelled: Callable[[], bool]) -> Path:
            from napari_nanoqr.measuring.record_settings import RecordSettings
            from napari_nanoqr.measuring.recording import record_micrograph

            progress(0, 0, "Reading and measuring …")
            micrograph = source.micrograph(box)
            if file is not None:
                micrograph = replace(micrograph, path=Path(file))
            settings = RecordSettings(pitch_nm=pitch, design=design)
            record = record_micrograph(micrograph, settings, name=name, cancelled=cancelled)
            progress(0, 0, "Drawing the report …")
            return record.save(path)[0]

        def done(page: Path) -> None:
            panel.say(f"Report written: {page.name}, and {page.stem}.json beside it.", GOOD)
            if show:
                QDesktopServices.openUrl(QUrl.fromLocalFile(str(page)))

        panel.run(call, done, busy=(panel.decode_button, self))

    def _ask_and_write(self) -> None:
        image = self._panel.image.value
        name = "report" if image is None else image.name
        chosen, _ = QFileDialog.getSaveFileName(
            self._panel, "Write report", f"{name}.html", "HTML (*.html)"
        )
        if chosen:
            self.write(Path(chosen), show=True)
