"""The finished pages, checked against the values."""
