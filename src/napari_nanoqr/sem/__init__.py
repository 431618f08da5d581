"""Electron micrographs: what they are, and how they come from files and go to them."""
