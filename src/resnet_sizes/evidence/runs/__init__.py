"""The results of runs, read and checked."""
