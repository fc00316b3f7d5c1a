"""Metrics of many runs → table, figure, values and verdicts."""
