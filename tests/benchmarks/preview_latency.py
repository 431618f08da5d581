"""Measure how soon the layers follow the typing.

Usage: ``python tests/benchmarks/preview_latency.py [--changes N]`` with a display (or under
``xvfb-run -a -s "-screen 0 1600x1000x24"``). Every change is a new payload of a version 40
symbol; timed is from the change of the text to the changed modules layer, and to the end of
the repaint that follows. The FIB export widget is closed, then open.
"""

from __future__ import annotations

import argparse
import random
import string
import time

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

from napari_nanoqr.widgets.encode_preview import EncodePreview
from napari_nanoqr.widgets.layers import parts_of


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--changes", type=int, default=100)
    changes = parser.parse_args().changes
    viewer = napari.Viewer(show=True)
    _, widget = viewer.window.add_plugin_dock_widget("napari-nanoqr", "Encode preview")
    assert isinstance(widget, EncodePreview)
    widget.fields.version.value = 40
    settle()
    print(f"{'':28}{'median':>10}{'95 %':>10}  (ms, {changes} changes, version 40)")
    report("preview alone", measure(viewer, widget, changes))
    viewer.window.add_plugin_dock_widget("napari-nanoqr", "FIB export", tabify=True)
    settle()
    report("with FIB export open", measure(viewer, widget, changes))
    viewer.close()


def measure(viewer: napari.Viewer, widget: EncodePreview, changes: int) -> np.ndarray:
    """Return seconds to the changed layer and to the finished repaint, ``(changes, 2)``."""
    rng = random.Random(1)
    times = []
    for _ in range(changes):
        layer = parts_of(viewer, widget._group)["modules"]
        seen: list[float] = []

        def note(_: object, seen: list[float] = seen) -> None:
            seen.append(time.perf_counter())

        layer.events.data.connect(note)
        text = "".join(rng.choices(string.ascii_lowercase, k=rng.randint(100, 2000)))
        start = time.perf_counter()
        widget.payload.text.value = text
        while not seen and time.perf_counter() < start + 10:
            QApplication.processEvents()
        changed = seen[0]
        QApplication.processEvents()
        times.append((changed - start, time.perf_counter() - start))
        layer.events.data.disconnect(note)
        settle(0.25)
    return np.array(times)


def report(name: str, times: np.ndarray) -> None:
    for column, what in enumerate(("layers", "repainted")):
        median, high = np.percentile(1000 * times[:, column], (50, 95))
        print(f"{name + ': ' + what:28}{median:10.1f}{high:10.1f}")


def settle(seconds: float = 1.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)


if __name__ == "__main__":
    main()
