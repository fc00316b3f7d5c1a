"""The pass through frozen layers, and its cache."""
