"""How large a picture may be to be loaded at once, and to be shown at once."""

LARGE = 1 << 26
"""Pixels in all frames, 8192 x 8192, from which on a TIFF is not loaded at once."""

SCREEN = 1024
"""Rows and columns at which the coarser levels of a picture end."""
