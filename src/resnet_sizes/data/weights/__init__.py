"""Initial weights from files."""
