"""What every test may use."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

# how long an example takes depends on what else the machine does
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder with independent data beside the checkout; the test skips where it is missing."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "micrographs").is_dir():
        pytest.skip("the independent data beside the checkout are not here")
    return folder


@pytest.fixture
def few_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Predict probabilities from few modules: enough to tell much better from much worse."""
    monkeypatch.setattr("napari_nanoqr.planning.channel._MODULES", 400)
