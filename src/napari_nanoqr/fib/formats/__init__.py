"""One module per pattern format; each writes and reads it."""
