"""Module matrices: from a payload to dark and light modules, and back."""
