"""The numbers that the report may print, with their sources."""
