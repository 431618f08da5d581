"""Whole files on tiles: written on sheets of film, and read back from micrographs."""
