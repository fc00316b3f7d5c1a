"""Stopping, checkpoints and progress."""
