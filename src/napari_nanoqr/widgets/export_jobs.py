"""What FIB export does in the background. No job touches the viewer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_nanoqr.fib.pattern_files import write_pattern
from napari_nanoqr.fib.plan import MillPlan
from napari_nanoqr.fib.verify import Verification
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.planning.prediction import Prediction, predict
from napari_nanoqr.planning.window import Quantity, Window, default_values, read_window
from napari_nanoqr.progress import IsCancelled, Progress
from napari_nanoqr.widgets.background import Call
from napari_nanoqr.widgets.export_layers import LayerData

PLOTTED: tuple[Quantity, ...] = ("dose", "pitch", "defocus", "electrons")
"""Quantities whose windows are plotted."""

SURFACE = "depth in 3-D"
"""The part that is shown in 3-D only."""


def prediction_job(
    plan: MillPlan, sem: SemCondition, centre: tuple[float, float]
) -> Call[tuple[Prediction, dict[str, LayerData]]]:
    """Predict a plan; returns the prediction and its layers, by part."""
    from napari_nanoqr.physics.simulate import pattern_of
    from napari_nanoqr.widgets.prediction_layers import (
        depth_layer,
        micrograph_layer,
        surface_layer,
    )

    name = plan.design.name

    def call(progress: Progress, cancelled: IsCancelled) -> tuple[Prediction, dict[str, LayerData]]:
        predicted = predict(pattern_of(plan), sem, progress=progress, cancelled=cancelled)
        return predicted, {
            "depth": depth_layer(predicted.film, name, centre),
            SURFACE: surface_layer(predicted.film, name, centre),
            "predicted SEM": micrograph_layer(predicted.micrograph, name, centre),
        }

    return call


def scan_job(plan: MillPlan, centre: tuple[float, float]) -> Call[LayerData]:
    """Follow the beam through one pass; returns the layer that shows it."""
    from napari_nanoqr.widgets.prediction_layers import scan_layer

    def call(progress: Progress, cancelled: IsCancelled) -> LayerData:
        progress(0, 0, "Following the beam …")
        return scan_layer(plan.exposure, plan.design.name, centre)

    return call


def windows_job(plan: MillPlan, sem: SemCondition) -> Call[list[Window]]:
    """Predict how reading depends on dose, pitch, focus and electrons."""
    counts = [len(default_values(quantity, plan, sem)) for quantity in PLOTTED]

    def call(progress: Progress, cancelled: IsCancelled) -> list[Window]:
        windows = []
        for index, quantity in enumerate(PLOTTED):

            def at(done: int, _: int, text: str, before: int = sum(counts[:index])) -> None:
                progress(before + done, sum(counts), text)

            windows.append(read_window(plan, quantity, sem=sem, progress=at, cancelled=cancelled))
        return windows

    return call


def save_job(
    plan: MillPlan, path: Path, options: dict[str, Any], sem: SemCondition, with_report: bool
) -> Call[tuple[Verification, str]]:
    """Write a file and a report beside it; returns what was found, and a word on the report."""

    def call(progress: Progress, cancelled: IsCancelled) -> tuple[Verification, str]:
        progress(0, 0, f"Writing {path.name}, reading it back, decoding it …")
        found = write_pattern(plan, path, **options)
        if not with_report:
            return found, ""
        from napari_nanoqr.planning.report import export_report

        report = export_report(plan, [(path, found)], sem, progress=progress, cancelled=cancelled)
        html, _ = report.save(path.with_name(f"{path.stem}.report.html"))
        return found, f" Report: {html.name}. {report.files[0][2].verdict}"

    return call
