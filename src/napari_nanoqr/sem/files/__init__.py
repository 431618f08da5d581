"""SEM image files: one module for each vendor, and one place that asks them in turn."""
