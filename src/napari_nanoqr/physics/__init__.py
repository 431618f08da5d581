"""Prediction: what the pattern in a file mills, and what the SEM sees of it."""
