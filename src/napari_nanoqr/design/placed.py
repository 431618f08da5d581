"""Designs at their places in a field."""

from __future__ import annotations

from dataclasses import dataclass

from napari_nanoqr.design.design import Design


@dataclass(frozen=True)
class Placed:
    """A design at its place in a field of view.

    Parameters
    ----------
    design : Design
        What stands there.
    x_nm, y_nm : float
        Its centre from the field's, x to the right and y down.
    """

    design: Design
    x_nm: float = 0.0
    y_nm: float = 0.0

    @property
    def corner_nm(self) -> tuple[float, float]:
        """Left and top of the design with its quiet zone."""
        height, width = self.design.field_size_nm
        return self.x_nm - width / 2, self.y_nm - height / 2
