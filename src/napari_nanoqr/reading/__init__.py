"""Micrographs and photographs in, payloads out."""
