"""Ids of groups in the SVG of a figure: what the check of its numbers goes by."""

VALUE = "value."
"""Before the key in values.json of the number that the group writes."""

AXIS = "axis."
"""Of an axis whose ticks are numbers."""

CLASSES = "classes."
"""Of an axis whose ticks are names of classes."""
