"""The figures, drawn from numbers."""
