"""From a design to a pattern file for a focused ion beam, and back."""
