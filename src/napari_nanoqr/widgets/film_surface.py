"""The predicted film in 3-D, and the way back to the plane."""

from __future__ import annotations

from napari import Viewer
from napari.layers import Layer

from napari_nanoqr.fib.plan import MillPlan
from napari_nanoqr.widgets.export_jobs import SURFACE
from napari_nanoqr.widgets.export_layers import LayerData, group_of, put_layer, remove_layer
from napari_nanoqr.widgets.layers import parts_of


class FilmSurface:
    """Shows the surface of one predicted film at a time.

    Parameters
    ----------
    viewer : napari.Viewer
        Where it is shown.
    """

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self._plan: MillPlan | None = None
        self._data: LayerData | None = None
        self._shown: Layer | None = None
        self._hidden: list[Layer] | None = None

    @property
    def is_shown(self) -> bool:
        """Whether the window shows the film in 3-D now."""
        return self._hidden is not None

    def keep(self, plan: MillPlan, data: LayerData) -> None:
        """Keep what was predicted for a plan."""
        self._plan, self._data = plan, data

    def knows(self, plan: MillPlan) -> bool:
        """Whether the surface of this very plan was predicted."""
        return self._plan is plan

    def show(self, layer: Layer) -> None:
        """Show the kept surface beside the layer of its design."""
        if self._data is None:
            raise ValueError("Nothing is predicted yet.")
        # what lies in the plane would cover the film, and the beam's time is no depth
        remove_layer(self.viewer, layer, "scan")
        parts = parts_of(self.viewer, group_of(layer))
        self._hidden = [part for part in parts.values() if part.visible]
        for part in self._hidden:
            part.visible = False
        self._shown = put_layer(self.viewer, layer, SURFACE, self._data)
        self.viewer.dims.ndisplay = 3
        self.viewer.reset_view()
        self.viewer.scene.camera.angles = (-20.0, 25.0, 140.0)

    def leave(self) -> None:
        """Go back to the plane, and show there what was shown before."""
        hidden, self._hidden = self._hidden or [], None
        if self._shown in self.viewer.layers:
            self.viewer.layers.remove(self._shown)
        self.viewer.dims.ndisplay = 2
        for part in hidden:
            if part in self.viewer.layers:
                part.visible = True
