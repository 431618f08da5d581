"""What FIB export predicts of its plan: film and micrograph, windows, one pass of the beam."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari.layers import Layer

from napari_nanoqr.fib.plan import MillPlan
from napari_nanoqr.widgets.export_jobs import SURFACE, prediction_job, scan_job, windows_job
from napari_nanoqr.widgets.export_layers import LayerData, centre_of, put_layer
from napari_nanoqr.widgets.film_surface import FilmSurface
from napari_nanoqr.widgets.panel import BAD, GOOD

if TYPE_CHECKING:
    from napari_nanoqr.widgets.fib_export import FibExport

GONE = "The design was removed meanwhile."


class PlanPredictions:
    """Predicts the plan of a panel in the background, and shows what comes of it.

    Parameters
    ----------
    panel : FibExport
        Has the design, the plan and the fields; its buttons wait meanwhile.
    """

    def __init__(self, panel: FibExport) -> None:
        self._panel = panel
        self._surface = FilmSurface(panel.viewer)

    def _planned(self) -> tuple[Layer, MillPlan] | None:
        layer, plan = self._panel.design_choice.value, self._panel.plan
        return None if layer is None or plan is None else (layer, plan)

    def predict(self, *_: Any, then: Callable[[], None] | None = None) -> None:
        """Mill and image the plan in the computer, read it, and show film and micrograph."""
        if (planned := self._planned()) is None:
            return
        panel, (layer, plan) = self._panel, planned

        def show(result: Any) -> None:
            predicted, parts = result
            self._surface.keep(plan, parts.pop(SURFACE))
            if layer not in panel.viewer.layers:
                panel.say(GONE)
                return
            for part, layer_data in parts.items():
                put_layer(panel.viewer, layer, part, layer_data)
            good = predicted.right is not None and predicted.probability.probability > 0.9
            way_out = "" if good else " Try a smaller spot, more dose, or a larger pitch."
            panel.say(predicted.verdict + way_out, GOOD if good else BAD)
            if then is not None:
                then()

        job = prediction_job(plan, panel.fields.sem(plan.design), centre_of(layer))
        panel.run(job, show, busy=panel.job_buttons)

    def show_surface(self) -> None:
        """Show the predicted film in 3-D, or go back to the plane."""
        if (planned := self._planned()) is None:
            return
        layer, plan = planned
        if self._surface.is_shown:
            self._surface.leave()
        elif not self._surface.knows(plan):
            self.predict(then=self.show_surface)
        else:
            self._surface.show(layer)
            self._panel.say("The film in 3-D, its heights enlarged tenfold. 3-D again goes back.")

    def show_scan(self) -> None:
        """Show one pass of the beam as an animation over the time slider."""
        if (planned := self._planned()) is None:
            return
        panel, (layer, plan) = self._panel, planned
        if self._surface.is_shown:
            self._surface.leave()

        def show(layer_data: LayerData) -> None:
            if layer not in panel.viewer.layers:
                panel.say(GONE)
                return
            put_layer(panel.viewer, layer, "scan", layer_data)
            panel.viewer.dims.set_current_step(0, 0)
            pass_ms = layer_data[1]["metadata"]["pass_ms"]
            panel.say(
                f"One of {plan.passes:,} passes, {pass_ms:.4g} ms: press play at the slider below."
            )

        panel.run(scan_job(plan, centre_of(layer)), show, busy=panel.job_buttons)

    def plot_windows(self) -> None:
        """Predict how reading depends on dose, pitch, focus and electrons, and plot it."""
        panel, plan = self._panel, self._panel.plan
        if plan is None:
            return

        def show(windows: Any) -> None:
            from napari_nanoqr.widgets.window_plot import WindowPlot

            plot = WindowPlot(f"{plan.design.name}: windows for reading", windows, panel)
            plot.show()
            said = windows[0].recommended
            panel.say(
                "No dose in reach is read." if said is None else
                f"Recommended: {said[0]:.3g} to {said[1]:.3g} times the planned dose.",
                BAD if said is None else GOOD,
            )  # fmt: skip

        job = windows_job(plan, panel.fields.sem(plan.design))
        panel.run(job, show, busy=panel.job_buttons)
