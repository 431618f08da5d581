"""What goes on the film: a symbol at its true size."""
