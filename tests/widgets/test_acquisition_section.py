"""The section Acquisition of SEM decode."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.widgets.readers import micrograph_layer
from napari_nanoqr.widgets.sem_decode import SemDecode

FACTS = {
    "vendor": "Zeiss",
    "beam": "electron",
    "tilt_deg": 2.0,
    "dwell_s": 926.8e-9,
    "averaged": 2,
    "beam_current_a": 200e-12,
    "landing_energy_ev": 5000.0,
    "detector": "In<Lens",
    "conflicts": {"tilt_deg": "One gives 2°, but the other gives 45°."},
    "notes": ["Something to know."],
}


@pytest.fixture
def widget(qtbot):
    viewer = ViewerModel()
    made = SemDecode(viewer)
    qtbot.addWidget(made)
    return made


def opened(widget, **facts):
    pixels = np.random.default_rng(1).integers(0, 255, (60, 80)).astype(np.uint8)
    micrograph = Micrograph(pixels, (6.0, 6.0), "Zeiss tag 34118", FACTS | facts)
    data, options, _ = micrograph_layer(micrograph)
    return widget.viewer.add_image(data, **options)


def test_all_that_the_file_tells_is_shown_with_where_two_fields_disagree(widget):
    assert widget.acquisition._section.isHidden()
    opened(widget)
    assert not widget.acquisition._section.isHidden()
    text = widget.acquisition.found.value
    for value in ("Zeiss", "6 nm (Zeiss tag 34118)", "5 keV", "In&lt;Lens", "2°", "200 pA",
                  "926.8 ns, 2 scans", "2313 electrons a pixel, 64 per nm²",
                  "One gives 2°, but the other gives 45°.", "Something to know."):  # fmt: skip
        assert value in text


def test_what_is_not_told_is_unknown(widget):
    opened(widget, dwell_s=None, detector=None, beam_current_a=None, vendor=None, averaged=1)
    text = widget.acquisition.found.value
    assert text.count("unknown") == 5
    widget.viewer.add_image(np.zeros((9, 9)) + np.eye(9), name="plain")
    widget.image.value = widget.viewer.layers["plain"]
    assert widget.acquisition.found.value.count("unknown") == 8


def test_fields_win_and_are_marked_as_given_and_used_for_reading(widget):
    opened(widget)
    section = widget.acquisition
    section.tilt.value, section.dwell.value, section.current.value = 0, 1, 50
    text = section.found.value
    for value in ("0° (given)", "1 µs (given), 2 scans", "50 pA (given)", "624 electrons a pixel"):
        assert value in text
    assert "45°" not in text
    read = widget.image_source().micrograph().metadata
    assert (read["tilt_deg"], read["dwell_s"], read["beam_current_a"]) == (0.0, 1e-6, 50e-12)
    section.tilt.value = section.tilt.min
    assert widget.image_source().micrograph().metadata["tilt_deg"] == 2.0


def test_settings_go_to_the_command_line_and_come_back(widget):
    unchanged = {"tilt": None, "dwell": None, "current": None}
    assert unchanged.items() <= widget.settings().items()
    widget.apply_settings({"tilt": 52.0, "dwell": 0.2, "current": 25.0})
    changed = {"tilt": 52.0, "dwell": 0.2, "current": 25.0}
    assert changed.items() <= widget.settings().items()
    widget.apply_settings(unchanged)
    assert unchanged.items() <= widget.settings().items()
