"""File > Open Sample: the record's design, and what an SEM would show of it."""

from __future__ import annotations

from typing import Any

from napari_nanoqr.design.record import record_design
from napari_nanoqr.sem.micrograph import Micrograph

LayerData = tuple[Any, dict[str, Any], str]


def record_layers() -> list[LayerData]:
    """Return the modules and the outline of the record's design."""
    from napari_nanoqr.widgets.layers import design_layers

    return [
        layer.as_layer_data_tuple() for layer in design_layers(record_design(), "sample-record")
    ]


def clean_micrograph() -> list[LayerData]:
    """Return a predicted micrograph with many electrons."""
    return _predicted("record, clean", electrons_per_pixel=3000, rotation_deg=7)


def low_dose_micrograph() -> list[LayerData]:
    """Return a predicted micrograph with few electrons."""
    return _predicted("record, low dose", electrons_per_pixel=300, rotation_deg=-4)


def tilted_micrograph() -> list[LayerData]:
    """Return a predicted micrograph from a stage that is tilted for milling."""
    return _predicted("record, tilted 52 degrees", electrons_per_pixel=3000, tilt_deg=52)


def micrograph_stack() -> list[LayerData]:
    """Return predicted frames that drift, each with few electrons."""
    return _predicted("record, 8 frames", electrons_per_pixel=120, frames=8, drift_nm=(12.0, 30.0))


def _predicted(name: str, **conditions: Any) -> list[LayerData]:
    from napari_nanoqr.physics.simulate import simulate_micrograph
    from napari_nanoqr.widgets.readers import micrograph_layer

    micrograph: Micrograph = simulate_micrograph(record_design(), seed=1, **conditions)
    data, options, kind = micrograph_layer(micrograph)
    return [(data, options | {"name": name}, kind)]
