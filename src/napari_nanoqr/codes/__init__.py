"""Error-correcting codes alone: they know numbers, not symbols."""
