"""Folders, zip and tar archives, which may come from strangers: named files read into memory.

Nothing is extracted to disk. Names are checked, and sizes are bounded, as declared and as read,
so that a small archive cannot fill the memory.
"""
