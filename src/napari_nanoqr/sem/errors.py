"""What goes wrong with an image file, in words for people."""

from __future__ import annotations


class UnreadableImage(ValueError):
    """The file is not an image that can be read, or only part of one is left."""


class MissingReader(UnreadableImage):
    """The file can be read once another library is installed; the sentence says which."""
