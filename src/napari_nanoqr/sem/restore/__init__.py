"""Restore micrographs: each step gives a new one and leaves what it was given as it is."""
