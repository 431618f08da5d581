"""Make the pictures of the docs afresh, all of them or those that are named.

On a machine without a screen::

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/make_pictures.py
    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/make_pictures.py viewer predicted
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

# napari's own look, not that of whoever runs this
os.environ["NAPARI_CONFIG"] = str(Path(tempfile.mkdtemp()) / "settings.yaml")

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film
from napari_nanoqr.design.record import RECORD_PAYLOAD, record_design
from napari_nanoqr.fib.columns import find_beam
from napari_nanoqr.fib.pattern import PointPattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.physics.ageing import Ageing
from napari_nanoqr.physics.milling import mill
from napari_nanoqr.physics.scan import ScanFaults
from napari_nanoqr.physics.simulate import pattern_of, simulate_micrograph
from napari_nanoqr.physics.sputtering import EXPECTED, IDEAL
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.restore.register import registered_mean
from napari_nanoqr.sem.write import write_micrograph
from napari_nanoqr.symbols.encode import encode

FOLDER = Path(__file__).parent / "pictures"
WINDOW = (1240, 800)
LARGEST_BYTES = 400_000
PATIENCE_S = 300


def main(names: list[str]) -> int:
    FOLDER.mkdir(exist_ok=True)
    for name in names or PICTURES:
        picture = PICTURES[name]()
        path = FOLDER / f"{name}.png"
        for colours in (256, 128, 64, 32):
            # 256 are plenty for a window, fewer do for the noise of a micrograph
            few = picture.convert("RGB").quantize(
                colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
            )
            few.save(path, optimize=True)
            size = path.stat().st_size
            if size <= LARGEST_BYTES:
                break
        print(f"{path.name}: {picture.width} x {picture.height}, {size / 1000:.0f} kB")
    return 0


# -- windows ------------------------------------------------------------------------------------


def viewer() -> Image.Image:
    """Show the window that ``nanoqr demo`` leaves."""
    from napari_nanoqr.cli import main as nanoqr

    with tempfile.TemporaryDirectory() as folder:
        nanoqr(["demo", "--close", "-o", folder])
        return Image.open(Path(folder) / "viewer.png").copy()


def encode_preview() -> Image.Image:
    with Window("Encode preview") as window:
        encode_record(window.panel)
        return window.picture()


def beside() -> Image.Image:
    """Show two designs, the second one of less text and a smaller pitch."""
    with Window("Encode preview") as window:
        encode_record(window.panel)
        window.panel.new_design()
        window.panel.apply_settings({"": ["TU Wien"], "error": "M", "version": None, "pitch": 30.0})
        window.viewer.reset_view()
        return window.picture()


def smallest() -> Image.Image:
    """Rank the symbols that hold a URL."""
    with Window("Encode preview") as window:
        window.panel.apply_settings({"": ["https://www.tuwien.at"], "allow_upper": True})
        window.panel.show_smallest()
        dialog = window.panel.smallest
        window.until(lambda: dialog.worker is None)
        window.wait(0.5)
        return grab(dialog)


def fib_export() -> Image.Image:
    with Window("FIB export") as window:
        add_record(window.viewer)
        window.wait(1.0)
        zoom_in(window.viewer)
        return window.picture()


def many() -> Image.Image:
    """Lay out a dose test of the record."""
    with Window("FIB export") as window:
        add_record(window.viewer)
        window.panel.open_many()
        dialog = window.panel.many
        dialog.doses.value, dialog.pitches.value = "0.6, 0.8, 1, 1.2, 1.4, 1.6", "40, 49, 60"
        window.until(lambda: dialog.worker is None)
        dialog.lay_out()
        window.until(lambda: dialog.worker is None and dialog.job is not None)
        window.wait(0.5)
        return grab(dialog)


def batch() -> Image.Image:
    """Read a folder of predicted micrographs."""
    with tempfile.TemporaryDirectory() as name, Window("Batch") as window:
        folder = Path(name) / "images"
        folder.mkdir()
        for number, electrons in enumerate((2000, 500, 120, 40, 12, 5)):
            design = Design(encode(f"https://www.tuwien.at/sample-{number}", "L", 3))
            image = simulate_micrograph(
                design, electrons_per_pixel=electrons, rotation_deg=4 * number, seed=number
            )
            write_micrograph(image, folder / f"{electrons} electrons.tif")
        window.panel.folder.value = folder
        window.panel.read()
        window.until(lambda: window.panel.worker is None)
        window.panel.table.selectRow(1)
        window.panel.open_image(folder / "120 electrons.tif")
        window.wait(1.0)
        return window.picture()


def trend() -> Image.Image:
    """Follow a predicted code over 700 years."""
    with tempfile.TemporaryDirectory() as name, Window("Trend") as window:
        folder, lines = Path(name) / "images", ["file,date"]
        folder.mkdir()
        for number, year in enumerate(range(2030, 2731, 100)):
            image = simulate_micrograph(
                record_design(), electrons_per_pixel=150, ageing=Ageing(year - 2030, seed=4),
                rotation_deg=4 * number, seed=number,
            )  # fmt: skip
            write_micrograph(image, folder / f"{year}.tif")
            lines.append(f"{year}.tif,{year}-05-17")
        (folder / "dates.csv").write_text("\n".join(lines), encoding="utf-8")
        window.panel.folder.value = folder
        window.panel.dates.value = folder / "dates.csv"
        window.panel.follow()
        window.until(lambda: window.panel.worker is None)
        for year in (2030, 2730):
            window.viewer.open(str(folder / f"{year}.tif"), plugin="napari-nanoqr")
        window.viewer.grid.enabled = True
        window.viewer.reset_view()
        window.wait(1.0)
        return window.picture()


def archive_write() -> Image.Image:
    """Write two files, and look at the sheet."""
    with tempfile.TemporaryDirectory() as name, Window("Archive write") as window:
        panel, folder = window.panel, Path(name)
        panel.files.add(archive_files(folder))
        panel.output.value = folder / "my-archive"
        window.until(lambda: not panel.planner.busy)
        panel.write()
        window.until(lambda: panel.worker is None)
        panel.show_sheet()
        return window.picture()


def archive_read() -> Image.Image:
    """Read a mosaic of a sheet with a scratch and with tiles missing."""
    from napari_nanoqr.archive.simulate import Imaging
    from napari_nanoqr.archive.simulate_archive import simulate_archive
    from napari_nanoqr.archive.write import write_archive

    with tempfile.TemporaryDirectory() as name, Window("Archive read") as window:
        panel, folder = window.panel, Path(name)
        manifest = write_archive(archive_files(folder), folder / "my-archive", name="letters")
        imaging = Imaging(px_per_module=3, electrons_per_pixel=300, seed=8)
        simulate_archive(
            manifest, folder / "images", imaging, missing=0.06, scratches=1, mosaic=True
        )
        panel.images.add([folder / "images" / "sheet_01.zarr"])
        panel.output.value = folder / "files"
        panel.read()
        window.until(lambda: panel.worker is None)
        panel.show_images()
        window.viewer.reset_view()
        return window.picture()


def archive_files(folder: Path) -> list[Path]:
    """Make two files to store."""
    sizes = {"letters.pdf": 380_000, "measurements.h5": 610_000}
    for number, (name, size) in enumerate(sizes.items()):
        (folder / name).write_bytes(np.random.default_rng(number).bytes(size))
    return [folder / name for name in sizes]


def prediction() -> Image.Image:
    """Press Predict, and show the micrograph."""
    with Window("FIB export") as window:
        layers = add_record(window.viewer)
        window.panel.fields.show_path.value = False
        window.panel.update_plan()
        window.panel.predictions.predict()
        window.until(lambda: window.panel.worker is None)
        for layer in layers:
            layer.visible = layer.name.endswith("outline")
        window.viewer.reset_view()
        return window.picture()


def film_3d() -> Image.Image:
    """Press 3-D."""
    with Window("FIB export") as window:
        add_record(window.viewer)
        window.panel.fields.show_path.value = False
        window.panel.update_plan()
        window.panel.predictions.show_surface()
        window.until(lambda: window.panel.worker is None and window.viewer.dims.ndisplay == 3)
        return window.picture()


def windows() -> Image.Image:
    """Press Windows."""
    from napari_nanoqr.widgets.window_plot import WindowPlot

    with Window("FIB export") as window:
        add_record(window.viewer)
        window.panel.update_plan()
        window.panel.predictions.plot_windows()
        window.until(lambda: window.panel.worker is None)
        window.wait(0.5)
        (plot,) = window.panel.findChildren(WindowPlot)
        with tempfile.TemporaryDirectory() as folder:
            plot.grab().save(str(Path(folder) / "plot.png"))
            return Image.open(Path(folder) / "plot.png").copy()


def report() -> Image.Image:
    """Draw the pictures of an export's report, one above the other."""
    from napari_nanoqr.physics.simulate import pattern_of
    from napari_nanoqr.planning.prediction import predict
    from napari_nanoqr.planning.report import pictures_of

    predicted = predict(pattern_of(plan_milling(record_design())))
    parts = [Image.open(io.BytesIO(picture.png)) for picture in pictures_of(predicted)]
    canvas = Image.new("RGB", (parts[0].width, sum(part.height for part in parts)), "white")
    for number, part in enumerate(parts):
        canvas.paste(part, (0, number * parts[0].height))
    return canvas


def sem_decode() -> Image.Image:
    """Decode a noisy micrograph."""
    from napari_nanoqr.widgets.readers import micrograph_layer

    with Window("SEM decode") as window:
        data, options, _ = micrograph_layer(micrograph(60, rotation_deg=12.0))
        window.viewer.add_image(data, **(options | {"name": "Image_012"}))
        window.wait(0.5)
        window.panel.decode()
        window.until(lambda: window.panel.worker is None)
        window.viewer.reset_view()
        return window.picture()


def measure() -> Image.Image:
    """Measure a micrograph, and show the layers."""
    return measured(lambda window: window.picture())


def measure_window() -> Image.Image:
    """Show the numbers and the plots of that."""
    return measured(lambda window: grab(window.panel.measure.window))


def measured(show: Callable[[Any], Image.Image]) -> Image.Image:
    """Open a micrograph with few electrons, and press Measure."""
    from napari_nanoqr.widgets.readers import micrograph_layer

    with Window("SEM decode") as window:
        data, options, _ = micrograph_layer(micrograph(200, rotation_deg=12.0))
        window.viewer.add_image(data, **(options | {"name": "Image_012"}))
        window.wait(0.5)
        window.panel.measure.measure()
        window.until(lambda: window.panel.worker is None)
        window.wait(1.0)
        window.viewer.reset_view()
        return show(window)


def differences() -> Image.Image:
    """Hold a micrograph with a particle on it against the design."""
    return against_design(lambda panel: panel.decode())


def verify() -> Image.Image:
    """Ask for the verdict of that micrograph."""
    return against_design(lambda panel: panel.verify.verify())


def against_design(act: Callable[[Any], None]) -> Image.Image:
    """Open a micrograph with a particle on it beside the design, and press a button."""
    from dataclasses import replace

    from napari_nanoqr.widgets.readers import micrograph_layer

    seen = micrograph(100, rotation_deg=12.0)
    image = seen.image.copy()
    image[195:230, 205:250] = 205
    with Window("SEM decode") as window:
        design = record_design()
        add_record(window.viewer)
        data, options, _ = micrograph_layer(replace(seen, image=image))
        beside = (0.0, design.field_size_nm[1] + 2 * design.pitch_nm)
        window.viewer.add_image(data, **(options | {"name": "Image_012", "translate": beside}))
        window.panel.design.value = window.viewer.layers["record · modules"]
        act(window.panel)
        window.until(lambda: window.panel.worker is None)
        window.viewer.reset_view()
        return window.picture()


def restore() -> Image.Image:
    """Restore a stack of noisy, tilted frames that drift and charge."""
    from napari_nanoqr.widgets.readers import micrograph_layer

    with Window("Restore") as window:
        data, options, _ = micrograph_layer(drifting_stack(tilt_deg=52.0))
        window.viewer.add_image(data, **(options | {"name": "Image_012"}))
        window.wait(0.5)
        panel = window.panel
        for step in (panel.flatten, panel.tilt, panel.straighten):
            step.value = True
        panel.pitch.value = 49
        panel.restore()
        window.until(lambda: panel.worker is None)
        window.viewer.reset_view()
        return window.picture()


def choose_reader() -> Image.Image:
    """Show the question that napari asks when two readers can open a file."""
    from napari._qt.dialogs.qt_reader_dialog import QtReaderDialog

    with Window("SEM decode") as window:
        readers = {"napari": "napari builtins", "napari-nanoqr": "nanoqr"}
        dialog = QtReaderDialog(
            pth="Image_012.tif", parent=window.window._qt_window, readers=readers
        )
        next(b for b in dialog.reader_btn_group.buttons() if b.text() == "nanoqr").setChecked(True)
        dialog.persist_checkbox.setChecked(True)
        dialog.show()
        window.wait(0.5)
        picture = grab(dialog)
        dialog.close()
        return picture


class Window:
    """napari with a scale bar and one of our widgets, closed at the end."""

    def __init__(self, widget: str) -> None:
        import napari

        self.viewer = napari.Viewer(show=False)
        self.window = self.viewer.window
        _, self.panel = self.window.add_plugin_dock_widget("napari-nanoqr", widget)
        self.viewer.show()
        self.window._qt_window.resize(*WINDOW)
        self.viewer.canvas.overlays.scale_bar.visible = True

    def __enter__(self) -> Self:
        self.wait(0.5)
        return self

    def __exit__(self, *_: object) -> None:
        self.viewer.close()
        self.wait(0.2)

    def wait(self, seconds: float) -> None:
        self.until(lambda: False, seconds, strict=False)

    def until(
        self, ready: Callable[[], bool], seconds: float = PATIENCE_S, strict: bool = True
    ) -> None:
        from qtpy.QtWidgets import QApplication

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            if ready():
                return
            time.sleep(0.01)
        if strict:
            raise TimeoutError("What was to be pictured did not come to its end.")

    def picture(self) -> Image.Image:
        self.wait(1.0)
        return Image.fromarray(self.viewer.screenshot(canvas_only=False, flash=False))


def grab(widget: Any) -> Image.Image:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "widget.png"
        widget.grab().save(str(path))
        return Image.open(path).copy()


def encode_record(panel: Any) -> None:
    panel.apply_settings({"": [RECORD_PAYLOAD], "error": "L", "version": 3, "name": "record"})


def add_record(shown_in: Any) -> list[Any]:
    from napari_nanoqr.widgets.layers import design_layers

    layers = design_layers(record_design(), "record")
    for layer in layers:
        shown_in.add_layer(layer)
    shown_in.reset_view()
    return layers


def zoom_in(shown: Any) -> None:
    """Look at a finder pattern and what is around it."""
    camera = shown.scene.camera
    pitch = record_design().pitch_nm
    camera.center = (camera.center[0], 9 * pitch, 11 * pitch)
    camera.zoom *= 2.2


# -- plates of images ---------------------------------------------------------------------------


def micrograph(electrons: float, **conditions: Any) -> Micrograph:
    return simulate_micrograph(record_design(), electrons_per_pixel=electrons, seed=1, **conditions)


def predicted() -> Image.Image:
    """Show the same film under four conditions."""
    frames = micrograph(60, frames=12, drift_nm=(12.0, 30.0))
    return plate(
        {
            "3000 electrons a pixel": micrograph(3000).image,
            "60 electrons a pixel": frames.image[0],
            "12 such frames, averaged": registered_mean(frames.image),
            "3000 electrons, tilted by 52°": micrograph(3000, tilt_deg=52).image,
        }
    )


def drifting_stack(**conditions: Any) -> Micrograph:
    """Return twelve frames of a specimen that drifts by up to a module a frame, and charges."""
    faults = ScanFaults(wander_nm=49, warp_nm=30, charging=0.15, seed=2)
    return micrograph(60, frames=12, faults=faults, **conditions)


def restored() -> Image.Image:
    """Show what the steps of restoring do to a stack."""
    from napari_nanoqr.measuring.restore import Restoring
    from napari_nanoqr.measuring.restore import restore as steps

    stack = drifting_stack()
    wanted = Restoring(rows=True, flatten=True, straighten=True)
    registered, flattened, straightened = steps(stack, wanted)
    return plate(
        {
            "one of 12 frames": stack.image[0],
            "averaged as they are": stack.mean_image,
            "registered row by row": registered.image,
            "and flattened": flattened.image,
            "and straightened": straightened.image,
        },
        side=250,
    )


def milled() -> Image.Image:
    """Go from the design over the depth to the image."""
    design = record_design()
    state = mill(pattern_of(plan_milling(design)), design.film)
    cell, shape = state.grid.cell_nm, state.depth_nm.shape
    view = micrograph(3000, pixel_size_nm=cell, shape=shape)
    # the symbol and a module around it
    edge = round((shape[0] - (design.symbol.modules + 2) * design.pitch_nm / cell) / 2)
    shown = slice(edge, shape[0] - edge)
    return plate(
        {
            "design": ~np.pad(design.symbol.matrix, 1),
            f"depth, 0 to {state.depth_nm.max():.0f} nm": -state.depth_nm[shown, shown],
            "predicted micrograph": view.image[shown, shown],
        }
    )


def cross_section() -> Image.Image:
    """Cut through a square of 110 nm in a film of 60 nm, milled at once and little by little."""
    film, beam, side = Film(thickness_nm=60), find_beam(7), 22
    y, x = np.mgrid[:side, :side].reshape(2, -1)
    dose_us = 0.5 * 0.005**2 / beam.current_pa * 1e9
    height, wide, gap, head = 300, 460, 12, 34
    scale = wide / 200

    def line(at: np.ndarray, depth: np.ndarray) -> list[tuple[float, float]]:
        return [((x + 100) * scale, 60 + z * scale) for x, z in zip(at, depth, strict=True)]

    canvas = Image.new("RGB", (2 * (wide + gap) + gap, head + height + gap), "white")
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(17)
    for panel, passes in enumerate((200, 1)):
        pattern = PointPattern(
            format="points", steps=np.stack((x, y), axis=1), passes=passes, step_nm=5.0,
            dwell_units=np.ones(side**2, dtype=int), beam_on=np.ones(side**2, dtype=bool),
            centre_step=(10.5, 10.5), dwell_unit_s=dose_us * 1e-6 / passes,
        )  # fmt: skip
        state, plain = (mill(pattern, film, beam, sputtering=model) for model in (EXPECTED, IDEAL))
        # along the slow axis, on which the two differ
        middle = state.grid.columns // 2
        at = state.grid.top_nm + (np.arange(state.grid.rows) + 0.5) * state.grid.cell_nm
        assert state.redeposited_nm is not None
        surface, fallen = state.depth_nm[:, middle], state.redeposited_nm[:, middle]
        left = gap + panel * (wide + gap)
        picture = Image.new("RGB", (wide, height), "white")
        draw = ImageDraw.Draw(picture)
        below = [(wide + 50, height), (-50, height)]
        for depth, colour in (
            (surface, "#e08030"), (surface + fallen, "#8090a0"),
            (np.maximum(surface + fallen, film.thickness_nm), "#d0e0ec"),
        ):  # fmt: skip
            draw.polygon(line(at, depth) + below, fill=colour)
        draw.line(line(at, plain.depth_nm[:, middle]), fill="black", width=1)
        canvas.paste(picture, (left, head))
        title = "200 passes" if passes > 1 else "one pass"
        pen.text((left, 7), f"{title}: 60 nm film on glass, 200 nm across", "black", font)
    return canvas


def dose_test() -> Image.Image:
    """Lay out a dose test, predict its micrograph, and outline the codes that were read."""
    from napari_nanoqr.fib.jobs.entries import dose_test
    from napari_nanoqr.fib.jobs.job import plan_job
    from napari_nanoqr.fib.jobs.layout import JobLayout
    from napari_nanoqr.fib.jobs.overview import overview_png
    from napari_nanoqr.reading.read import read_codes

    entries = dose_test(record_design(), (0.25, 0.5, 0.75, 1.0, 1.5), (30, 40, 49))
    job = plan_job(entries, JobLayout(columns=5), name="dose test")
    seen = simulate_micrograph(job.fields[0].plan, electrons_per_pixel=100, seed=1)
    hfw_nm = 1000 * job.hfw_um
    width = 1000
    drawn = overview_png(job, 3 * width)
    # the field of view with a margin is drawn; what the micrograph shows is cut out of it
    per_nm = drawn.width / (1.06 * hfw_nm)
    half = np.array(seen.image.shape[::-1]) * 6.125 / 2 * per_nm
    middle = np.array(drawn.size) / 2
    box = (*(middle - half).round().astype(int).tolist(), *(middle + half).astype(int).tolist())
    height = round(width * seen.image.shape[0] / seen.image.shape[1])
    size = (width, height)
    plan_view = drawn.crop(box).resize(size, Image.Resampling.LANCZOS)
    low, high = np.percentile(seen.image, (0.2, 99.8))
    grey = np.clip((seen.image - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    sem_view = Image.fromarray(grey).resize(size, Image.Resampling.LANCZOS).convert("RGB")
    pen, scale = ImageDraw.Draw(sem_view), width / seen.image.shape[1]
    for reading in read_codes(seen, margin=False):
        corners = [(x * scale, y * scale) for y, x in reading.corners_yx.tolist()]
        pen.line([*corners, corners[0]], fill="#ffb000", width=4)
    canvas = Image.new("RGB", (width, 2 * height + 12), "white")
    canvas.paste(plan_view, (0, 0))
    canvas.paste(sem_view, (0, height + 12))
    return canvas


def plate(images: dict[str, Any], side: int = 310) -> Image.Image:
    """Put images beside each other, a line of text above each."""
    head, gap = 34, 12
    width = len(images) * (side + gap) + gap
    canvas = Image.new("RGB", (width, head + side + gap), "white")
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(17)
    for number, (title, image) in enumerate(images.items()):
        left = gap + number * (side + gap)
        pen.text((left, 7), title, fill="black", font=font)
        canvas.paste(scaled(np.asarray(image, dtype=np.float64), side), (left, head))
    return canvas


def scaled(image: np.ndarray, side: int) -> Image.Image:
    low, high = np.percentile(image, (0.2, 99.8))
    grey = np.clip((image - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    method = Image.Resampling.BOX if max(image.shape) < side / 2 else Image.Resampling.LANCZOS
    return Image.fromarray(grey).resize((side, side), method)


PICTURES: dict[str, Callable[[], Image.Image]] = {
    "viewer": viewer,
    "encode-preview": encode_preview,
    "two-designs": beside,
    "smallest": smallest,
    "fib-export": fib_export,
    "prediction": prediction,
    "film-3d": film_3d,
    "batch": batch,
    "trend": trend,
    "archive-write": archive_write,
    "archive-read": archive_read,
    "many": many,
    "windows": windows,
    "report": report,
    "sem-decode": sem_decode,
    "measure": measure,
    "measure-window": measure_window,
    "differences": differences,
    "verify": verify,
    "choose-reader": choose_reader,
    "restore": restore,
    "restored": restored,
    "predicted": predicted,
    "milled": milled,
    "dose-test": dose_test,
    "cross-section": cross_section,
}

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
