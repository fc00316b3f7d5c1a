"""One run in its turn, from its lock to its results."""
