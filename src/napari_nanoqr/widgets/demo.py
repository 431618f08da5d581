"""The loop of ``nanoqr demo`` in napari: three widgets, their layers, and a screenshot."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import napari
from qtpy.QtWidgets import QApplication

from napari_nanoqr.design.design import Design
from napari_nanoqr.sem.read import read_micrograph
from napari_nanoqr.widgets.encode_preview import EncodePreview
from napari_nanoqr.widgets.fib_export import FibExport
from napari_nanoqr.widgets.readers import micrograph_layer
from napari_nanoqr.widgets.sem_decode import SemDecode

PATIENCE_S = 60


def show_demo(folder: Path, *, close: bool = False) -> Path:
    """Show the files of the demo in napari, drive the widgets, and take a screenshot.

    Parameters
    ----------
    folder : Path
        Holds ``record.json`` and ``predicted.tif``; gets ``viewer.png``.
    close : bool
        Close napari after the screenshot; by default it stays until the user closes it.

    Returns
    -------
    Path
        The screenshot.

    Raises
    ------
    TimeoutError
        Where the decode widget does not come to an end.
    """
    design = Design.load(folder / "record.json")
    viewer = napari.Viewer(title="nanoqr demo", show=False)
    window = viewer.window
    _, encode = window.add_plugin_dock_widget("napari-nanoqr", "Encode preview")
    _, export = window.add_plugin_dock_widget("napari-nanoqr", "FIB export", tabify=True)
    _, decode = window.add_plugin_dock_widget("napari-nanoqr", "SEM decode", tabify=True)
    assert isinstance(encode, EncodePreview)
    assert isinstance(export, FibExport)
    assert isinstance(decode, SemDecode)
    viewer.show()
    window._qt_window.resize(1500, 950)
    viewer.canvas.overlays.scale_bar.visible = True
    symbol = design.symbol
    encode.apply_settings(
        {
            "hex": None,
            "": [symbol.payload.decode()],
            "error": symbol.error,
            "version": symbol.version,
            "mask": symbol.mask,
            "pitch": design.pitch_nm,
            "name": design.name,
        }
    )
    micrograph = read_micrograph(folder / "predicted.tif")
    data, options, _ = micrograph_layer(micrograph)
    # to the right of the design, with a module's gap
    place = (0.0, design.field_size_nm[1] + 2 * design.pitch_nm)
    image = viewer.add_image(data, translate=place, **options)
    decode.image.value = image
    decode.decode()
    _wait(lambda: decode.worker is None, PATIENCE_S)
    viewer.reset_view()
    _wait(lambda: False, 1.0)
    path = folder / "viewer.png"
    viewer.screenshot(str(path), canvas_only=False, flash=False)
    if close:
        viewer.close()
    else:
        napari.run()
    return path


def _wait(ready: object, seconds: float) -> None:
    """Let the window work until something is ready, or for so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        if callable(ready) and ready():
            return
        time.sleep(0.01)


def main() -> None:
    """Show a folder of the demo; ``nanoqr demo`` runs this in a process of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--close", action="store_true")
    options = parser.parse_args()
    show_demo(options.folder, close=options.close)


if __name__ == "__main__":
    main()
