"""One module for each kind of limit; each function yields what it finds wrong."""
