"""Metrics of many runs → table, figures, values and verdicts."""
