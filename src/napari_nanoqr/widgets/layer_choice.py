"""Choose one of the viewer's layers: a list that follows what is there."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from napari.layers import Layer
from psygnal import Signal
from qtpy.compat import isalive
from qtpy.QtWidgets import QComboBox, QSizePolicy

if TYPE_CHECKING:
    from napari.components import ViewerModel


class LayerChoice:
    """A combo box of those layers of a viewer that a widget can work on.

    A layer is picked by itself when it is the only one, and when it becomes the active one;
    without ``none``, one is picked wherever there is one. The choice is the layer, not its
    name or place: it survives renaming and moving. Layers are held by weak references.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers; a `napari.Viewer` is one.
    accepts : callable
        Whether a layer may be chosen. It is asked again whenever layers come, go, move or
        change their name; call :meth:`refresh` where its answer changed otherwise.
    label : str
        Shown before the box.
    none : str, optional
        A first entry that stands for no layer, in words. With it nothing is picked by itself.
    empty : str
        Shown while there is no layer to choose.
    tooltip : str
        Help, shown under the mouse.

    Attributes
    ----------
    native : QComboBox
        For a form or a layout.
    changed : psygnal.Signal
        Emitted with the layer, or None, after the choice changed.
    """

    changed = Signal(object)

    def __init__(
        self,
        viewer: ViewerModel,
        accepts: Callable[[Layer], bool],
        label: str,
        *,
        none: str | None = None,
        empty: str = "no layer",
        tooltip: str = "",
    ) -> None:
        self.label = label
        self.tooltip = tooltip
        self._viewer = viewer
        self._accepts = accepts
        self._none = none
        self._layers: list[weakref.ref[Layer]] = []
        self._value: weakref.ref[Layer] | None = None
        self.native = QComboBox()
        self.native.setToolTip(tooltip)
        self.native.setPlaceholderText(empty)
        # a long name must not widen the dock
        self.native.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.native.setMinimumContentsLength(8)
        self.native.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.native.activated.connect(self._picked)
        events = viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered, events.renamed):
            emitter.connect(self._on_layers)
        viewer.layers.selection.events.active.connect(self._on_active)
        self.refresh()
        self._on_active()

    @property
    def value(self) -> Layer | None:
        """The layer chosen; None where there is none, or it has left the viewer."""
        layer = None if self._value is None else self._value()
        return layer if layer is not None and layer in self._viewer.layers else None

    @value.setter
    def value(self, layer: Layer | None) -> None:
        if layer is not None and layer not in self.choices:
            raise ValueError(f"{layer.name} is not among the layers to choose from.")
        self._set(layer)

    @property
    def choices(self) -> tuple[Layer, ...]:
        """The layers on offer, in the order of the viewer's list from the top."""
        found = (reference() for reference in self._layers)
        return tuple(layer for layer in found if layer is not None)

    def refresh(self) -> None:
        """Bring the list up to date with the viewer."""
        if not self._alive():
            self._disconnect()
            return
        layers = [layer for layer in reversed(self._viewer.layers) if self._accepts(layer)]
        self._layers = [weakref.ref(layer) for layer in layers]
        self.native.blockSignals(True)
        self.native.clear()
        if self._none is not None:
            self.native.addItem(self._none)
        self.native.addItems([layer.name for layer in layers])
        self.native.setEnabled(bool(layers))
        self.native.blockSignals(False)
        value = self.value
        if value not in layers:
            value = layers[0] if layers and self._none is None else None
        self._set(value)

    def _set(self, layer: Layer | None) -> None:
        offset = 0 if self._none is None else 1
        index = offset - 1
        if layer is not None:
            index = self.choices.index(layer) + offset
            # what napari gives to plugins may be a passing stand-in for the layer
            layer = self.choices[index - offset]
        self.native.blockSignals(True)
        self.native.setCurrentIndex(index)
        self.native.blockSignals(False)
        before = None if self._value is None else self._value()
        lost = self._value is not None and before is None
        self._value = None if layer is None else weakref.ref(layer)
        if layer is not before or lost:
            self.changed.emit(layer)

    def _picked(self, index: int) -> None:
        place = index - (0 if self._none is None else 1)
        self._set(self.choices[place] if 0 <= place < len(self.choices) else None)

    def _on_layers(self) -> None:
        self.refresh()

    def _on_active(self) -> None:
        if self._none is not None or not self._alive():
            return
        active = self._viewer.layers.selection.active
        if active is not None and active in self.choices:
            self._set(active)

    def _alive(self) -> bool:
        return bool(isalive(self.native))  # type: ignore[no-untyped-call]

    def _disconnect(self) -> None:
        events = self._viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered, events.renamed):
            emitter.disconnect(self._on_layers)
        self._viewer.layers.selection.events.active.disconnect(self._on_active)
