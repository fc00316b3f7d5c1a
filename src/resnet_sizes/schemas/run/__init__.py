"""Run files, data, weights and results."""
